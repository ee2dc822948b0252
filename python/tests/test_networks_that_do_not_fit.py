"""A network is believed when it has a pipeline's signature and says what the pipeline takes it to say; each verb tells what it found."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from python.tests.commands import GOLDEN, SEPARATOR, SLIPWAY, needs_slipway, sample_image, song

pytestmark = needs_slipway

NETWORKS = {
    "face-det-lite": GOLDEN / "face_det_lite/tiny.onnx",
    "mediapipe-face": GOLDEN / "mediapipe_face/short_range.onnx",
    "mediapipe-hand": GOLDEN / "mediapipe_hand/palm.onnx",
    "mediapipe-pose": GOLDEN / "mediapipe_pose/person.onnx",
    "drone": GOLDEN / "yolov8/tiny.onnx",
    "segmenter": GOLDEN / "segmentation/tiny.onnx",
    "demucs": SEPARATOR / "even.onnx",
    "a sum": GOLDEN / "models/add.onnx",
    "a convolution": GOLDEN / "models/conv.onnx",
    "integers": GOLDEN / "models/identity_int64.onnx",
    "any size": GOLDEN / "models/dynamic_relu.onnx",
}


def run(verb: str, network: Path, folder: Path) -> subprocess.CompletedProcess:
    sample_image(folder / "x.png", 1)
    song(folder / "song.wav", 0.1)
    words = {
        "segmenter": ["drone", "x.png", "-m", NETWORKS["drone"], "--segmenter", network],
        "demucs": ["demucs", "song.wav", "-m", network, "-o", "stems"],
        "samurai": ["samurai", "x.png", "--box", "1,1,9,9", "-m", network],
    }.get(verb, [verb, *(["--detector-only"] if "mediapipe" in verb else []), "x.png", "-m", network, "--score-min", "0.2"])
    return subprocess.run([str(SLIPWAY), *map(str, words)], cwd=folder, check=False, capture_output=True, timeout=120)


PIPELINES = ["face-det-lite", "mediapipe-face", "mediapipe-hand", "mediapipe-pose", "drone", "segmenter", "demucs"]


# Any map of classes is one for the segmenter, and a convolution gives a map.
OTHERS = [(verb, network) for verb in PIPELINES for network in NETWORKS if verb != network and (verb, network) != ("segmenter", "a convolution")]


@pytest.mark.parametrize(("verb", "network"), OTHERS)
def test_a_network_of_another_pipeline_is_refused_with_what_was_found_and_expected(verb: str, network: str, tmp_path: Path) -> None:
    shutil.copy(NETWORKS[network], tmp_path / "other.onnx")
    done = run(verb, tmp_path / "other.onnx", tmp_path)
    said = done.stderr.decode()
    assert done.returncode == 1, said
    assert ("expected" in said or "sees" in said) and ("found" in said or "is float" in said or "are '" in said), said
    assert not list(tmp_path.glob("stems/*"))


@pytest.mark.parametrize("network", NETWORKS)
def test_a_file_is_no_model_folder_of_samurai(network: str, tmp_path: Path) -> None:
    done = run("samurai", NETWORKS[network], tmp_path)
    assert done.returncode == 1 and b"folder" in done.stderr, done.stderr.decode()


def changed(source: Path, target: Path, factor: float) -> Path:
    """The same network with all that it says times a factor."""
    model = onnx.load(source)
    for i, output in enumerate(model.graph.output):
        inner = f"{output.name}_inner"
        for node in model.graph.node:
            node.output[:] = [inner if name == output.name else name for name in node.output]
            node.input[:] = [inner if name == output.name else name for name in node.input]
        model.graph.initializer.append(numpy_helper.from_array(np.array(factor, np.float32), f"factor_{i}"))
        model.graph.node.append(helper.make_node("Mul", [inner, f"factor_{i}"], [output.name]))
    onnx.save(model, target)
    return target


@pytest.mark.parametrize("factor", [float("nan"), 1e4], ids=["not a number", "ten thousand times"])
@pytest.mark.parametrize("verb", ["face-det-lite", "mediapipe-face", "mediapipe-hand", "mediapipe-pose", "drone"])
def test_numbers_that_are_no_answer_are_found_out_in_the_first_image(verb: str, factor: float, tmp_path: Path) -> None:
    done = run(verb, changed(NETWORKS[verb], tmp_path / "other.onnx", factor), tmp_path)
    said = done.stderr.decode()
    assert done.returncode == 1, done.stdout.decode()
    assert "expected" in said and "it is another one" in said, said
    assert run(verb, changed(NETWORKS[verb], tmp_path / "same.onnx", 1.0), tmp_path).returncode == 0
