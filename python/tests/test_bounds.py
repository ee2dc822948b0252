"""Numbers beyond what the machine has are refused with what it has."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from python.tests.commands import DEMUCS, FRAME_VERBS, GOLDEN, SAMURAI, needs_slipway, slipway

VERBS = {
    **{verb: [*words, "x.png"] for verb, words in FRAME_VERBS.items()},
    "samurai": ["--model", SAMURAI, "--box", "1,1,9,9", "x.png"],
    "demucs": ["--model", DEMUCS, "--output", "stems", "x.wav"],
    "infer": [GOLDEN / "models/add.onnx", "--random", 1, "--outputs", "out.npz"],
    "bench": [GOLDEN / "models/add.onnx"],
    "profile": [GOLDEN / "models/add.onnx"],
}

pytestmark = needs_slipway


@pytest.mark.parametrize("count", [100_000, 2_000_000_000])
@pytest.mark.parametrize("verb", VERBS)
def test_threads_beyond_the_machine_are_refused_with_what_it_has(verb: str, count: int, tmp_path: Path) -> None:
    done = slipway(verb, *VERBS[verb], "--threads", count, cwd=tmp_path)
    assert done.returncode != 0
    most = max(64, 4 * os.cpu_count())
    assert f"--threads {count}: this machine runs {os.cpu_count()} threads at once; at most {most} are taken" in done.stderr.decode()
