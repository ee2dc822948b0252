"""Rewrites a QDQ model into the 8-bit model that runs fastest on CPUs, under Slipway's runtime.

ONNX Runtime fuses the integer operators and puts channels last; what it has no fast kernel for is then replaced:
- SiLU (QLinearSigmoid and QLinearMul) by one `slipway.QLinearLookup` (src/runtime/lookup_op.hpp), whose table is the exact
  function rounded once;
- a QLinearConcat by a Concat, behind a lookup for each input that has another scale than the output;
- a nearest Resize by whole factors by an Expand.
The last two change no bit. The file is for CPUs alone, and only Slipway's runtime has the operator.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper

DOMAIN = "slipway"


def fused(model: onnx.ModelProto) -> onnx.ModelProto:
    """What ONNX Runtime makes of the model, less the float layout that only processors like this one have."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fused.onnx"
        options = onnxruntime.SessionOptions()
        options.optimized_model_filepath = str(path)
        options.log_severity_level = 3  # a warning that says the same
        onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"],
                                     disabled_optimizers=["NchwcTransformer"])
        return onnx.load(path)


class Rewriting:
    """A graph's nodes on their way into another list of nodes."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self.constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
        self.users: dict[str, list[onnx.NodeProto]] = {}
        for node in graph.node:
            for name in node.input:
                self.users.setdefault(name, []).append(node)
        self.nodes: list[onnx.NodeProto] = []
        self.made: dict[str, np.ndarray] = {}

    def constant(self, name: str, value: np.ndarray) -> str:
        self.made[name] = value
        return name

    def lookup(self, source: str, target: str, function: Callable[[np.ndarray], np.ndarray], before: list[str], after: list[str]) -> None:
        """target = function(source) of real values; `before` and `after` name the scales and zero points."""
        (scale, zero), (out_scale, out_zero) = ([self.constants[name] for name in pair] for pair in (before, after))
        stored = np.arange(256, dtype=np.uint8).view(zero.dtype)
        real = function((stored.astype(np.float64) - float(zero)) * float(scale))
        limits = np.iinfo(out_zero.dtype)
        table = np.clip(np.rint(real / float(out_scale)) + float(out_zero), limits.min, limits.max).astype(out_zero.dtype)
        self.nodes.append(helper.make_node("QLinearLookup", [source, self.constant(f"{target}.table", table)], [target], f"{target}.lookup",
                                           domain=DOMAIN))


def silu(real: np.ndarray) -> np.ndarray:
    return real / (1 + np.exp(-real))


def silu_product(node: onnx.NodeProto, rewriting: Rewriting) -> onnx.NodeProto | None:
    """The QLinearMul that multiplies a QLinearSigmoid's input with its output, which nothing else reads."""
    users = rewriting.users.get(node.output[0], [])
    if node.op_type != "QLinearSigmoid" or len(users) != 1 or users[0].op_type != "QLinearMul":
        return None
    return users[0] if {users[0].input[0], users[0].input[3]} == {node.input[0], node.output[0]} else None


def concatenate(node: onnx.NodeProto, rewriting: Rewriting) -> None:
    after, parts = list(node.input[:2]), []
    for i in range(2, len(node.input), 3):
        source, *before = node.input[i : i + 3]
        if any(rewriting.constants[one] != rewriting.constants[other] for one, other in zip(before, after)):
            target = f"{node.output[0]}.{i // 3}"
            rewriting.lookup(source, target, lambda real: real, before, after)
            source = target
        parts.append(source)
    rewriting.nodes.append(helper.make_node("Concat", parts, list(node.output), node.name,
                                            axis=next(each.i for each in node.attribute if each.name == "axis")))


def enlarge(node: onnx.NodeProto, shape: list[int], rewriting: Rewriting) -> bool:
    """A nearest Resize with channels last. shape: of its output, channels second. False: another kind of Resize."""
    settings = {each.name: helper.get_attribute_value(each) for each in node.attribute}
    scales = rewriting.constants.get(node.input[2]) if len(node.input) == 3 else None
    if (settings.get("mode", b"nearest") != b"nearest" or settings.get("coordinate_transformation_mode") != b"asymmetric"
            or settings.get("nearest_mode") != b"floor" or scales is None or len(scales) != 4 or len(shape) != 4
            or scales[0] != 1 or scales[3] != 1 or any(scales % 1)):
        return False
    _, channels, height, width = shape
    rows, columns = int(scales[1]), int(scales[2])
    name = node.output[0]
    for operator, source, target, value in (
            ("Reshape", node.input[0], f"{name}.cells", [0, height // rows, 1, width // columns, 1, channels]),
            ("Expand", f"{name}.cells", f"{name}.copies", [1, 1, rows, 1, columns, 1]),
            ("Reshape", f"{name}.copies", name, [0, height, width, channels])):
        shape_name = rewriting.constant(f"{target}.shape", np.array(value, np.int64))
        rewriting.nodes.append(helper.make_node(operator, [source, shape_name], [target], f"{target}.{operator}"))
    return True


def for_cpu(qdq: onnx.ModelProto) -> onnx.ModelProto:
    model = fused(qdq)
    graph = model.graph
    shapes = {value.name: [dimension.dim_value for dimension in value.type.tensor_type.shape.dim]
              for value in onnx.shape_inference.infer_shapes(qdq).graph.value_info}
    resized = {node.name: shapes.get(node.output[0], []) for node in qdq.graph.node if node.op_type == "Resize"}
    rewriting = Rewriting(graph)
    products = set()
    for node in graph.node:
        if product := silu_product(node, rewriting):
            rewriting.lookup(node.input[0], product.output[0], silu, list(node.input[1:3]), list(product.input[6:8]))
            products.add(product.output[0])
        elif node.op_type == "QLinearConcat":
            concatenate(node, rewriting)
        elif node.output[0] not in products and not (node.op_type == "Resize" and enlarge(node, resized.get(node.name, []), rewriting)):
            rewriting.nodes.append(node)
    nodes = list(rewriting.nodes)
    used = {name for node in nodes for name in node.input}
    kept = [tensor for tensor in graph.initializer if tensor.name in used]
    for field in (graph.node, graph.initializer, graph.value_info):  # the shapes there are those before the layout
        del field[:]
    graph.node.extend(nodes)
    graph.initializer.extend(kept + [numpy_helper.from_array(value, name) for name, value in rewriting.made.items()])
    domains = {node.domain for node in nodes}
    opsets = [each for each in model.opset_import if each.domain in domains]
    opsets += [helper.make_opsetid(DOMAIN, 1)] if DOMAIN in domains else []
    del model.opset_import[:]
    model.opset_import.extend(opsets)
    onnx.checker.check_model(model)
    return model
