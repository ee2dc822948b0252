"""The hand networks: exported, compared with LiteRT; `slipway mediapipe-hand` as a user calls it."""

import json

import numpy as np
import pytest
from PIL import Image

from python.exporters import mediapipe_hand as exporter
from python.reference.mediapipe_face.detector import Face
from python.reference.mediapipe_hand import landmark
from python.reference.mediapipe_hand.constants import LANDMARK, PALM
from python.tests.commands import GOLDEN, run_json, sample_image, slipway
from python.tools.comparison import assert_close

HAND = GOLDEN / "mediapipe_hand"


@pytest.mark.parametrize("name", ["palm_detection_full", "palm_detection_lite", "hand_landmark_full", "hand_landmark_lite"])
def test_each_network_agrees_with_litert(asset, tmp_path, capsys, name):
    status = exporter.main(["--checkpoint", str(asset(f"{name}.tflite")), "--output", str(tmp_path), "--check",
                            "--pictures", str(asset("astronaut.png"))])
    report = capsys.readouterr().out
    assert status == 0, report
    assert report.count("within 0.0001") == (2 if name.startswith("palm") else 4)


def test_another_network_is_refused_in_words(asset, tmp_path, capsys):
    assert exporter.main(["--checkpoint", str(asset("face_landmark.tflite")), "--output", str(tmp_path)]) == 1
    assert "not a hand network" in capsys.readouterr().err


def test_the_region_of_the_next_frame_is_mediapipes():
    expected = json.loads((HAND / "mediapipe.json").read_text())
    for palm, hand in zip(expected["palms"], expected["hands"], strict=True):
        for region, wanted in ((landmark.palm_region(Face(np.array(palm["box"]), np.array(palm["keypoints"]), 1.0), LANDMARK), palm["region"]),
                               (landmark.next_region(np.array(hand["landmarks"]), LANDMARK), hand["next_region"])):
            assert_close(region.centre, wanted["centre"], atol=0.01)
            assert region.side == pytest.approx(wanted["side"], abs=0.01)
            assert region.angle == pytest.approx(wanted["angle"], abs=1e-3)
    assert PALM.anchor_count == 2016


def test_the_command_finds_palms_hands_and_draws_them(tmp_path):
    image, drawn = tmp_path / "picture.png", tmp_path / "drawn.png"
    Image.new("RGB", (640, 480), (90, 90, 90)).save(image)
    expected = json.loads((HAND / "mediapipe.json").read_text())
    status, [line], errors = run_json("mediapipe-hand", HAND / "palm.onnx", image, "--landmark-model", HAND / "landmark.onnx", "-o", drawn)
    assert status == 0, errors
    assert line["schema"] == "mediapipe-hand/1"
    assert len(line["hands"]) == 2
    hand, wanted = line["hands"][0], expected["hands"][0]
    assert hand["handedness"] == wanted["handedness"].lower()
    assert_close(np.array(hand["landmarks"]), np.array(wanted["landmarks"]), atol=0.05)
    assert_close(np.array(hand["world_landmarks"]) * 1000, np.array(wanted["world_landmarks"]), atol=0.1)
    assert line["runs"] == {"detector": 1, "landmark": 2}
    assert (np.asarray(Image.open(drawn).convert("RGB")) != 90).any()


def test_the_command_refuses_another_network(tmp_path):
    done = slipway("mediapipe-hand", GOLDEN / "mediapipe_face/short_range.onnx", sample_image(tmp_path / "picture.png"))
    assert done.returncode == 1
    assert b"a palm detector sees 192 pixels" in done.stderr
