"""A float32 graph in half precision: named nodes, inputs and outputs stay float32, casts where the two meet."""

from collections.abc import Callable

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def to_half(model: onnx.ModelProto, stays_float: Callable[[onnx.NodeProto], bool]) -> onnx.ModelProto:
    graph = model.graph
    constants = {each.name: each for each in graph.initializer}
    is_float = {name for name, each in constants.items() if each.data_type == TensorProto.FLOAT}
    inputs = {each.name for each in graph.input}
    outputs = {each.name for each in graph.output}
    half_values: set[str] = set()
    nodes: list[onnx.NodeProto] = []
    initializers = {name: each for name, each in constants.items() if name not in is_float}
    casts: dict[tuple[str, int], str] = {}

    def cast(value: str, to: int) -> str:
        key = (value, to)
        if key not in casts:
            casts[key] = f"{value}/{'half' if to == TensorProto.FLOAT16 else 'float'}"
            nodes.append(helper.make_node("Cast", [value], [casts[key]], name=casts[key], to=to))
        return casts[key]

    def taken(value: str, half: bool) -> str:
        if value in is_float:
            name = f"{value}/half" if half else value
            if name not in initializers:
                array = numpy_helper.to_array(constants[value])
                initializers[name] = numpy_helper.from_array(array.astype(np.float16) if half else array, name)
            return name
        if value in initializers or value == "":
            return value  # integers: shapes, axes
        if half != (value in half_values):
            return cast(value, TensorProto.FLOAT16 if half else TensorProto.FLOAT)
        return value

    for node in list(graph.node):
        half = not stays_float(node)
        copy = onnx.NodeProto()
        copy.CopyFrom(node)
        copy.input[:] = [taken(value, half) for value in node.input]
        renamed = [f"{value}/before_cast" if half and value in outputs else value for value in node.output]
        copy.output[:] = renamed
        nodes.append(copy)
        if half:
            half_values.update(renamed)
        for value, new in zip(node.output, renamed):
            if value != new:
                nodes.append(helper.make_node("Cast", [new], [value], name=f"{value}/cast", to=TensorProto.FLOAT))
    assert inputs.isdisjoint(half_values)

    result = onnx.ModelProto()
    result.CopyFrom(model)
    del result.graph.node[:], result.graph.initializer[:]
    result.graph.node.extend(nodes)
    result.graph.initializer.extend(initializers.values())
    onnx.checker.check_model(result)
    return result
