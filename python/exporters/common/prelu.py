"""PReLU for ONNX Runtime's CPU provider, which has no fast kernel for it.

With the slope a of a channel, prelu(x) = x + s · relu(-|1 - a| · x), where s is 1 for a <= 1 and -1 for a > 1. The CPU provider
runs multiply, relu and add as vectors and keeps its blocked layout across them; PReLU costs it several times as much.
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import helper, numpy_helper


def expand_prelu(model: onnx.ModelProto) -> int:
    """Replaces every PReLU with constant slopes; returns how many there were."""
    graph = model.graph
    weights = {tensor.name: tensor for tensor in graph.initializer}
    nodes, used_slopes, count = [], set(), 0
    for node in graph.node:
        slopes = weights.get(node.input[1]) if node.op_type == "PRelu" else None
        if slopes is None:
            nodes.append(node)
            continue
        count += 1
        used_slopes.add(slopes.name)
        value, result = node.input[0], node.output[0]
        slope = numpy_helper.to_array(slopes)
        name = node.name or f"prelu_{count}"

        def constant(suffix: str, values: np.ndarray, dtype: np.dtype = slope.dtype, name: str = name) -> str:
            graph.initializer.append(numpy_helper.from_array(values.astype(dtype), f"{name}/{suffix}"))
            return f"{name}/{suffix}"

        nodes += [helper.make_node("Mul", [value, constant("steepness", -np.abs(1 - slope))], [f"{name}/scaled"], f"{name}/Mul"),
                  helper.make_node("Relu", [f"{name}/scaled"], [f"{name}/bent"], f"{name}/Relu")]
        bent = f"{name}/bent"
        if (slope > 1).any():
            nodes.append(helper.make_node("Mul", [bent, constant("sign", np.where(slope > 1, -1, 1))], [f"{name}/signed"], f"{name}/Sign"))
            bent = f"{name}/signed"
        nodes.append(helper.make_node("Add", [value, bent], [result], f"{name}/Add"))
    del graph.node[:]
    graph.node.extend(nodes)
    still_used = {name for node in graph.node for name in node.input}
    kept = [tensor for tensor in graph.initializer if tensor.name not in used_slopes or tensor.name in still_used]
    del graph.initializer[:]
    graph.initializer.extend(kept)
    onnx.checker.check_model(model)
    return count
