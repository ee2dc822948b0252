"""The pose networks: exported, compared with LiteRT; `slipway mediapipe-pose` as a user calls it."""

import json

import numpy as np
import onnx
import pytest

from python.exporters import mediapipe_pose as exporter
from python.reference.mediapipe_pose.constants import LANDMARK, PERSON
from python.tests.commands import GOLDEN, run_json, slipway
from python.reference.mediapipe_pose.landmark import refine
from python.tools.comparison import assert_close



@pytest.mark.parametrize(("name", "outputs"), [("pose_detection", 2), ("pose_landmark_full", 4)])
def test_each_network_agrees_with_litert(asset, tmp_path, capsys, name, outputs):
    status = exporter.main(["--checkpoint", str(asset(f"{name}.tflite")), "--output", str(tmp_path), "--check",
                            "--pictures", str(asset("astronaut.png"))])
    report = capsys.readouterr().out
    assert status == 0, report
    assert report.count("within 0.0001") == outputs
    (path,) = tmp_path.glob("*.onnx")
    assert "mask" not in [value.name for value in onnx.load(path).graph.output]
    assert PERSON.anchor_count == 2254


def test_the_pose_is_mediapipes(asset, tmp_path):
    """The real networks on the photograph; the figures are those of the mediapipe package."""
    assert exporter.main(["--checkpoint", str(asset("pose_detection.tflite")), str(asset("pose_landmark_full.tflite")), "--output", str(tmp_path / "model")]) == 0
    status, [line], errors = run_json("mediapipe-pose", tmp_path / "model", asset("astronaut.png"), "-o", tmp_path / "drawn.png")
    assert status == 0, errors
    expected = json.loads((GOLDEN / "mediapipe_pose/mediapipe.json").read_text())
    (pose,) = line["poses"]
    assert_close(pose["box"], expected["person"]["box"], atol=0.1)
    assert_close(pose["keypoints"], expected["person"]["keypoints"], atol=0.1)
    distances = np.linalg.norm(np.array(pose["landmarks"])[:, :2] - np.array(expected["landmarks"])[:, :2], axis=1)
    assert distances.mean() < 0.3
    assert_close(pose["visibility"], expected["visibility"], atol=5e-3)
    assert_close(np.array(pose["world_landmarks"]) * 1000, expected["world_landmarks"], atol=2)
    assert (tmp_path / "drawn.png").exists()


def test_refining_moves_to_the_middle_of_the_heat():
    heatmap = np.full((64, 64, 1), -20.0)
    heatmap[30, [20, 22], 0] = 20
    assert_close(refine(np.array([[19.7, 31.2]]), heatmap, LANDMARK), [[21, 30]], atol=1e-4)
    assert_close(refine(np.array([[50.0, 50.0]]), heatmap, LANDMARK), [[50, 50]])
    assert_close(refine(np.array([[-1.0, 31.0]]), heatmap, LANDMARK), [[-1, 31]])


def test_the_command_refuses_another_network():
    done = slipway("mediapipe-pose", GOLDEN / "mediapipe_face/short_range.onnx", GOLDEN / "media/rgb.png")
    assert done.returncode == 1
    assert b"a person detector sees 224 pixels" in done.stderr
