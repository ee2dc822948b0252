"""Writes the small goldens of YOLOv8: `python -m python.reference.yolov8.golden [FOLDER]`.

Outputs of every form are generated, seeded; a small network runs in ONNX Runtime between the reading's two halves.
"""

from __future__ import annotations

import json
import pathlib
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper

from python.reference.face_det_lite.golden import sample_image
from python.reference.face_det_lite.preprocess import dequantize, place, quantize
from python.reference.tiny_models import behind_misbehaving
from python.reference.yolov8 import postprocess, preprocess

WIDTH, HEIGHT = 96, 64  # of the input in the goldens: the rules do not know 640×640
ANCHORS = sum((WIDTH // stride) * (HEIGHT // stride) for stride in (8, 16, 32))
CLASSES, MASKS = 5, 3
SCALES = {"output0": (0.5, 10), "boxes": (0.4, 5), "scores": (1 / 255, 0), "coefficients": (0.02, 128), "prototypes": (0.02, 120)}


def outputs(seed: int, objects: int) -> tuple[np.ndarray, np.ndarray]:
    """Boxes [1, 4, N] (centre, size) and scores [1, classes, N]: several anchors an object, some classes equal."""
    rng = np.random.default_rng(seed)
    boxes = rng.uniform([[0], [0], [4], [4]], [[WIDTH], [HEIGHT], [60], [50]], (1, 4, ANCHORS)).astype(np.float32)
    scores = rng.uniform(0, 0.4, (1, CLASSES, ANCHORS)).astype(np.float32)
    for _ in range(objects):
        centre = rng.uniform([5, 5, 8, 8], [WIDTH - 5, HEIGHT - 5, 50, 40])
        kind = rng.integers(CLASSES)
        for anchor in rng.choice(ANCHORS, 4, replace=False):
            boxes[0, :, anchor] = centre + rng.normal(0, 1.5, 4)
            scores[0, kind, anchor] = rng.uniform(0.3, 0.99)
            if rng.uniform() < 0.3:
                scores[0, (kind + 1) % CLASSES, anchor] = scores[0, kind, anchor]  # equal: the lower class wins
    # Few bytes in the file, and exact in half precision.
    return np.rint(boxes * 8) / 8, np.rint(scores * 1024) / 1024


FORMS = ["joined", "joined_last", "split", "split_quantised", "chosen", "joined_masks", "split_masks_last"]
CASES = [(form, size, iou_max) for form, size, iou_max in zip(
    FORMS, [(96, 64), (200, 100), (75, 120), (96, 64), (333, 222), (150, 90), (96, 96)], [0.7, 0.5, 0.7, 0.7, 0.45, 0.7, 0.6])]


def write_postprocess(folder: pathlib.Path) -> None:
    arrays: dict[str, np.ndarray] = {}
    cases = []
    for seed, (form, (width, height), iou_max) in enumerate(CASES):
        boxes, scores = outputs(seed, 9)
        rng = np.random.default_rng(100 + seed)
        coefficients = (np.rint(rng.normal(0, 1, (ANCHORS, MASKS)) * 64) / 64).astype(np.float32)
        prototypes = (np.rint(rng.normal(0, 1, (1, MASKS, HEIGHT // 4, WIDTH // 4)) * 64) / 64).astype(np.float32)
        given: dict[str, np.ndarray]
        if form in ("joined", "joined_last"):
            joined = np.concatenate([boxes, scores], axis=1)
            given = {"output0": joined if form == "joined" else joined.transpose(0, 2, 1)}
            heads = postprocess.read_joined(joined)
        elif form == "split":
            given = {"boxes": boxes, "scores": scores}
            heads = postprocess.read_split(boxes, scores)
        elif form == "split_quantised":
            given = {"boxes": quantize(boxes, *SCALES["boxes"], np.uint8), "scores": quantize(scores, *SCALES["scores"], np.uint8)}
            heads = postprocess.read_split(*[dequantize(given[name], *SCALES[name]) for name in given])
        elif form == "chosen":
            heads = postprocess.read_split(boxes, scores)
            given = {"boxes": heads.corners[None].astype(np.float32), "scores": heads.scores[None],
                     "class_idx": heads.classes[None].astype(np.uint8)}
            heads = postprocess.read_chosen(*given.values())
        elif form == "joined_masks":
            joined = np.concatenate([boxes, scores, coefficients.T[None]], axis=1)
            given = {"output0": joined, "output1": prototypes}
            heads = postprocess.read_joined(joined, prototypes)
        else:
            given = {"boxes": boxes.transpose(0, 2, 1), "scores": scores.transpose(0, 2, 1), "mask_coefficients": coefficients[None],
                     "protos": prototypes.transpose(0, 2, 3, 1)}
            heads = postprocess.read_split(boxes, scores, coefficients, prototypes)
        placement = place(width, height, WIDTH, HEIGHT, "letterbox")
        found = postprocess.postprocess(heads, placement, width, height, iou_max=iou_max)
        assert len(found) > 5, form
        for name, value in given.items():
            arrays[f"{form}.{name}"] = np.ascontiguousarray(value)
        arrays[f"{form}.expected.boxes"] = np.array([each.box for each in found])
        arrays[f"{form}.expected.scores"] = np.array([each.score for each in found], np.float32)
        arrays[f"{form}.expected.classes"] = np.array([each.class_id for each in found], np.int64)
        if "masks" in form:
            arrays[f"{form}.expected.masks"] = np.array(
                [postprocess.mask(heads, each, placement, WIDTH, HEIGHT, width, height) for each in found]).astype(np.uint8)
        cases.append({"form": form, "picture": [width, height], "iou_max": iou_max, "outputs": list(given),
                      "quantization": {name: SCALES[name] for name in given} if "quantised" in form else {}})
    np.savez_compressed(folder / "postprocess.npz", **arrays)
    (folder / "postprocess.json").write_text(json.dumps({"input": [WIDTH, HEIGHT], "cases": cases}, indent=1) + "\n")


def tiny_network(quantised: bool, batch: int | str = 1) -> onnx.ModelProto:
    """A network with YOLOv8's signature and no training: means of three strides, 1×1 convolutions, boxes on a grid.

    Red, green and blue are its three classes. `quantised` has integers at its border, as compiled w8a8 files have.
    """
    rng = np.random.default_rng(5)
    nodes, constants = [], []

    def constant(name: str, value: np.ndarray) -> str:
        constants.append(onnx.numpy_helper.from_array(value, name))
        return name

    def at_border(op: str, source: str, target: str, scale: float, zero_point: int) -> None:
        nodes.append(helper.make_node(op, [source, constant(f"{target}.scale", np.array(scale, np.float32)),
                                           constant(f"{target}.zero_point", np.array(zero_point, np.uint8))], [target]))

    image = "image"
    if quantised:
        at_border("DequantizeLinear", "image", "real_image", 1 / 255, 0)
        image = "real_image"
    parts = {"boxes": [], "scores": []}
    for stride in (8, 16, 32):
        rows, columns = HEIGHT // stride, WIDTH // stride
        nodes.append(helper.make_node("AveragePool", [image], [f"mean{stride}"], kernel_shape=[stride] * 2, strides=[stride] * 2))
        y, x = np.mgrid[0:rows, 0:columns]
        grid = np.stack([(x + 0.5) * stride, (y + 0.5) * stride, 0 * x + 2.5 * stride, 0 * x + 2 * stride]).astype(np.float32)
        weights = {"boxes": rng.normal(0, stride, (4, 3, 1, 1)), "scores": 9 * np.eye(3).reshape(3, 3, 1, 1)}
        for key, channels in (("boxes", 4), ("scores", 3)):
            name = f"{key}{stride}"
            bias = np.zeros(4) if key == "boxes" else np.full(3, -5.0)
            nodes.append(helper.make_node("Conv", [f"mean{stride}", constant(f"{name}.weight", weights[key].astype(np.float32)),
                                                   constant(f"{name}.bias", bias.astype(np.float32))], [f"{name}.conv"]))
            if key == "boxes":
                nodes.append(helper.make_node("Add", [f"{name}.conv", constant(f"{name}.grid", grid[None])], [f"{name}.value"]))
            else:
                nodes.append(helper.make_node("Sigmoid", [f"{name}.conv"], [f"{name}.value"]))
            nodes.append(helper.make_node("Reshape", [f"{name}.value", constant(f"{name}.shape", np.array([batch if batch == 1 else 0, channels, -1]))], [name]))
            parts[key].append(name)
    for key, names in parts.items():
        nodes.append(helper.make_node("Concat", names, [f"real_{key}" if quantised else key], axis=2))
    kind = TensorProto.UINT8 if quantised else TensorProto.FLOAT
    results = [helper.make_tensor_value_info("boxes", kind, [batch, 4, ANCHORS]), helper.make_tensor_value_info("scores", kind, [batch, 3, ANCHORS])]
    if quantised:
        for key in parts:
            at_border("QuantizeLinear", f"real_{key}", key, *SCALES[key])
    else:
        nodes.append(helper.make_node("Concat", ["boxes", "scores"], ["output0"], axis=1))
        results = [helper.make_tensor_value_info("output0", kind, [batch, 7, ANCHORS])]
    graph = helper.make_graph(nodes, "tiny_yolov8", [helper.make_tensor_value_info("image", kind, [batch, 3, HEIGHT, WIDTH])], results, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    return model


def write_pipeline(folder: pathlib.Path) -> None:
    """Image to objects through the tiny networks, run by ONNX Runtime."""
    blocks = sample_image(9, 6, 3)
    pixels = np.repeat(np.repeat(blocks, 19, axis=0), 19, axis=1)[:101]
    arrays: dict[str, np.ndarray] = {"picture": pixels}
    for name, quantised in (("tiny", False), ("tiny_quantised", True)):
        model = tiny_network(quantised)
        onnx.save(model, folder / f"{name}.onnx")
        session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        for padding in (0, 114):
            tensor, placement = preprocess.image_to_tensor(pixels, WIDTH, HEIGHT, padding)
            if quantised:
                boxes, scores = session.run(["boxes", "scores"], {"image": quantize(tensor, 1 / 255, 0, np.uint8)})
                heads = postprocess.read_split(dequantize(boxes, *SCALES["boxes"]), dequantize(scores, *SCALES["scores"]))
            else:
                heads = postprocess.read_joined(session.run(["output0"], {"image": tensor})[0])
            found = postprocess.postprocess(heads, placement, pixels.shape[1], pixels.shape[0])
            assert len(found) > 4, f"{name}: {len(found)} objects test little"
            arrays[f"{name}.{padding}.boxes"] = np.array([each.box for each in found])
            arrays[f"{name}.{padding}.scores"] = np.array([each.score for each in found], np.float32)
            arrays[f"{name}.{padding}.classes"] = np.array([each.class_id for each in found], np.int64)
    np.savez_compressed(folder / "pipeline.npz", **arrays)
    onnx.save(behind_misbehaving(tiny_network(quantised=False)), folder / "tiny_misbehave.onnx")
    onnx.save(tiny_network(quantised=False, batch="batch"), folder / "tiny_batch.onnx")
    onnx.save(tiny_network(quantised=True, batch=3), folder / "tiny_quantised_3.onnx")


def main() -> None:
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "tests/golden/yolov8")
    folder.mkdir(parents=True, exist_ok=True)
    write_postprocess(folder)
    write_pipeline(folder)
    print(f"{folder}: {sum(path.stat().st_size for path in folder.iterdir())} bytes, NumPy {np.__version__}, "
          f"ONNX Runtime {onnxruntime.__version__}")


if __name__ == "__main__":
    main()
