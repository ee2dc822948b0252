"""Networks that have a pipeline's shapes, or nearly: they are believed when their signature, metadata and values make sense."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from python.tests.commands import SAMURAI, needs_slipway, run_json, slipway

SIDE = 64
ANCHORS = sum((SIDE // stride) ** 2 for stride in (8, 16, 32))
BEST = 40  # the anchor that has an object

pytestmark = needs_slipway


def detector(path: Path, scores: list[float], metadata: dict[str, object], box: tuple[float, ...] = (32, 32, 20, 30)) -> Path:
    """Says one thing of every image: [1, 4 + classes, N] with one object."""
    values = np.zeros((1, 4 + len(scores), ANCHORS), np.float32)
    values[0, :4, :] = np.array([5, 5, 4, 4], np.float32)[:, None]
    values[0, :, BEST] = [*box, *scores]
    nodes = [
        helper.make_node("ReduceMean", ["images"], ["mean"], axes=[1, 2, 3], keepdims=1),
        helper.make_node("Mul", ["mean", "zero"], ["nothing"]),
        helper.make_node("Reshape", ["nothing", "flat"], ["flat_nothing"]),
        helper.make_node("Add", ["flat_nothing", "values"], ["output0"]),
    ]
    graph = helper.make_graph(
        nodes,
        "detector",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, (1, 3, SIDE, SIDE))],
        [helper.make_tensor_value_info("output0", TensorProto.FLOAT, values.shape)],
        [
            numpy_helper.from_array(values, "values"),
            numpy_helper.from_array(np.zeros(1, np.float32), "zero"),
            numpy_helper.from_array(np.ones(3, np.int64), "flat"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    for key, value in metadata.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, str(value)
    onnx.save(model, path)
    return path


def watch(model: Path, *options: object) -> tuple[int, list[dict], str]:
    image = model.with_name("picture.png")
    Image.fromarray(np.full((SIDE, SIDE, 3), 90, np.uint8)).save(image)
    status, lines, errors = run_json("drone", image, "--detector", model, *options)
    return status, [line for line in lines if line.get("schema") == "drone/1"], errors


@pytest.mark.parametrize(
    "scores,metadata,expected",
    [
        ([0.9], {"task": "detect", "names": {0: "helmet"}}, "helmet"),
        ([0.1, 0.9], {"task": "detect", "names": {0: "helmet", 1: "vest"}}, "vest"),
        ([0.1, 0.9], {"names": '{"0": "helmet", "1": "vest"}'}, "vest"),
        ([0.1, 0.9], {"names": '["helmet", "vest"]'}, "vest"),
        ([0.9], {"names": {0: "bird's nest"}}, "bird's nest"),
        ([0.9], {"names": {0: "漢"}}, "漢"),
        ([0.1, 0.9], {}, "class 1"),
        ([0.1, 0.9], {"names": "something else"}, "class 1"),
        ([0.0] * 2 + [0.9] + [0.0] * 77, {}, "car"),
    ],
)
def test_classes_have_the_names_of_the_file(scores: list[float], metadata: dict, expected: str, tmp_path: Path) -> None:
    status, [line], errors = watch(detector(tmp_path / "m.onnx", scores, metadata))
    assert status == 0, errors
    assert [found["class"] for found in line["objects"]] == [expected]


@pytest.mark.parametrize("classes,count", [("vest", 1), ("1", 1), ("helmet", 0), ("0,1", 1)])
def test_classes_are_chosen_by_the_names_of_the_file(classes: str, count: int, tmp_path: Path) -> None:
    model = detector(tmp_path / "two.onnx", [0.1, 0.9], {"names": {0: "helmet", 1: "vest"}})
    status, [line], errors = watch(model, "--classes", *classes.split(","))
    assert status == 0, errors
    assert len(line["objects"]) == count


@pytest.mark.parametrize("classes", ["car", "2", "-1", "Vest", "99999999999"])
def test_classes_that_the_network_lacks_are_refused(classes: str, tmp_path: Path) -> None:
    model = detector(tmp_path / "two.onnx", [0.1, 0.9], {"names": {0: "helmet", 1: "vest"}})
    status, _, errors = watch(model, f"--classes={classes}")
    assert status == 2 and "helmet, vest" in errors, errors


@pytest.mark.parametrize("task", ["pose", "obb", "classify"])
def test_a_network_for_another_task_is_refused_by_its_task(task: str, tmp_path: Path) -> None:
    status, _, errors = watch(detector(tmp_path / "m.onnx", [0.9] + [0.5] * 51, {"task": task, "names": {0: "person"}}))
    assert status == 1 and f"'{task}'" in errors and "'detect'" in errors, errors


@pytest.mark.parametrize("names", [{0: "a"}, {i: str(i) for i in range(3)}])
def test_another_number_of_names_is_refused(names: dict, tmp_path: Path) -> None:
    status, _, errors = watch(detector(tmp_path / "m.onnx", [0.1, 0.9], {"names": names}))
    assert status == 1 and f"{len(names)} classes are named" in errors and "tells 2 apart" in errors, errors


@pytest.mark.parametrize("scores", [[0.9, 500.0], [0.9, 1.5], [0.9, -3.0], [7.0]])
def test_scores_that_are_none_are_found_out(scores: list[float], tmp_path: Path) -> None:
    status, _, errors = watch(detector(tmp_path / "pose.onnx", scores, {}))
    assert status == 1 and "expected 0 to 1" in errors and "YOLOv8 detectors" in errors, errors


@pytest.mark.parametrize("box", [(32, 32, 2000, 30), (-700, 32, 20, 20), (32, 900, 20, 20)])
def test_boxes_that_are_nowhere_are_found_out(box: tuple[float, ...], tmp_path: Path) -> None:
    status, _, errors = watch(detector(tmp_path / "m.onnx", [0.9], {}, box))
    assert status == 1 and "a box from" in errors, errors


def test_rounding_beyond_the_range_is_none_of_it(tmp_path: Path) -> None:
    status, [line], errors = watch(detector(tmp_path / "m.onnx", [1.004], {}))
    assert status == 0 and len(line["objects"]) == 1, errors


def test_prompts_are_detected_by_the_names_of_the_file(tmp_path: Path) -> None:
    model = detector(tmp_path / "two.onnx", [0.1, 0.9], {"names": {0: "helmet", 1: "vest"}})
    image = tmp_path / "picture.png"
    Image.fromarray(np.full((80, 96, 3), 90, np.uint8)).save(image)
    words = ["samurai", image, "--model", SAMURAI, "--detector", model]
    done = slipway(*words, "--detect", "vest")
    assert done.returncode == 0, done.stderr.decode()
    done = slipway(*words, "--detect", "car")
    assert done.returncode != 0 and b"helmet, vest" in done.stderr
