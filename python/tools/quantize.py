"""What the w8a8 quantisers share: static quantisation with ONNX Runtime, integers at a model's border, and their arguments."""

from __future__ import annotations

import argparse
import hashlib
import logging
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process
from PIL import Image


class Images(CalibrationDataReader):
    """Each image whole, mirrored, and its upper middle: three views, each made when it is asked for."""

    def __init__(self, paths: list[Path], name: str, to_tensor: Callable[[np.ndarray], np.ndarray]) -> None:
        self._tensors = ({name: to_tensor(np.ascontiguousarray(view))} for path in paths for view in _views(path))

    def get_next(self) -> dict[str, np.ndarray] | None:
        return next(self._tensors, None)


def _views(path: Path) -> list[np.ndarray]:
    whole = np.asarray(Image.open(path).convert("RGB"))
    height, width = whole.shape[:2]
    return [whole, whole[:, ::-1], whole[: height * 2 // 3, width // 6 : width - width // 6]]


def quantize(model: Path, output: Path, calibration: list[Path], to_tensor: Callable[[np.ndarray], np.ndarray],
             kept_float: Callable[[onnx.GraphProto], list[str]] = lambda graph: []) -> Path:
    """QDQ with float inputs and outputs: uint8 activations, int8 weights per channel, ranges by minimum and maximum.

    kept_float: names of the nodes that are not quantised.
    """
    prepared = output / "prepared.onnx"
    quant_pre_process(str(model), str(prepared), skip_symbolic_shape=True)
    graph = onnx.load(prepared, load_external_data=False).graph
    path = output / "qdq.onnx"
    quantize_static(str(prepared), str(path), Images(calibration, graph.input[0].name, to_tensor), quant_format=QuantFormat.QDQ,
                    per_channel=True, activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
                    calibrate_method=CalibrationMethod.MinMax, nodes_to_exclude=kept_float(graph))
    prepared.unlink()
    return path


def integers_at_border(model: onnx.ModelProto, outputs: bool = True) -> dict[str, tuple[float, int]]:
    """Takes away the first quantisation of each input and the last dequantisation of each output; says their scales.

    outputs: False leaves the outputs as they are.
    """
    graph = model.graph
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    scales: dict[str, tuple[float, int]] = {}

    def scale_of(node: onnx.NodeProto) -> tuple[float, int]:
        return float(constants[node.input[1]]), int(constants[node.input[2]])

    for value in graph.input:
        [node] = [node for node in graph.node if value.name in node.input]
        if node.op_type != "QuantizeLinear":
            raise ValueError(f"input '{value.name}' goes into {node.op_type}, expected QuantizeLinear")
        scales[value.name] = scale_of(node)
        for user in graph.node:
            user.input[:] = [value.name if name == node.output[0] else name for name in user.input]
        graph.node.remove(node)
        value.type.tensor_type.elem_type = helper.np_dtype_to_tensor_dtype(constants[node.input[2]].dtype)
    for value in graph.output if outputs else []:
        [node] = [node for node in graph.node if value.name in node.output]
        if node.op_type != "DequantizeLinear":
            raise ValueError(f"output '{value.name}' comes from {node.op_type}, expected DequantizeLinear")
        scales[value.name] = scale_of(node)
        stored = node.input[0]
        graph.node.remove(node)
        for other in graph.node:
            other.output[:] = [value.name if name == stored else name for name in other.output]
            other.input[:] = [value.name if name == stored else name for name in other.input]
        value.type.tensor_type.elem_type = helper.np_dtype_to_tensor_dtype(constants[node.input[2]].dtype)
    return scales


def images_of_both(calibration: list[Path], tested: list[Path]) -> list[str]:
    """Names of the images for calibration that are, by content, among those that results are judged on."""
    digests = {hashlib.sha256(path.read_bytes()).hexdigest() for path in tested}
    return [path.name for path in calibration if hashlib.sha256(path.read_bytes()).hexdigest() in digests]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--calibration", type=Path, nargs="+", required=True, help="pictures")
    parser.add_argument("--test", type=Path, nargs="*", default=[], help="pictures that results are judged on")


def begin(options: argparse.Namespace) -> bool:
    """Makes the folder of the output; false, and says so, when images for calibration are also test images."""
    logging.disable(logging.WARNING)
    shared = images_of_both(options.calibration, options.test)
    if shared:
        print(f"error: pictures for calibration are also test pictures: {', '.join(shared)}", file=sys.stderr)
        return False
    options.output.mkdir(parents=True, exist_ok=True)
    return True
