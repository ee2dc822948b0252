"""Gives a network of one image another batch, or a free one.

Convolutions do not care how many images come; what does are the constant shapes of Reshape nodes. Each graph is run before
and after: the same images must give the same values.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper, shape_inference

from python.exporters.common.unsupported import UnsupportedModelError

DYNAMIC = "dynamic"
BATCH_HELP = "pictures a run: a number, or `dynamic` for any (slipway's --batch); default: 1"
TOLERANCE = 1e-5  # of an output's range: a product over several rows may be summed in another order


def parse(text: str) -> int | str:
    """For argparse."""
    if text == DYNAMIC:
        return text
    if not text.isdigit() or int(text) < 1:
        raise ValueError(text)
    return int(text)


parse.__name__ = "number or `dynamic`"


def axis(batch: int | str) -> int:
    """As model.yaml writes it."""
    return -1 if batch == DYNAMIC else int(batch)


def set_batch(path: Path, batch: int | str) -> float:
    """Rewrites the file; returns the largest difference from single runs by an output's range."""
    model = onnx.load(path)
    if batch == 1:
        return 0.0
    single = model.SerializeToString()
    _free_reshapes(model)
    weights = {tensor.name for tensor in model.graph.initializer}
    for value in (*(each for each in model.graph.input if each.name not in weights), *model.graph.output):
        first = value.type.tensor_type.shape.dim[0]
        if first.dim_value != 1:
            raise UnsupportedModelError(f"{path}: '{value.name}' has no batch of 1 to change")
        first.Clear()
        if batch == DYNAMIC:
            first.dim_param = "batch"
        else:
            first.dim_value = int(batch)
    del model.graph.value_info[:]
    try:
        model = shape_inference.infer_shapes(model, strict_mode=True)
        onnx.checker.check_model(model, full_check=True)
        difference = _difference(single, model.SerializeToString(), 3 if batch == DYNAMIC else int(batch))
    except Exception as error:  # of onnx and onnxruntime, which share no class
        raise UnsupportedModelError(f"{path}: does not take a batch of {batch}: {error}") from error
    if not difference <= TOLERANCE:
        raise UnsupportedModelError(f"{path}: with a batch of {batch} its results differ by {difference:.1e} of the range, beyond {TOLERANCE:g}")
    onnx.save(model, path)
    return difference


def _free_reshapes(model: onnx.ModelProto) -> None:
    """A leading 1 becomes -1, or, where another axis is -1 already, 0: the input's own."""
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    tensors |= {node.output[0]: node.attribute[0].t for node in model.graph.node if node.op_type == "Constant" and node.attribute[0].name == "value"}
    for name in {node.input[1] for node in model.graph.node if node.op_type == "Reshape"} & set(tensors):
        shape = numpy_helper.to_array(tensors[name]).copy()
        if shape.ndim == 1 and shape.size > 0 and shape[0] == 1:
            shape[0] = 0 if (shape[1:] == -1).any() else -1
            tensors[name].CopyFrom(numpy_helper.from_array(shape, tensors[name].name))


def _difference(single: bytes, batched: bytes, count: int) -> float:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    one, many = (onnxruntime.InferenceSession(each, options, providers=["CPUExecutionProvider"]) for each in (single, batched))
    source = one.get_inputs()[0]
    images = np.random.default_rng(1).random((count, *source.shape[1:]), dtype=np.float32)
    together = many.run(None, {source.name: images})
    largest = 0.0
    for i in range(count):
        for expected, found in zip(one.run(None, {source.name: images[i : i + 1]}), together):
            extent = max(float(np.ptp(expected)), float(np.abs(expected).max()), 1e-12)
            largest = max(largest, float(np.abs(expected[0] - found[i]).max()) / extent)
    return largest
