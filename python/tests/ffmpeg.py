"""The ffmpeg program, against which media are held: it makes inputs, and says what is in files."""

from __future__ import annotations

import re
import subprocess
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest


def program() -> str:
    return pytest.importorskip("imageio_ffmpeg").get_ffmpeg_exe()


def ffmpeg(*words: object) -> bytes:
    command = [program(), "-nostdin", "-loglevel", "error", "-y", *map(str, words)]
    done = subprocess.run(command, check=False, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


class Packet(NamedTuple):
    time: float
    end: float
    checksum: str


def packets(path: Path, stream: str = "v") -> list[Packet]:
    """Of a stream, in the order of their times."""
    text = ffmpeg("-copyts", "-i", path, "-map", f"0:{stream}", "-c", "copy", "-f", "framecrc", "-").decode()
    unit = Fraction(re.search(r"#tb 0: (\S+)", text)[1])
    rows = [line.split(",") for line in text.splitlines() if line and not line.startswith("#")]
    found = [Packet(float(int(r[2]) * unit), float((int(r[2]) + int(r[3])) * unit), r[5].strip()) for r in rows]
    return sorted(found)


def frame_times(path: Path, *other_output: object) -> list[float]:
    """When ffmpeg shows the decoded frames.

    :param other_output: what it makes beside them: streams that are used have a say in where a jump of the clock leads
    """
    text = ffmpeg("-i", path, "-map", "0:v", "-fps_mode", "passthrough", "-enc_time_base", "demux", "-f", "framecrc", "-", *other_output).decode()
    unit = Fraction(re.search(r"#tb 0: (\S+)", text)[1])
    return [float(int(line.split(",")[2]) * unit) for line in text.splitlines() if line and not line.startswith("#")]


def description(path: Path) -> str:
    """What ffmpeg says of a file."""
    return subprocess.run([program(), "-hide_banner", "-i", str(path)], check=False, capture_output=True).stderr.decode()


def duration(path: Path) -> float:
    hours, minutes, seconds = re.search(r"Duration: (\d+):(\d+):([\d.]+)", description(path)).groups()
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def first_frame(path: Path, *words: object) -> np.ndarray:
    """As it is shown: turned, in its colours, pixels as they are stored."""
    bmp = ffmpeg("-i", path, "-frames:v", 1, *words, "-c:v", "ppm", "-pix_fmt", "rgb24", "-f", "image2pipe", "-")
    _, size, _, pixels = bmp.split(b"\n", 3)
    width, height = map(int, size.split())
    return np.frombuffer(pixels, np.uint8).reshape(height, width, 3).astype(int)


def samples(path: Path, *words: object) -> np.ndarray:
    return np.frombuffer(ffmpeg("-i", path, *words, "-f", "f32le", "-"), np.float32)
