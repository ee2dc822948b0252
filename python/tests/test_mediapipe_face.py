"""The face networks as a whole: exported, compared with LiteRT, and run on the photograph."""

import numpy as np
import onnx
import onnxruntime
import pytest
from PIL import Image

from python.exporters import mediapipe_face as exporter
from python.exporters.common import mediapipe_tflite
from python.reference.mediapipe_face import detector, landmark
from python.reference.mediapipe_face.constants import FULL_RANGE, LANDMARK, SHORT_RANGE
from python.tools.comparison import assert_close

SHORT, FULL, MESH = "face_detection_short_range.tflite", "face_detection_full_range_sparse.tflite", "face_landmark.tflite"


@pytest.mark.parametrize("layout", ["nhwc", "nchw"])
@pytest.mark.parametrize("name", [SHORT, FULL, MESH])
def test_each_network_agrees_with_litert(asset, tmp_path, capsys, name, layout):
    status = exporter.main(["--checkpoint", str(asset(name)), "--output", str(tmp_path), "--layout", layout, "--check",
                            "--pictures", str(asset("astronaut.png"))])
    report = capsys.readouterr().out
    assert status == 0, report
    assert report.count("within 0.0001") == 2
    (path,) = tmp_path.glob("*.onnx")
    operators = [node.op_type for node in onnx.load(path).graph.node]
    # One at an NHWC input, one for each head that becomes rows; none between layers.
    assert operators.count("Transpose") <= 5
    assert "Identity" not in operators


def test_a_changed_weight_is_noticed(asset, tmp_path, capsys, monkeypatch):
    real = mediapipe_tflite.convert

    def damaged(*arguments):
        model = real(*arguments)
        weight = next(w for w in model.graph.initializer if w.name.endswith("_bias"))
        values = onnx.numpy_helper.to_array(weight) + np.float32(0.5)
        weight.CopyFrom(onnx.numpy_helper.from_array(values, weight.name))
        return model

    monkeypatch.setattr(mediapipe_tflite, "convert", damaged)
    status = exporter.main(["--checkpoint", str(asset(SHORT)), "--output", str(tmp_path), "--check", "--pictures",
                            str(asset("astronaut.png"))])
    assert status == 1
    assert "BEYOND" in capsys.readouterr().out


def test_two_checkpoints_make_one_folder(asset, tmp_path):
    assert exporter.main(["--checkpoint", str(asset(SHORT)), str(asset(MESH)), "--output", str(tmp_path)]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["detector.onnx", "landmark.onnx", "model.yaml"]
    text = (tmp_path / "model.yaml").read_text()
    assert text.startswith("schema: 1\nname: mediapipe_face\n")
    assert "- {name: landmarks, shape: [1, 1, 1, 1404], dtype: float32}" in text


def test_another_file_is_refused_in_words(tmp_path, capsys):
    path = tmp_path / "other.tflite"
    path.write_bytes(b"\0\0\0\0ABCD" + bytes(100))
    assert exporter.main(["--checkpoint", str(path), "--output", str(tmp_path / "out")]) == 1
    assert "expected a TFLite file" in capsys.readouterr().err


@pytest.mark.parametrize(("constants", "count"), [(SHORT_RANGE, 896), (FULL_RANGE, 2304)])
def test_there_is_one_anchor_for_each_row(constants, count):
    anchors = detector.make_anchors(constants)
    assert anchors.shape == (count, 2)
    assert constants.anchor_count == count
    assert 0 < anchors.min() < anchors.max() < 1


def test_weighted_suppression_averages_what_overlaps():
    boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 12], [50, 50, 60, 60]], float)
    faces = detector.suppress_weighted(boxes, np.zeros((3, 6, 2)), np.array([0.9, 0.3, 0.6]), 0.3)
    assert [face.score for face in faces] == [0.9, 0.6]
    assert_close(faces[0].box, [0, 0, 10, 10.5])
    assert_close(faces[1].box, [50, 50, 60, 60])


@pytest.mark.parametrize(("name", "constants"), [(SHORT, SHORT_RANGE), (FULL, FULL_RANGE)])
def test_the_astronaut_has_one_face_and_both_networks_see_the_same_eyes(asset, tmp_path, name, constants):
    image = np.asarray(Image.open(asset("astronaut.png")).convert("RGB"))
    sessions = [onnxruntime.InferenceSession(str(exporter.export(asset(file), tmp_path)[1])) for file in (name, MESH)]
    tensor, box = detector.preprocess(image, constants)
    (face,) = detector.postprocess(*sessions[0].run(None, {"image": tensor}), box, constants)
    assert face.score > 0.85
    left, top, right, bottom = face.box
    assert 165 < left < 185 and 60 < top < 90 and 265 < right < 285 and 165 < bottom < 180

    region = landmark.face_region(face, LANDMARK)
    mesh = landmark.postprocess(*sessions[1].run(None, {"image": landmark.preprocess(image, region, LANDMARK)}), region,
                                LANDMARK)
    assert mesh.score > 0.99
    # Points 33 and 133 are the corners of the right eye, 263 and 362 those of the left.
    eyes = np.array([mesh.points[[33, 133], :2].mean(axis=0), mesh.points[[263, 362], :2].mean(axis=0)])
    assert np.abs(eyes - face.keypoints[:2]).max() < 0.06 * (right - left)


def test_the_region_turns_the_eyes_level():
    keypoints = np.zeros((6, 2))
    keypoints[:2] = [[100, 100], [140, 140]]  # falls to the right by 45 degrees
    region = landmark.face_region(detector.Face(np.array([90, 80, 150, 160.0]), keypoints, 1.0), LANDMARK)
    assert region.side == pytest.approx(120)
    assert np.degrees(region.angle) == pytest.approx(45)
    back = region.affine(192)
    crop = np.linalg.solve(back.matrix, (keypoints[:2] - back.offset).T).T
    assert crop[0, 1] == pytest.approx(crop[1, 1])
    assert crop[0, 0] < crop[1, 0]


def test_a_letterboxed_point_comes_back():
    image = np.zeros((100, 300, 3), np.uint8)
    tensor, box = detector.preprocess(image, SHORT_RANGE)
    assert tensor.shape == (1, 128, 128, 3)
    assert (tensor == -1).all()
    assert_close(box.to_image(np.array([[64, 64], [0, 0]])), [[150, 50], [0, -100]])
