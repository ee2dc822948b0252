"""Songs are read as ffmpeg reads them, and only what is cut is said to be cut."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from python.tests.commands import SEPARATOR, needs_slipway, run_json, slipway
from python.tests.ffmpeg import ffmpeg, samples

pytestmark = needs_slipway


def read(song: Path, folder: Path) -> tuple[int, list[str]]:
    """How many samples a song has at the network's rate, and what was said of it."""
    status, [line], errors = run_json("demucs", "preprocess", song, "--model", SEPARATOR, "--output", folder)
    assert status == 0, errors
    return json.loads((folder / "chunks.json").read_text())["frames"], line["warnings"]


def noise(path: Path, *words: object, seconds: float = 2, rate: int = 44100, channels: int = 2) -> Path:
    colour = f"anoisesrc=duration={seconds}:sample_rate={rate}:amplitude=0.3:seed=1"
    layout = {1: "mono", 2: "stereo", 6: "5.1"}[channels]
    ffmpeg("-f", "lavfi", "-i", colour, "-af", f"aformat=channel_layouts={layout}", *words, path)
    return path


WHOLE = {
    "variable rate without a header": ("x.mp3", ["-q:a", 3, "-write_xing", 0], {}),
    "constant rate without a header": ("x.mp3", ["-b:a", "128k", "-write_xing", 0], {}),
    "with a header": ("x.mp3", ["-q:a", 3], {}),
    "8 kHz": ("x.mp3", [], {"rate": 8000}),
    "11 kHz": ("x.mp3", [], {"rate": 11025}),
    "16 kHz mono": ("x.mp3", [], {"rate": 16000, "channels": 1}),
    "ADTS": ("x.aac", ["-c:a", "aac"], {}),
    "ADTS of 8 kHz": ("x.aac", ["-c:a", "aac"], {"rate": 8000}),
    "M4A": ("x.m4a", ["-c:a", "aac"], {}),
    "Opus": ("x.opus", ["-c:a", "libopus"], {"rate": 48000}),
    "Vorbis": ("x.ogg", ["-c:a", "libvorbis"], {}),
    "FLAC": ("x.flac", [], {}),
    "WAV": ("x.wav", [], {}),
    "broadcast": ("x.ts", ["-c:a", "aac"], {}),
    "Matroska": ("x.mka", ["-c:a", "libmp3lame"], {}),
}


@pytest.mark.parametrize("form", WHOLE)
def test_whole_files_are_not_said_to_end_early(form: str, tmp_path: Path) -> None:
    name, words, sound = WHOLE[form]
    song = noise(tmp_path / name, *words, **sound)
    frames, warnings = read(song, tmp_path / "out")
    assert warnings == []
    right = samples(song).size // sound.get("channels", 2) * 44100 / sound.get("rate", 44100)
    # Resamplers end a few samples apart; encoders' delays, of which some readers know, are less than a tenth of a second.
    assert frames == pytest.approx(right, abs=4410)


@pytest.mark.parametrize("form", ["with a header", "FLAC", "M4A"])
def test_cut_files_are_said_to_end_early(form: str, tmp_path: Path) -> None:
    name, words, sound = WHOLE[form]
    extra = ["-movflags", "faststart"] if form == "M4A" else []
    song = noise(tmp_path / name, *words, *extra, **sound)
    song.write_bytes(song.read_bytes()[: song.stat().st_size * 6 // 10])
    assert any("ends after" in warning for warning in read(song, tmp_path / "out")[1])


PARTS = {
    "the same": [{}, {}],
    "another rate": [{}, {"rate": 22050}],
    "one channel": [{}, {"channels": 1}],
    "both": [{}, {"rate": 48000, "channels": 1}],
    "and back": [{}, {"rate": 32000}, {}],
    "first of one channel": [{"channels": 1}, {}],
}


JOINED = {
    "mp3": ("mp3", ["-write_xing", 0, "-id3v2_version", 0]),
    "broadcast of AAC": ("ts", ["-c:a", "aac"]),
    "broadcast of MP2": ("ts", ["-c:a", "mp2"]),
    "ADTS": ("aac", ["-c:a", "aac"]),
}


@pytest.mark.parametrize("form", JOINED)
@pytest.mark.parametrize("parts", PARTS)
def test_joined_songs_are_read_as_ffmpeg_reads_them(parts: str, form: str, tmp_path: Path) -> None:
    ending, words = JOINED[form]
    song = tmp_path / f"joined.{ending}"
    song.write_bytes(b"".join(noise(tmp_path / f"{i}.{ending}", *words, **each).read_bytes() for i, each in enumerate(PARTS[parts])))
    channels = PARTS[parts][0].get("channels", 2)
    frames, warnings = read(song, tmp_path / "out")
    # By itself ffmpeg announces a short broadcast with the last part's rate, which it found while probing, and takes one
    # frame of MP2 by the rate that was announced.
    one_frame = 1152 if form == "broadcast of MP2" else 0
    assert frames == pytest.approx(samples(song, "-ar", 44100, "-ac", channels).size // channels, abs=200 + one_frame)
    assert warnings == []


@pytest.mark.parametrize("layout", ["2.1", "3.0", "4.0", "quad", "5.0", "5.1", "5.1(side)", "6.1", "7.1", "7.1(wide)"])
def test_more_channels_are_mixed_down_as_ffmpeg_does(layout: str, tmp_path: Path) -> None:
    song, right = tmp_path / "song.wav", tmp_path / "right.wav"
    count = {"2.1": 3, "3.0": 3, "4.0": 4, "quad": 4, "5.0": 5, "5.1": 6, "5.1(side)": 6, "6.1": 7, "7.1": 8, "7.1(wide)": 8}[layout]
    voices = "|".join(f"0.1*sin({300 + 70 * i}*t*{i + 1})" for i in range(count))
    ffmpeg("-f", "lavfi", "-i", f"aevalsrc='{voices}':channel_layout={layout}:sample_rate=44100:duration=1", "-c:a", "pcm_f32le", song)
    ffmpeg("-i", song, "-ac", 2, "-c:a", "pcm_f32le", right)
    _, warnings = read(song, tmp_path / "a")
    read(right, tmp_path / "b")
    # What the network is given, by the mean and deviation of the song.
    chunks = [np.fromfile(tmp_path / folder / "input.raw", np.float32) for folder in "ab"]
    np.testing.assert_allclose(*chunks, atol=2e-5)
    assert any(f"{count} channels" in warning and "mixed down" in warning for warning in warnings)


PLAYLISTS = {
    "concat": "ffconcat version 1.0\nfile song.wav\n",
    "hls": "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nsong.aac\n#EXT-X-ENDLIST\n",
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n",
    "cue of files": "[playlist]\nFile1=song.wav\nNumberOfEntries=1\n",
}


@pytest.mark.parametrize("name", ["list.mp3", "list.m3u8", "list.wav"])
@pytest.mark.parametrize("kind", PLAYLISTS)
def test_playlists_open_nothing_else(kind: str, name: str, tmp_path: Path) -> None:
    noise(tmp_path / "song.wav")
    noise(tmp_path / "song.aac", "-c:a", "aac")
    (tmp_path / name).write_text(PLAYLISTS[kind])
    done = slipway("demucs", "preprocess", tmp_path / name, "--model", SEPARATOR, "--output", tmp_path / "out")
    assert done.returncode == 1
    assert "expected an audio file" in done.stderr.decode(), done.stderr.decode()
