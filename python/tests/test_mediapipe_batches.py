"""Several images a run: the exporters' --batch, and `slipway`'s on what they wrote."""

import io
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from python.exporters import mediapipe_face, mediapipe_hand, mediapipe_pose
from python.exporters.common.batch import set_batch
from python.exporters.common.unsupported import UnsupportedModelError
from python.tests.commands import run_json

KINDS = {"face": (mediapipe_face, ("face_detection_short_range.tflite", "face_landmark.tflite"), "faces"),
         "hand": (mediapipe_hand, ("palm_detection_lite.tflite", "hand_landmark_lite.tflite"), "hands"),
         "pose": (mediapipe_pose, ("pose_detection.tflite", "pose_landmark_full.tflite"), "poses")}


@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_finds_the_same_bits_as_one_by_one(asset, tmp_path, kind):
    exporter, names, plural = KINDS[kind]
    images = tmp_path / "pictures"
    images.mkdir()
    astronaut = Image.open(asset("astronaut.png")).convert("RGB")
    for number, box in enumerate(((0, 0, 512, 512), (100, 0, 400, 300), (0, 40, 512, 400), (60, 0, 360, 260), (40, 0, 512, 512))):
        astronaut.crop(box).save(images / f"{number}.png")
    (images / "2b.png").write_text("no picture")
    # Low thresholds, so that every network has many regions to see.
    arguments = (images, "--score-min", 0.05, "--presence-min", 0, "--threads", 1)
    found = {}
    for batch in ("1", "2", "dynamic"):
        folder = tmp_path / batch
        assert exporter.main(["--checkpoint", *(str(asset(name)) for name in names), "--output", str(folder), "--batch", batch]) == 0
        status, lines, _ = run_json(f"mediapipe-{kind}", folder, *arguments, "--batch", 2 if batch == "dynamic" else batch)
        assert status == 1, "one picture is none"
        found[batch] = [(line["image"], line.get(plural), line.get("runs"), line.get("error")) for line in lines[:-1]]  # the last says that one failed
    assert sum(runs["landmark"] for _, _, runs, _ in found["1"] if runs) >= 4
    assert found["2"] == found["1"]
    assert found["dynamic"] == found["1"]
    status, _, errors = run_json(f"mediapipe-{kind}", tmp_path / "1", *arguments, "--batch", 2)
    assert status == 1
    assert "'image': expected a batch of 2 or a free one" in errors
    assert "--batch dynamic" in errors


def test_frames_of_a_video_are_batched_only_by_themselves(asset, tmp_path):
    exporter, names, _ = KINDS["face"]
    assert exporter.main(["--checkpoint", *(str(asset(name)) for name in names), "--output", str(tmp_path / "model"), "--batch", "dynamic"]) == 0
    frame = io.BytesIO()
    Image.open(asset("astronaut.png")).convert("RGB").resize((128, 128)).save(frame, "JPEG")
    words = ["mediapipe-face", tmp_path / "model", "-", "--batch", 3]
    status, _, errors = run_json(*words, input=frame.getvalue() * 7)
    assert status == 1 and "--still" in errors
    status, lines, errors = run_json(*words, "--still", input=frame.getvalue() * 7)
    assert status == 0, errors
    assert [line["frame"] for line in lines] == list(range(7))


def save(path: Path, nodes: list, output_shape: list[int], constants: tuple = ()) -> Path:
    tensor = helper.make_tensor_value_info
    graph = helper.make_graph(nodes, "graph", [tensor("image", TensorProto.FLOAT, [1, 3, 4, 4])],
                              [tensor("y", TensorProto.FLOAT, output_shape)], list(constants))
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


def test_constant_shapes_are_freed_and_the_rest_is_kept(tmp_path):
    shapes = [numpy_helper.from_array(np.array(shape, dtype=np.int64), name) for name, shape in (("rows", [1, -1, 4]), ("flat", [1, 48]))]
    path = save(tmp_path / "a.onnx", [helper.make_node("Reshape", ["image", "rows"], ["r"]), helper.make_node("Reshape", ["r", "flat"], ["y"])],
                [1, 48], shapes)
    assert set_batch(path, "dynamic") == 0
    model = onnx.load(path)
    assert [value.type.tensor_type.shape.dim[0].dim_param for value in (*model.graph.input, *model.graph.output)] == ["batch", "batch"]


def test_a_network_that_mixes_its_images_is_refused(tmp_path):
    mixing = save(tmp_path / "a.onnx", [helper.make_node("ReduceMean", ["image"], ["m"], axes=[0], keepdims=1),
                                        helper.make_node("Sub", ["image", "m"], ["y"])], [1, 3, 4, 4])
    with pytest.raises(UnsupportedModelError, match="results differ"):
        set_batch(mixing, 2)
    without = save(tmp_path / "b.onnx", [helper.make_node("Squeeze", ["image"], ["y"])], [3, 4, 4])
    with pytest.raises(UnsupportedModelError, match="'y' has no batch of 1"):
        set_batch(without, 2)
