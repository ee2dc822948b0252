"""Reads a `.tflite` flatbuffer into plain Python objects, weights as dense float32 arrays.

Weights stored as float16 or in the sparse format pass through DEQUANTIZE and DENSIFY operators; those are folded here, so
that what remains are activations and constants.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from python.exporters.common.unsupported import UnsupportedModelError

_OPERATOR_NAMES = {number: name for name, number in vars(schema.BuiltinOperator).items() if isinstance(number, int)}
_DTYPES = {
    schema.TensorType.FLOAT32: np.dtype(np.float32),
    schema.TensorType.FLOAT16: np.dtype(np.float16),
    schema.TensorType.INT32: np.dtype(np.int32),
    schema.TensorType.INT64: np.dtype(np.int64),
    schema.TensorType.UINT8: np.dtype(np.uint8),
    schema.TensorType.INT8: np.dtype(np.int8),
}


@dataclasses.dataclass(eq=False)
class Tensor:
    """An activation (`constant` is None) or a weight."""

    index: int
    name: str
    shape: tuple[int, ...]
    dtype: np.dtype
    constant: np.ndarray | None = None


@dataclasses.dataclass
class Operator:
    kind: str  # as in the schema: "CONV_2D"
    inputs: list[Tensor | None]
    outputs: list[Tensor]
    options: object  # the schema's option object of that kind, or None


@dataclasses.dataclass
class Graph:
    inputs: list[Tensor]
    outputs: list[Tensor]
    operators: list[Operator]  # in execution order


def read_tflite(path: Path) -> Graph:
    """Reads the only subgraph of a file.

    Raises UnsupportedModelError for a file that is not TFLite, holds several subgraphs or a quantised tensor.
    """
    data = Path(path).read_bytes()
    if data[4:8] != b"TFL3":
        raise UnsupportedModelError(f"{path}: expected a TFLite file (TFL3 at byte 4), found {data[4:8]!r}")
    model = schema.ModelT.InitFromPackedBuf(data, 0)
    if len(model.subgraphs) != 1:
        raise UnsupportedModelError(f"{path}: expected one subgraph, found {len(model.subgraphs)}")
    subgraph = model.subgraphs[0]
    tensors = [_read_tensor(model, index, tensor) for index, tensor in enumerate(subgraph.tensors)]

    operators = []
    for source in subgraph.operators:
        code = model.operatorCodes[source.opcodeIndex]
        # Files older than schema 3a keep the number in the deprecated field alone.
        kind = _OPERATOR_NAMES[max(code.builtinCode, code.deprecatedBuiltinCode)]
        operator = Operator(
            kind,
            [tensors[i] if i >= 0 else None for i in source.inputs],
            [tensors[i] for i in source.outputs],
            source.builtinOptions,
        )
        if not _fold(operator):
            operators.append(operator)
    return Graph([tensors[i] for i in subgraph.inputs], [tensors[i] for i in subgraph.outputs], operators)


def _fold(operator: Operator) -> bool:
    """Replaces the output of DEQUANTIZE or DENSIFY of a constant by its value."""
    if operator.kind not in ("DEQUANTIZE", "DENSIFY"):
        return False
    source, target = operator.inputs[0], operator.outputs[0]
    if source is None or source.constant is None:
        raise UnsupportedModelError(f"{operator.kind} of the activation {source and source.name}: quantised models "
                                    "are not converted, export the float model")
    target.constant = source.constant.astype(target.dtype)
    return True


def _read_tensor(model: schema.ModelT, index: int, tensor: schema.TensorT) -> Tensor:
    name = tensor.name.decode()
    if tensor.type not in _DTYPES:
        raise UnsupportedModelError(f"tensor {name}: type number {tensor.type} is not converted")
    shape = tuple(int(size) for size in tensor.shape) if tensor.shape is not None else ()
    result = Tensor(index, name, shape, _DTYPES[tensor.type])
    data = model.buffers[tensor.buffer].data
    if data is None or len(data) == 0:
        return result
    quantisation = tensor.quantization
    if quantisation is not None and quantisation.scale is not None and len(quantisation.scale) > 0:
        raise UnsupportedModelError(f"tensor {name}: quantised models are not converted, export the float model")
    values = np.asarray(data, dtype=np.uint8).tobytes()
    flat = np.frombuffer(values, dtype=result.dtype)
    result.constant = densify(flat, shape, tensor.sparsity) if tensor.sparsity is not None else flat.reshape(shape)
    return result


def densify(values: np.ndarray, shape: tuple[int, ...], sparsity: schema.SparsityParametersT) -> np.ndarray:
    """Unpacks TFLite's sparse format: a tree with one level a dimension, each level dense or compressed.

    `values` holds the leaves in traversal order. A compressed level has `segments` (children of node i are entries
    segments[i] to segments[i+1]) and `indices` (the coordinate of each entry).
    """
    order = [int(dimension) for dimension in sparsity.traversalOrder]
    if sorted(order) != list(range(len(shape))):
        raise UnsupportedModelError("block-sparse weights are not converted")
    # For every node of the level reached so far: its coordinates in the dimensions walked.
    coordinates = np.zeros((1, 0), dtype=np.int64)
    for level in sparsity.dimMetadata:
        count = len(coordinates)
        if level.format == schema.DimensionType.DENSE:
            parents = np.repeat(np.arange(count), level.denseSize)
            own = np.tile(np.arange(level.denseSize), count)
        else:
            segments = np.asarray(level.arraySegments.values, dtype=np.int64)
            parents = np.repeat(np.arange(count), np.diff(segments))
            own = np.asarray(level.arrayIndices.values, dtype=np.int64)
        coordinates = np.concatenate([coordinates[parents], own[:, None]], axis=1)
    if len(coordinates) > len(values):
        raise UnsupportedModelError(f"sparse weights: {len(coordinates)} positions for {len(values)} values")
    dense = np.zeros(shape, dtype=values.dtype)
    walked = [coordinates[:, order.index(dimension)] for dimension in range(len(shape))]
    dense[tuple(walked)] = values[: len(coordinates)]
    return dense
