"""Writes tests/golden/media/tone.*: half a second of 440 Hz left and 880 Hz right, encoded by the ffmpeg program.

    python -m python.reference.demucs.audio_files
"""

import pathlib
import subprocess

TONE = "aevalsrc=0.5*sin(2*PI*440*t)|0.25*sin(2*PI*880*t):s=44100:d=0.5"
FILES = {
    "tone.mp3": ["-c:a", "libmp3lame", "-b:a", "128k"],
    "tone.m4a": ["-c:a", "aac", "-b:a", "96k"],
    "tone.flac": ["-c:a", "flac"],
    "tone_8000_mono.wav": ["-ar", "8000", "-ac", "1", "-c:a", "pcm_s16le"],
}


def main() -> None:
    folder = pathlib.Path("tests/golden/media")
    folder.mkdir(parents=True, exist_ok=True)
    for name, options in FILES.items():
        subprocess.run(["ffmpeg", "-y", "-loglevel", "error", "-f", "lavfi", "-i", TONE, "-map_metadata", "-1", "-fflags", "+bitexact",
                        *options, str(folder / name)], check=True)


if __name__ == "__main__":
    main()
