"""`slipway mediapipe-face` with the wheel's networks against what the `mediapipe` package itself found on the same image."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from python.exporters import mediapipe_face as exporter
from python.reference.face_det_lite.postprocess import box_iou
from python.tests.commands import GOLDEN, run_json
from python.tools.comparison import assert_close

DETECTORS = {"short_range": "face_detection_short_range.tflite", "full_range": "face_detection_full_range_sparse.tflite"}


@pytest.fixture
def expected() -> dict:
    return json.loads((GOLDEN / "mediapipe_face/mediapipe.json").read_text())


@pytest.fixture
def folder(asset, tmp_path):
    def make(detector: str) -> Path:
        path = tmp_path / detector
        assert exporter.main(["--checkpoint", str(asset(DETECTORS[detector])), str(asset("face_landmark.tflite")), "--output", str(path)]) == 0
        return path

    return make


@pytest.mark.parametrize("detector", DETECTORS)
def test_boxes_and_keypoints_are_mediapipes(asset, folder, expected, detector):
    status, [line], errors = run_json("mediapipe-face", folder(detector), asset("astronaut.png"), "--detector-only")
    assert status == 0, errors
    (face,), (wanted,) = line["faces"], expected["detectors"][detector]
    assert box_iou(np.array(face["box"]), np.array(wanted["box"])) > 0.999
    assert_close(face["keypoints"], wanted["keypoints"], atol=0.05)
    assert face["score"] == pytest.approx(wanted["score"], abs=1e-3)
    assert face["landmarks"] == []


def test_landmarks_are_mediapipes(asset, folder, expected, tmp_path):
    status, [line], errors = run_json("mediapipe-face", folder("short_range"), asset("astronaut.png"), "-o", tmp_path / "drawn.png")
    assert status == 0, errors
    (face,), (wanted,) = line["faces"], expected["mesh"]
    distances = np.linalg.norm(np.array(face["landmarks"])[:, :2] - np.array(wanted)[:, :2], axis=1)
    assert distances.mean() < 0.05
    assert_close(np.array(face["landmarks"])[:, 2], np.array(wanted)[:, 2], atol=0.1)
    assert set(line["placement"]) == {"detector", "landmark"}
    assert line["runs"] == {"detector": 1, "landmark": 1}
    drawn = np.asarray(Image.open(tmp_path / "drawn.png"))
    assert (drawn != np.asarray(Image.open(asset("astronaut.png")).convert("RGB"))).any()


@pytest.mark.parametrize("layout", ["nhwc", "nchw"])
def test_an_image_without_faces_and_odd_images_pass(asset, tmp_path, layout):
    assert exporter.main(["--checkpoint", str(asset(DETECTORS["short_range"])), str(asset("face_landmark.tflite")), "--output",
                          str(tmp_path / "model"), "--layout", layout]) == 0
    images = []
    for name, size in (("pixel", (1, 1)), ("wide", (2000, 3)), ("grey", (640, 480))):
        images.append(tmp_path / f"{name}.png")
        Image.new("RGB", size, (90, 90, 90)).save(images[-1])
    astronaut = Image.open(asset("astronaut.png"))
    images.append(tmp_path / "cmyk.jpg")
    astronaut.convert("CMYK").save(images[-1], quality=95)
    status, lines, errors = run_json("mediapipe-face", tmp_path / "model", *images)
    assert status == 0, errors
    assert [len(line["faces"]) for line in lines] == [0, 0, 0, 1]


def test_a_face_cut_by_the_edge_keeps_its_landmarks(asset, folder, tmp_path):
    # The region reaches beyond the image; the rest goes on with its edge.
    Image.open(asset("astronaut.png")).crop((150, 60, 290, 512)).save(tmp_path / "cut.png")
    status, [line], errors = run_json("mediapipe-face", folder("short_range"), tmp_path / "cut.png")
    assert status == 0, errors
    assert line["faces"][0]["presence"] > 0.9


def test_the_packages_rules_give_whole_pixels_and_one_face(asset, folder):
    status, [line], errors = run_json("mediapipe-face", folder("short_range"), asset("astronaut.png"), "--rules", "qai_hub")
    assert status == 0, errors
    assert [side % 1 for side in line["faces"][0]["box"]] == [0, 0, 0, 0]
    assert line["faces"][0]["presence"] > 0.9


def test_the_percentiles_of_a_bench_are_told(asset, folder):
    status, [line], errors = run_json("mediapipe-face", folder("short_range"), asset("astronaut.png"), "--bench", 3)
    assert status == 0, errors
    assert line["bench"]["inference"]["count"] == 3


def test_a_model_that_does_not_fit_and_an_image_that_is_none_are_named(asset, folder, tmp_path):
    model = folder("short_range")
    status, lines, errors = run_json("mediapipe-face", model / "landmark.onnx", asset("astronaut.png"))
    assert status == 1 and "expected" in errors and "landmark.onnx" in errors
    (tmp_path / "not.png").write_bytes(b"nothing")
    status, lines, errors = run_json("mediapipe-face", model, tmp_path / "not.png", asset("astronaut.png"))
    assert status == 1
    assert "error" in lines[0] and len(lines[1]["faces"]) == 1
