"""Turns a float TFLite graph into an ONNX graph, operator by operator.

TFLite computes in NHWC, ONNX in NCHW. Every value remembers which of the two it is in and is transposed only where an
operator needs the other one, so a convolutional network gets one Transpose at its NHWC input (none with an NCHW input)
and one where a head is reshaped into rows.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import onnx
from ai_edge_litert import schema_py_generated as schema
from onnx import TensorProto, helper, numpy_helper

from python.exporters.common.tflite_graph import Graph, Operator, Tensor, UnsupportedModelError

OPSET = 17
_TO_NCHW = (0, 3, 1, 2)
_TO_NHWC = (0, 2, 3, 1)


@dataclasses.dataclass
class _Value:
    """A computed tensor: the ONNX name of each form that exists so far."""

    plain: str | None = None  # axes in TFLite's order
    nchw: str | None = None  # rank 4 only


class _Converter:
    def __init__(self, graph: Graph, input_layout: str):
        self.graph = graph
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []
        self.values: dict[int, _Value] = {}
        self.input_layout = input_layout
        self.consumers: dict[int, int] = {}
        for tensor in [t for operator in graph.operators for t in operator.inputs if t] + graph.outputs:
            self.consumers[tensor.index] = self.consumers.get(tensor.index, 0) + 1
        self.producers = {o.index: operator for operator in graph.operators for o in operator.outputs}
        self.names: set[str] = set()

    def unique(self, wish: str) -> str:
        name = wish.replace("/", "_").replace(";", "_").replace(":", "_")
        candidate, number = name, 1
        while candidate in self.names:
            candidate, number = f"{name}_{number}", number + 1
        self.names.add(candidate)
        return candidate

    def node(self, op_type: str, inputs: list[str], wish: str, **attributes: object) -> str:
        output = self.unique(wish)
        self.nodes.append(helper.make_node(op_type, inputs, [output], name=f"{op_type}_{len(self.nodes)}", **attributes))
        return output

    def constant(self, array: np.ndarray, wish: str) -> str:
        name = self.unique(wish)
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def plain(self, tensor: Tensor) -> str:
        if tensor.constant is not None:
            return self.constant(_as_float32(tensor.constant), tensor.name)
        value = self.values[tensor.index]
        if value.plain is None:
            value.plain = self.node("Transpose", [value.nchw], tensor.name + "_nhwc", perm=_TO_NHWC)
        return value.plain

    def nchw(self, tensor: Tensor) -> str:
        value = self.values[tensor.index]
        if value.nchw is None:
            value.nchw = self.node("Transpose", [value.plain], tensor.name + "_nchw", perm=_TO_NCHW)
        return value.nchw

    def is_nchw(self, tensor: Tensor) -> bool:
        return tensor.constant is None and self.values[tensor.index].nchw is not None

    def activation(self, name: str, function: int, wish: str) -> str:
        """Appends the activation that TFLite fuses into an operator."""
        kinds = schema.ActivationFunctionType
        if function == kinds.NONE:
            return name
        if function == kinds.RELU:
            return self.node("Relu", [name], wish + "_relu")
        if function == kinds.RELU6:
            bounds = [self.constant(np.float32(bound), wish + "_bound") for bound in (0, 6)]
            return self.node("Clip", [name, *bounds], wish + "_relu6")
        raise UnsupportedModelError(f"fused activation number {function} of {wish} is not converted")

    def produce_nchw(self, tensor: Tensor, name: str) -> None:
        self.values[tensor.index] = _Value(nchw=name)

    def produce_plain(self, tensor: Tensor, name: str) -> None:
        self.values[tensor.index] = _Value(plain=name)


def _as_float32(array: np.ndarray) -> np.ndarray:
    return array.astype(np.float32) if array.dtype == np.float16 else array


def same_padding(size: int, kernel: int, stride: int, dilation: int) -> tuple[int, int]:
    """TFLite's SAME: enough zeros for ceil(size / stride) results, the odd one at the end."""
    results = -(-size // stride)
    total = max((results - 1) * stride + (kernel - 1) * dilation + 1 - size, 0)
    return total // 2, total - total // 2


def _window_pads(options: object, source: Tensor, kernel: tuple[int, int], dilations: tuple[int, int]) -> list[int]:
    """ONNX order: top, left, bottom, right."""
    if options.padding == schema.Padding.VALID:
        return [0, 0, 0, 0]
    top, bottom = same_padding(source.shape[1], kernel[0], options.strideH, dilations[0])
    left, right = same_padding(source.shape[2], kernel[1], options.strideW, dilations[1])
    return [top, left, bottom, right]


def _foldable_pad(converter: _Converter, tensor: Tensor, options: object) -> tuple[Tensor, list[int]] | None:
    """A PAD in H and W alone that feeds only this VALID convolution becomes the convolution's own padding."""
    producer = converter.producers.get(tensor.index)
    if producer is None or producer.kind != "PAD" or converter.consumers[tensor.index] != 1:
        return None
    amounts = producer.inputs[1].constant
    if options.padding != schema.Padding.VALID or amounts[0].any() or amounts[3].any():
        return None
    return producer.inputs[0], [int(amounts[1][0]), int(amounts[2][0]), int(amounts[1][1]), int(amounts[2][1])]


def _convolution(converter: _Converter, operator: Operator, weights: np.ndarray, groups: int) -> None:
    """weights: [out, in / groups, H, W]."""
    source, options, target = operator.inputs[0], operator.options, operator.outputs[0]
    dilations = (options.dilationHFactor, options.dilationWFactor)
    folded = _foldable_pad(converter, source, options)
    if folded:
        source, pads = folded
    else:
        pads = _window_pads(options, source, weights.shape[2:], dilations)
    inputs = [converter.nchw(source), converter.constant(weights, target.name + "_weight")]
    if len(operator.inputs) > 2 and operator.inputs[2] is not None:
        inputs.append(converter.constant(_as_float32(operator.inputs[2].constant), target.name + "_bias"))
    result = converter.node("Conv", inputs, target.name, kernel_shape=weights.shape[2:], pads=pads, group=groups,
                            strides=(options.strideH, options.strideW), dilations=dilations)
    converter.produce_nchw(target, converter.activation(result, options.fusedActivationFunction, target.name))


def _conv_2d(converter: _Converter, operator: Operator) -> None:
    weights = _as_float32(operator.inputs[1].constant).transpose(0, 3, 1, 2)
    groups = operator.inputs[0].shape[3] // weights.shape[1]
    _convolution(converter, operator, weights, groups)


def _depthwise_conv_2d(converter: _Converter, operator: Operator) -> None:
    weights = _as_float32(operator.inputs[1].constant).transpose(3, 0, 1, 2)  # [1, H, W, out] -> [out, 1, H, W]
    _convolution(converter, operator, weights, operator.inputs[0].shape[3])


def _max_pool_2d(converter: _Converter, operator: Operator) -> None:
    source, options, target = operator.inputs[0], operator.options, operator.outputs[0]
    kernel = (options.filterHeight, options.filterWidth)
    result = converter.node("MaxPool", [converter.nchw(source)], target.name, kernel_shape=kernel,
                            strides=(options.strideH, options.strideW),
                            pads=_window_pads(options, source, kernel, (1, 1)))
    converter.produce_nchw(target, converter.activation(result, options.fusedActivationFunction, target.name))


def _pad(converter: _Converter, operator: Operator) -> None:
    source, target = operator.inputs[0], operator.outputs[0]
    amounts = operator.inputs[1].constant.astype(np.int64)
    if len(source.shape) == 4:
        amounts = amounts[list(_TO_NCHW)]
        pads = converter.constant(np.concatenate([amounts[:, 0], amounts[:, 1]]), target.name + "_pads")
        converter.produce_nchw(target, converter.node("Pad", [converter.nchw(source), pads], target.name))
    else:
        pads = converter.constant(np.concatenate([amounts[:, 0], amounts[:, 1]]), target.name + "_pads")
        converter.produce_plain(target, converter.node("Pad", [converter.plain(source), pads], target.name))


def _add(converter: _Converter, operator: Operator) -> None:
    target = operator.outputs[0]
    use_nchw = len(target.shape) == 4 and any(converter.is_nchw(tensor) for tensor in operator.inputs)
    names = []
    for tensor in operator.inputs:
        if use_nchw and tensor.constant is not None:
            aligned = _as_float32(tensor.constant).reshape((1,) * (4 - len(tensor.shape)) + tensor.shape)
            names.append(converter.constant(aligned.transpose(_TO_NCHW), tensor.name))
        elif use_nchw and len(tensor.shape) == 4:
            names.append(converter.nchw(tensor))
        elif use_nchw:
            raise UnsupportedModelError(f"ADD {target.name} broadcasts an activation of rank {len(tensor.shape)}")
        else:
            names.append(converter.plain(tensor))
    result = converter.node("Add", names, target.name)
    result = converter.activation(result, operator.options.fusedActivationFunction, target.name)
    (converter.produce_nchw if use_nchw else converter.produce_plain)(target, result)


def _elementwise(kind: str) -> Callable[[_Converter, Operator], None]:
    """The ONNX operator of this name, in the layout that its input has."""

    def convert_operator(converter: _Converter, operator: Operator) -> None:
        source, target = operator.inputs[0], operator.outputs[0]
        if converter.is_nchw(source):
            converter.produce_nchw(target, converter.node(kind, [converter.nchw(source)], target.name))
        else:
            converter.produce_plain(target, converter.node(kind, [converter.plain(source)], target.name))

    return convert_operator


def _prelu(converter: _Converter, operator: Operator) -> None:
    source, slope, target = operator.inputs[0], operator.inputs[1], operator.outputs[0]
    if len(slope.shape) != 3:
        raise UnsupportedModelError(f"PRELU {target.name}: expected slopes [H, W, C], found {slope.shape}")
    slopes = converter.constant(_as_float32(slope.constant).transpose(2, 0, 1), target.name + "_slope")
    converter.produce_nchw(target, converter.node("PRelu", [converter.nchw(source), slopes], target.name))


def _resize_bilinear(converter: _Converter, operator: Operator) -> None:
    source, target, options = operator.inputs[0], operator.outputs[0], operator.options
    mode = "align_corners" if options.alignCorners else "half_pixel" if options.halfPixelCenters else "asymmetric"
    scales = np.array([1, 1, target.shape[1] / source.shape[1], target.shape[2] / source.shape[2]], dtype=np.float32)
    result = converter.node("Resize", [converter.nchw(source), "", converter.constant(scales, target.name + "_scales")],
                            target.name, mode="linear", coordinate_transformation_mode=mode)
    converter.produce_nchw(target, result)


def _depth_to_space(converter: _Converter, operator: Operator) -> None:
    source, target = operator.inputs[0], operator.outputs[0]
    result = converter.node("DepthToSpace", [converter.nchw(source)], target.name, mode="DCR",
                            blocksize=operator.options.blockSize)
    converter.produce_nchw(target, result)


def _reshape(converter: _Converter, operator: Operator) -> None:
    source, target = operator.inputs[0], operator.outputs[0]
    shape = converter.constant(np.array(target.shape, dtype=np.int64), target.name + "_shape")
    converter.produce_plain(target, converter.node("Reshape", [converter.plain(source), shape], target.name))


def _concatenation(converter: _Converter, operator: Operator) -> None:
    target, options = operator.outputs[0], operator.options
    axis = options.axis % len(target.shape)
    use_nchw = len(target.shape) == 4 and all(converter.is_nchw(tensor) for tensor in operator.inputs)
    names = [(converter.nchw if use_nchw else converter.plain)(tensor) for tensor in operator.inputs]
    result = converter.node("Concat", names, target.name, axis=_TO_NCHW.index(axis) if use_nchw else axis)
    result = converter.activation(result, options.fusedActivationFunction, target.name)
    (converter.produce_nchw if use_nchw else converter.produce_plain)(target, result)


def _fully_connected(converter: _Converter, operator: Operator) -> None:
    target, options = operator.outputs[0], operator.options
    weights = _as_float32(operator.inputs[1].constant)  # [out, in]
    rows = converter.constant(np.array([-1, weights.shape[1]], dtype=np.int64), target.name + "_rows")
    inputs = [converter.node("Reshape", [converter.plain(operator.inputs[0]), rows], target.name + "_in"),
              converter.constant(weights, target.name + "_weight")]
    if len(operator.inputs) > 2 and operator.inputs[2] is not None:
        inputs.append(converter.constant(_as_float32(operator.inputs[2].constant), target.name + "_bias"))
    result = converter.activation(converter.node("Gemm", inputs, target.name + "_product", transB=1), options.fusedActivationFunction, target.name)
    shape = converter.constant(np.array(target.shape, dtype=np.int64), target.name + "_shape")
    converter.produce_plain(target, converter.node("Reshape", [result, shape], target.name))


def _mean(converter: _Converter, operator: Operator) -> None:
    """Over any axes; over H and W of an activation it stays channels first."""
    source, target, keepdims = operator.inputs[0], operator.outputs[0], operator.options.keepDims
    axes = sorted(int(axis) % len(source.shape) for axis in np.ravel(operator.inputs[1].constant))
    if axes == [1, 2] and len(source.shape) == 4:
        result = converter.node("ReduceMean", [converter.nchw(source)], target.name, axes=[2, 3], keepdims=int(keepdims))
        (converter.produce_nchw if keepdims else converter.produce_plain)(target, result)
    else:
        converter.produce_plain(target, converter.node("ReduceMean", [converter.plain(source)], target.name, axes=axes, keepdims=int(keepdims)))


_OPERATORS: dict[str, Callable[[_Converter, Operator], None]] = {
    "ADD": _add,
    "CONCATENATION": _concatenation,
    "CONV_2D": _conv_2d,
    "DEPTHWISE_CONV_2D": _depthwise_conv_2d,
    "DEPTH_TO_SPACE": _depth_to_space,
    "FULLY_CONNECTED": _fully_connected,
    "LOGISTIC": _elementwise("Sigmoid"),
    "MAX_POOL_2D": _max_pool_2d,
    "MEAN": _mean,
    "PAD": _pad,
    "PRELU": _prelu,
    "RELU": _elementwise("Relu"),
    "RESHAPE": _reshape,
    "RESIZE_BILINEAR": _resize_bilinear,
}


def convert(graph: Graph, input_names: list[str], output_names: list[str], layout: str = "nhwc",
            graph_name: str = "graph", metadata: dict[str, str] | None = None) -> onnx.ModelProto:
    """Builds an opset 17 model that computes what the graph computes.

    input_names, output_names: in the graph's order. layout: "nhwc" keeps rank-4 inputs as TFLite has them, "nchw" takes
    them channels first. Outputs always keep TFLite's axes. Raises UnsupportedModelError naming an unknown operator.
    """
    if layout not in ("nhwc", "nchw"):
        raise ValueError(f"layout: expected nhwc or nchw, found {layout!r}")
    if len(input_names) != len(graph.inputs) or len(output_names) != len(graph.outputs):
        raise ValueError(f"expected {len(graph.inputs)} input and {len(graph.outputs)} output names, "
                         f"found {len(input_names)} and {len(output_names)}")
    converter = _Converter(graph, layout)
    converter.names.update(input_names, output_names)
    inputs = []
    for tensor, name in zip(graph.inputs, input_names):
        shape, value = tensor.shape, _Value(plain=name)
        if layout == "nchw" and len(shape) == 4:
            shape, value = tuple(shape[axis] for axis in _TO_NCHW), _Value(nchw=name)
        converter.values[tensor.index] = value
        inputs.append(helper.make_tensor_value_info(name, _element_type(tensor), shape))

    for operator in graph.operators:
        if operator.kind == "PAD" and _is_folded_later(converter, operator):
            continue
        if operator.kind not in _OPERATORS:
            raise UnsupportedModelError(f"operator {operator.kind} (result {operator.outputs[0].name}) is not converted; "
                                        f"known: {', '.join(sorted(_OPERATORS))}")
        _OPERATORS[operator.kind](converter, operator)

    outputs = []
    for tensor, name in zip(graph.outputs, output_names):
        _rename(converter, converter.plain(tensor), name)
        outputs.append(helper.make_tensor_value_info(name, _element_type(tensor), tensor.shape))
    model = helper.make_model(
        helper.make_graph(converter.nodes, graph_name, inputs, outputs, converter.initializers),
        opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8, producer_name="slipway")
    for key, value in sorted((metadata or {}).items()):
        model.metadata_props.add(key=key, value=value)
    onnx.checker.check_model(model, full_check=True)
    return model


def _is_folded_later(converter: _Converter, pad: Operator) -> bool:
    tensor = pad.outputs[0]
    for operator in converter.graph.operators:
        if tensor in operator.inputs and operator.kind in ("CONV_2D", "DEPTHWISE_CONV_2D"):
            return _foldable_pad(converter, tensor, operator.options) is not None
    return False


def _rename(converter: _Converter, old: str, new: str) -> None:
    for node in converter.nodes:
        node.input[:] = [new if name == old else name for name in node.input]
        node.output[:] = [new if name == old else name for name in node.output]


def _element_type(tensor: Tensor) -> int:
    if tensor.dtype != np.float32:
        raise UnsupportedModelError(f"{tensor.name}: expected a float32 input or output, found {tensor.dtype}")
    return TensorProto.FLOAT
