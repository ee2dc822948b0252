"""Numbers beyond what the machine has are refused with what it has."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
SLIPWAY = Path(os.environ.get("SLIPWAY_BUILD", REPOSITORY / "build/release")) / "slipway"
GOLDEN = REPOSITORY / "tests/golden"
VERBS = {
    "face-det-lite": ["--model", GOLDEN / "face_det_lite/tiny.onnx", "x.png"],
    "mediapipe-face": ["--detector-only", "--model", GOLDEN / "mediapipe_face/short_range.onnx", "x.png"],
    "mediapipe-hand": ["--detector-only", "--model", GOLDEN / "mediapipe_hand/palm.onnx", "x.png"],
    "mediapipe-pose": ["--detector-only", "--model", GOLDEN / "mediapipe_pose/person.onnx", "x.png"],
    "drone": ["--detector", GOLDEN / "yolov8/tiny.onnx", "x.png"],
    "samurai": ["--model", GOLDEN / "samurai/tiny", "--box", "1,1,9,9", "x.png"],
    "demucs": ["--model", GOLDEN / "demucs/tiny", "--output", "stems", "x.wav"],
    "infer": [GOLDEN / "models/add.onnx", "--random", 1, "--outputs", "out.npz"],
    "bench": [GOLDEN / "models/add.onnx"],
    "profile": [GOLDEN / "models/add.onnx"],
}

pytestmark = pytest.mark.skipif(not SLIPWAY.is_file(), reason=f"{SLIPWAY} is not built")


@pytest.mark.parametrize("count", [100_000, 2_000_000_000])
@pytest.mark.parametrize("verb", VERBS)
def test_threads_beyond_the_machine_are_refused_with_what_it_has(verb: str, count: int, tmp_path: Path) -> None:
    command = [SLIPWAY, verb, *VERBS[verb], "--threads", count]
    done = subprocess.run(list(map(str, command)), check=False, capture_output=True, timeout=60, cwd=tmp_path)
    assert done.returncode != 0
    most = max(64, 4 * os.cpu_count())
    assert f"--threads {count}: this machine runs {os.cpu_count()} threads at once; at most {most} are taken" in done.stderr.decode()
