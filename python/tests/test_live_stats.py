"""--stats says once a second what went through: also while nothing comes, and so that the lines add up to the run.

The streams come through a pipe that these tests pace. A camera is no part of a build machine: what overwrites its frames and counts
them is tested with one that is made up (newest_frame_test.cpp)."""

from __future__ import annotations

import json
import os
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from python.tests.commands import FRAME_VERBS, SAMURAI, SLIPWAY, frame_verbs, needs_slipway, run_frames, sample_image, stream_of

pytestmark = needs_slipway

VERBS = {**FRAME_VERBS, "samurai": ["--model", SAMURAI, "--box", "20,20,30,30"]}
LINE = re.compile(r"^(\d+) frames?, ([\d.]+) a second(?:; from arrival to result (.+), p90 (.+), p99 (.+), longest (.+))?; (\d+) dropped$")


class Run:
    """A command that reads a pipe, and its lines as they come."""

    def __init__(self, process: subprocess.Popen, pipe, lines_of: str) -> None:
        self.process, self.pipe, self.lines = process, pipe, []
        self.reader = threading.Thread(target=lambda: self.lines.extend(iter(getattr(process, lines_of).readline, "")))
        self.reader.start()

    def send(self, piece: bytes) -> None:
        self.pipe.write(piece)
        self.pipe.flush()

    def stats(self) -> list[dict]:
        return [line for line in map(json.loads, self.lines) if line["schema"] == "stats/1"]

    def wait_for(self, is_there, what: str) -> None:
        end = time.monotonic() + 60
        while not is_there():
            assert time.monotonic() < end, f"{what} did not come: {self.lines}"
            time.sleep(0.02)

    def finish(self) -> None:
        self.pipe.close()
        assert self.process.wait(timeout=60) == 0
        self.reader.join()


@contextmanager
def reading(verb: str, folder: Path, *words: object, lines_of: str = "stdout", by: str = "pipe") -> Iterator[Run]:
    fifo = folder / "live"
    os.mkfifo(fifo)
    other = {"stdout": "stderr", "stderr": "stdout"}[lines_of]
    command = [str(SLIPWAY), verb, *map(str, VERBS[verb]), *map(str, words), str(fifo) if by == "pipe" else "-", "--stats"]
    streams = {lines_of: subprocess.PIPE, other: subprocess.DEVNULL, "stdin": subprocess.DEVNULL if by == "pipe" else subprocess.PIPE}
    process = subprocess.Popen(command, text=True, **streams)
    with process.stdin.buffer if by != "pipe" else open(fifo, "wb", buffering=0) as pipe:
        try:
            yield Run(process, pipe, lines_of)
        finally:
            process.kill()
            process.wait()


def pieces(frames: int) -> list[bytes]:
    """Of a stream: its head with the first frame, and the others."""
    whole = stream_of(frames).split(b"FRAME\n")
    return [whole[0] + b"FRAME\n" + whole[1], *[b"FRAME\n" + frame for frame in whole[2:]]]


@pytest.mark.parametrize("by", ["pipe", "standard input"])
@pytest.mark.parametrize("verb", VERBS)
def test_lines_come_every_second_and_add_up(verb: str, by: str, tmp_path: Path) -> None:
    frames = pieces(24)
    with reading(verb, tmp_path, "--json", by=by) as run:
        for piece in frames[:16]:
            run.send(piece)
        run.wait_for(lambda: sum(s["frames"] for s in run.stats()) > 0, "a line with frames")
        before = len(run.stats())
        run.wait_for(lambda: len(run.stats()) >= before + 2, "two lines while nothing comes")
        assert run.stats()[before + 1]["frames"] == 0
        for piece in frames[16:]:
            run.send(piece)
        run.finish()
    lines = run.stats()
    assert sum(line["frames"] for line in lines) == 24
    assert sum(line["dropped"] for line in lines) == 0
    for line in lines[:-1]:
        assert 0.5 < line["seconds"] < 10  # on a busy machine
    for line in lines:
        assert line["frames_per_second"] == pytest.approx(line["frames"] / line["seconds"])
        if line["frames"] == 0:
            assert line["latency"] is None
            continue
        latency = line["latency"]
        assert latency["count"] == line["frames"]
        assert 0 < latency["min_us"] <= latency["median_us"] <= latency["p90_us"] <= latency["p99_us"] <= latency["max_us"]
        assert line["input"] == (str(tmp_path / "live") if by == "pipe" else "-")


def test_the_rate_is_the_one_at_which_frames_come(tmp_path: Path) -> None:
    frames = pieces(40)
    with reading("face-det-lite", tmp_path, "--json") as run:
        run.send(frames[0])
        run.wait_for(lambda: sum(s["frames"] for s in run.stats()) > 0, "a line with the first frame")
        begin, sent = time.monotonic(), []
        for piece in frames[1:]:
            run.send(piece)
            sent.append(time.monotonic() - begin)
            time.sleep(0.1)
        run.finish()
    paced = [line for line in run.stats() if line["frames"] > 0][1:-1]  # whole seconds within the pacing
    assert paced
    fastest = max(sum(at <= other < at + line["seconds"] + 0.5 for other in sent) for at in sent for line in paced)
    for line in paced:
        assert 0 < line["frames"] <= fastest


@pytest.mark.parametrize("verb", VERBS)
def test_people_read_a_line_on_standard_error(verb: str, tmp_path: Path) -> None:
    with reading(verb, tmp_path, lines_of="stderr") as run:
        for piece in pieces(6):
            run.send(piece)
        run.wait_for(lambda: sum(bool(LINE.match(line)) for line in run.lines) >= 2, "two lines")
        run.finish()
    found = [LINE.match(line) for line in run.lines if " dropped" in line]
    assert found and all(found), run.lines
    assert sum(int(line[1]) for line in found) == 6


@frame_verbs
def test_files_have_their_lines_too(verb: str, tmp_path: Path) -> None:
    images = [sample_image(tmp_path / f"{i}.png", i) for i in range(3)]
    done = run_frames(verb, *images, "--stats", "--json-file", tmp_path / "out.json", "--quiet")
    assert done.returncode == 0, done.stderr.decode()
    assert b"dropped" not in done.stderr
    lines = [json.loads(line) for line in (tmp_path / "out.json").read_text().splitlines()]
    assert sum(line["frames"] for line in lines if line["schema"] == "stats/1") == 3
    assert np.all([line["dropped"] == 0 for line in lines if line["schema"] == "stats/1"])
