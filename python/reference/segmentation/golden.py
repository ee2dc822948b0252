"""Writes the small goldens of segmentation: `python -m python.reference.segmentation.golden [FOLDER]`.

The argmax is of ONNX Runtime's Resize, not of the NumPy reading, which is checked against it here.
"""

from __future__ import annotations

import json
import pathlib
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper

from python.reference.face_det_lite.golden import resized, sample_image
from python.reference.face_det_lite.preprocess import dequantize, place, quantize
from python.reference.segmentation import reading
from python.reference.tiny_models import behind_misbehaving

# Name, classes, grid (h, w), input (w, h), image (w, h), layout, scale and zero point of uint8.
CASES = [
    ("eight_times", 19, (16, 32), (256, 128), (256, 128), "nchw", None),
    ("letterboxed", 7, (12, 24), (192, 96), (100, 100), "nchw", None),
    ("channels_last", 5, (9, 13), (52, 36), (200, 90), "nhwc", None),
    ("uneven", 4, (10, 17), (120, 66), (66, 120), "nchw", None),
    ("full_size", 6, (40, 64), (64, 40), (90, 40), "nchw", None),
    ("one_cell", 3, (1, 1), (8, 8), (8, 8), "nchw", None),
    ("quantised", 8, (12, 20), (160, 96), (160, 96), "nchw", (0.05, 120)),
]


def logits_of(seed: int, classes: int, height: int, width: int) -> np.ndarray:
    """Smooth hills, one a class, and some noise; steps of 1/64, exact in half precision."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width] / max(height, width)
    hills = [3 * np.sin(rng.uniform(2, 9) * x + rng.uniform(0, 6)) * np.cos(rng.uniform(2, 9) * y + rng.uniform(0, 6)) for _ in range(classes)]
    return (np.rint((np.stack(hills) + rng.normal(0, 0.5, (classes, height, width))) * 64) / 64).astype(np.float32)[None]


def write_argmax(folder: pathlib.Path) -> None:
    arrays: dict[str, np.ndarray] = {}
    cases = []
    for seed, (name, classes, (rows, columns), (width, height), (shown_width, shown_height), layout, stored) in enumerate(CASES):
        logits = logits_of(seed, classes, rows, columns)
        given = logits
        if stored:
            given = quantize(logits, *stored, np.uint8)
            logits = dequantize(given, *stored)
        if layout == "nhwc":
            given = np.ascontiguousarray(given.transpose(0, 2, 3, 1))
        placement = place(shown_width, shown_height, width, height, "letterbox")
        values = resized(np.ascontiguousarray(logits[0].transpose(1, 2, 0)), width, height)
        inner = (slice(placement.pad_top, placement.pad_top + placement.inner_height),
                 slice(placement.pad_left, placement.pad_left + placement.inner_width))
        expected = values.argmax(axis=2).astype(np.uint8)[inner]
        ordered = np.sort(values[inner], axis=2)
        is_clear = ordered[:, :, -1] - ordered[:, :, -2] > 1e-4  # elsewhere rounding decides
        mine = reading.label_map(logits, placement, width, height)
        assert (mine == expected)[is_clear].all() and is_clear.mean() > 0.9, name
        arrays[f"{name}.logits"], arrays[f"{name}.labels"], arrays[f"{name}.is_clear"] = given, expected, is_clear.astype(np.uint8)
        cases.append({"name": name, "input": [width, height], "picture": [shown_width, shown_height],
                      "quantization": list(stored) if stored else None})
    np.savez_compressed(folder / "argmax.npz", **arrays)
    (folder / "argmax.json").write_text(json.dumps({"cases": cases}, indent=1) + "\n")


def tiny_network(batch: int | str = 1) -> onnx.ModelProto:
    """Cityscapes' classes from colours, on a grid of 1/8: dark is road, green vegetation, blue sky, grey building."""
    weight = np.zeros((19, 3, 1, 1), np.float32)
    bias = np.full(19, -50, np.float32)
    for label, colour, offset in ((0, (-4, -4, -4), 4), (8, (-4, 8, -4), 0), (10, (-4, -4, 8), 0), (2, (1, 1, 1), 0)):
        weight[label, :, 0, 0], bias[label] = colour, offset
    nodes = [helper.make_node("AveragePool", ["image"], ["means"], kernel_shape=[8, 8], strides=[8, 8]),
             helper.make_node("Conv", ["means", "weight", "bias"], ["mask"])]
    graph = helper.make_graph(nodes, "tiny_segmentation", [helper.make_tensor_value_info("image", TensorProto.FLOAT, [batch, 3, 64, 128])],
                              [helper.make_tensor_value_info("mask", TensorProto.FLOAT, [batch, 19, 8, 16])],
                              [onnx.numpy_helper.from_array(weight, "weight"), onnx.numpy_helper.from_array(bias, "bias")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    return model


def write_pipeline(folder: pathlib.Path) -> None:
    model = tiny_network()
    onnx.save(model, folder / "tiny.onnx")
    onnx.save(behind_misbehaving(model), folder / "tiny_misbehave.onnx")
    onnx.save(tiny_network("batch"), folder / "tiny_batch.onnx")
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    blocks = sample_image(8, 6, 9)
    pixels = np.repeat(np.repeat(blocks, 17, axis=0), 17, axis=1)
    arrays = {"picture": pixels}
    for name, mean, deviation in (("plain", (0, 0, 0), (1, 1, 1)), ("normalised", reading.IMAGENET_MEAN, reading.IMAGENET_DEVIATION)):
        tensor, placement = reading.image_to_tensor(pixels, 128, 64, mean, deviation)
        [logits] = session.run(None, {"image": tensor})
        arrays[name] = reading.label_map(logits, placement, 128, 64)
        assert len(np.unique(arrays[name])) >= 3, name
    np.savez_compressed(folder / "pipeline.npz", **arrays)


def main() -> None:
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "tests/golden/segmentation")
    folder.mkdir(parents=True, exist_ok=True)
    write_argmax(folder)
    write_pipeline(folder)
    print(f"{folder}: {sum(path.stat().st_size for path in folder.iterdir())} bytes, NumPy {np.__version__}, "
          f"ONNX Runtime {onnxruntime.__version__}")


if __name__ == "__main__":
    main()
