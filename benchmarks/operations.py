"""Counts the operations of products and convolutions in an ONNX graph, two for each multiplication with its addition."""

from __future__ import annotations

import math
import pathlib

import onnx

CONVOLUTIONS = ("Conv", "QLinearConv", "ConvInteger", "FusedConv")
PRODUCTS = ("MatMul", "Gemm", "QLinearMatMul", "MatMulInteger")


def gflop_of(file: pathlib.Path) -> float:
    """Shapes must be known to shape inference; a node whose shapes are not counts nothing, so the figure is a lower bound."""
    model = onnx.shape_inference.infer_shapes(onnx.load(file), data_prop=True)
    shapes = {each.name: list(each.dims) for each in model.graph.initializer}
    for value in [*model.graph.input, *model.graph.value_info, *model.graph.output]:
        dims = value.type.tensor_type.shape.dim
        if all(dim.HasField("dim_value") for dim in dims):
            shapes[value.name] = [dim.dim_value for dim in dims]
    for node in model.graph.node:  # weights that a quantised file computes from integers keep their shape
        if node.op_type in ("DequantizeLinear", "QuantizeLinear", "Identity", "Cast") and node.output[0] not in shapes and node.input[0] in shapes:
            shapes[node.output[0]] = shapes[node.input[0]]
    return sum(operations(node, shapes) for node in model.graph.node) / 1e9


def operations(node: onnx.NodeProto, shapes: dict[str, list[int]]) -> float:
    out = shapes.get(node.output[0])
    if node.op_type in CONVOLUTIONS:
        weight = shapes.get(node.input[3 if node.op_type == "QLinearConv" else 1])
        return 2 * math.prod(out) * math.prod(weight[1:]) if out and weight else 0
    if node.op_type == "ConvTranspose":
        source, weight = shapes.get(node.input[0]), shapes.get(node.input[1])
        return 2 * math.prod(source) * math.prod(weight[1:]) if source and weight else 0
    if node.op_type in PRODUCTS:
        left = shapes.get(node.input[0])
        turned = any(each.name == "transA" and each.i for each in node.attribute)
        return 2 * math.prod(out) * left[0 if turned else -1] if out and left else 0
    return 0
