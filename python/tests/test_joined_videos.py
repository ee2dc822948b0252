"""Recordings that were joined with cat are read as ffmpeg reads them, and what is missing in one is still seen."""

from __future__ import annotations

from pathlib import Path

import pytest

from python.tests.commands import needs_slipway
from python.tests.ffmpeg import ffmpeg, frame_times, packets
from python.tests.test_videos import draw, faces

pytestmark = needs_slipway

IMAGE_CODECS = {
    "h264": ["-c:v", "libx264", "-preset", "ultrafast", "-bf", 0],
    "h264 reordered": ["-c:v", "libx264", "-preset", "fast", "-bf", 2],
    "hevc": ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none:bframes=0"],
    "mpeg2": ["-c:v", "mpeg2video", "-r", 25],
    "mpeg4": ["-c:v", "mpeg4"],
}
SOUND_CODECS = {"silent": [], "aac": ["-c:a", "aac"], "mp2": ["-c:a", "mp2"], "mp3": ["-c:a", "libmp3lame"], "ac3": ["-c:a", "ac3"]}


def part(path: Path, codec: str, sound: str, seconds: float, start: float = 0) -> bytes:
    voice = ["-f", "lavfi", "-i", f"sine=duration={seconds}"] if SOUND_CODECS[sound] else []
    ffmpeg("-f", "lavfi", "-i", f"testsrc=size=128x96:rate=10:duration={seconds}", *voice, *IMAGE_CODECS[codec], *SOUND_CODECS[sound],
           "-output_ts_offset", start, path)
    return path.read_bytes()


def check(clip: Path, folder: Path, *, has_sound: bool) -> None:
    """Every frame comes, where ffmpeg shows it, and nothing is said to be damaged."""
    out = folder / "out.mp4"
    draw(clip, out)
    right = frame_times(clip, *(["-map", "0:a", "-f", "null", "-"] if has_sound else []))
    assert frame_times(out) == pytest.approx(right, abs=0.002)
    if has_sound:
        assert len(packets(out, "a")) == len(packets(clip, "a"))


LENGTHS = [(1, 3), (1, 2), (2, 2), (2, 1), (3, 1), (1, 1, 1), (2, 2, 2), (0.5, 2), (2, 0.3, 2)]


@pytest.mark.parametrize("sound", ["silent", "aac"])
@pytest.mark.parametrize("lengths", LENGTHS, ids=str)
def test_recordings_of_any_length_run_on(lengths: tuple[float, ...], sound: str, tmp_path: Path) -> None:
    clip = tmp_path / "joined.ts"
    starts = [50 * (len(lengths) - 1 - i) for i in range(len(lengths))]
    clip.write_bytes(b"".join(part(tmp_path / f"{i}.ts", "h264", sound, seconds, starts[i]) for i, seconds in enumerate(lengths)))
    check(clip, tmp_path, has_sound=sound != "silent")


CLOCKS = {"back": (50, 0), "on": (0, 50), "again": (0, 0), "far on": (0, 40000)}


@pytest.mark.parametrize("clock", CLOCKS)
@pytest.mark.parametrize(("codec", "sound"), [("h264", "mp2"), ("h264 reordered", "silent"), ("h264 reordered", "aac"), ("hevc", "silent"),
                                                ("hevc", "ac3"), ("mpeg2", "silent"), ("mpeg2", "mp2"), ("mpeg4", "mp3")])
def test_recordings_of_any_codec_run_on(codec: str, sound: str, clock: str, tmp_path: Path) -> None:
    clip = tmp_path / "joined.ts"
    clip.write_bytes(b"".join(part(tmp_path / f"{i}.ts", codec, sound, 2, start) for i, start in enumerate(CLOCKS[clock])))
    check(clip, tmp_path, has_sound=sound != "silent")


@pytest.mark.parametrize("sound", ["silent", "aac"])
@pytest.mark.parametrize("codec", ["h264", "h264 reordered", "hevc", "mpeg2"])
def test_segments_of_one_recording_run_on(codec: str, sound: str, tmp_path: Path) -> None:
    whole = tmp_path / "whole.mkv"
    voice = ["-f", "lavfi", "-i", "sine=duration=6"] if SOUND_CODECS[sound] else []
    ffmpeg("-f", "lavfi", "-i", "testsrc=size=128x96:rate=10:duration=6", *voice, *IMAGE_CODECS[codec], *SOUND_CODECS[sound], "-g", 20, whole)
    ffmpeg("-i", whole, "-map", 0, "-c", "copy", "-f", "segment", "-segment_time", 2, "-segment_format", "mpegts", tmp_path / "%d.ts")
    clip = tmp_path / "joined.ts"
    clip.write_bytes(b"".join((tmp_path / f"{i}.ts").read_bytes() for i in range(3)))
    check(clip, tmp_path, has_sound=sound != "silent")


def pieces_of_frames(stream: bytes) -> list[int]:
    """Where the pieces of the first stream, which ffmpeg numbers 0x100, stand."""
    return [at for at in range(0, len(stream), 188) if (stream[at + 1] & 0x1F, stream[at + 2]) == (1, 0)]


@pytest.mark.parametrize("where", [0.3, 0.4, 0.5, 0.65, 0.8])
@pytest.mark.parametrize("codec", ["h264", "h264 reordered", "mpeg2"])
def test_lost_pieces_are_still_said(codec: str, where: float, tmp_path: Path) -> None:
    clip = tmp_path / "clip.ts"
    stream = part(clip, codec, "aac", 4)
    pieces = pieces_of_frames(stream)
    lost = pieces[int(len(pieces) * where)]
    clip.write_bytes(stream[:lost] + stream[lost + 188 :])
    done = faces(clip, tmp_path / "out.mp4")
    assert done.returncode == 1, done.stderr.decode()
    assert b"damaged pieces left out" in done.stderr
