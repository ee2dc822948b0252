"""Makes a w8a8 model of the YOLOv8 family with ONNX Runtime's quantiser.

    python -m python.tools.quantize_yolov8 --model yolov8n.onnx --output DIR --calibration PICTURE …

Writes DIR/qdq.onnx (float at its border) and two model folders with uint8 at the input and its scale in model.yaml:
DIR/w8a8, standard ONNX for NPU compilers and any ONNX Runtime, and DIR/w8a8_cpu, the same network half as long again as fast
on CPUs, which only Slipway's runtime takes (python/tools/cpu_model.py).
What follows the head's last convolutions stays float: boxes (0 … 640) and scores (0 … 1) that share a scale lose every
object. Pass the images that results are judged on as --test; the script refuses an overlap by content.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
from onnx import helper, version_converter

from python.exporters.common.model_folder import write_description
from python.reference.yolov8.preprocess import image_to_tensor
from python.tools.cpu_model import for_cpu
from python.tools.quantize import add_arguments, begin, integers_at_border, quantize

OPSET = 17  # below 13 per-channel scales have no axis


def tail_of(graph: onnx.GraphProto) -> list[str]:
    """Names of the nodes between the head's last convolutions and the outputs; the box decoding's own one is among them."""
    weights = {tensor.name: tensor.dims for tensor in graph.initializer}
    producers = {name: node for node in graph.node for name in node.output}
    tail: dict[str, None] = {}
    open_names = [value.name for value in graph.output]
    while open_names:
        node = producers.get(open_names.pop())
        if node is None or node.name in tail:
            continue
        # The decoding's convolution is a mean over bins: one output channel.
        if node.op_type == "Conv" and weights.get(node.input[1], [0])[0] != 1:
            continue
        if not node.name:
            raise ValueError(f"a {node.op_type} node has no name: name the nodes first")
        tail[node.name] = None
        open_names += node.input
    return list(tail)


def write_integer_model(qdq: Path, folder: Path, calibration: list[Path], is_for_cpu: bool) -> None:
    model = onnx.load(qdq)
    [[name, (scale, zero_point)]] = integers_at_border(model, outputs=False).items()
    onnx.checker.check_model(model)
    if is_for_cpu:
        model = for_cpu(model)
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(model, folder / "model.onnx")

    def describe(value: onnx.ValueInfoProto) -> dict:
        kind = value.type.tensor_type
        described = {"name": value.name, "shape": [dimension.dim_value or -1 for dimension in kind.shape.dim],
                     "dtype": helper.tensor_dtype_to_np_dtype(kind.elem_type).name}
        return described | ({"layout": "NCHW", "scale": scale, "zero_point": zero_point} if value.name == name else {})

    write_description(folder, {
        "schema": 1, "name": "yolov8", "description": "w8a8 model made with ONNX Runtime's static quantiser, detection tail in float"
        + (", for CPUs under Slipway's runtime" if is_for_cpu else ""),
        "licence": "AGPL-3.0", "precision": "w8a8", "calibration": {"pictures": [path.name for path in calibration]},
        "graphs": {"detector": {"file": "model.onnx", "inputs": [describe(value) for value in model.graph.input],
                                "outputs": [describe(value) for value in model.graph.output]}}})


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m python.tools.quantize_yolov8", description=__doc__.split("\n")[0])
    add_arguments(parser)
    options = parser.parse_args(arguments)
    if not begin(options):
        return 1
    model = onnx.load(options.model)
    if max(each.version for each in model.opset_import if each.domain in ("", "ai.onnx")) < OPSET:
        model = version_converter.convert_version(model, OPSET)
    height, width = [dimension.dim_value for dimension in model.graph.input[0].type.tensor_type.shape.dim[2:]]

    def to_tensor(view: np.ndarray) -> np.ndarray:
        return image_to_tensor(view, width, height)[0]

    with tempfile.TemporaryDirectory() as folder:
        onnx.save(model, Path(folder) / "model.onnx")
        qdq = quantize(Path(folder) / "model.onnx", options.output, options.calibration, to_tensor, tail_of)
    for name, is_for_cpu in (("w8a8", False), ("w8a8_cpu", True)):
        write_integer_model(qdq, options.output / name, options.calibration, is_for_cpu)
    print(f"{qdq}, w8a8 and w8a8_cpu beside it, {len(options.calibration)} calibration pictures; w8a8_cpu needs Slipway's runtime")
    return 0


if __name__ == "__main__":
    sys.exit(main())
