"""The layout of a first 8-bit convolution for CPUs: equal bits on random integers."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from python.tests.commands import exact_session
from python.tools.quantize_face_det_lite import read_in_blocks


def first_convolution(channels: int, stride: int) -> onnx.ModelProto:
    random = np.random.default_rng(channels)
    constants = {"input.scale": np.float32(1 / 255), "input.zero": np.uint8(3), "weights": random.integers(-127, 128, (5, channels, 3, 3), np.int8),
                 "weights.scale": random.uniform(0.01, 0.02, 5).astype(np.float32), "weights.zero": np.zeros(5, np.int8),
                 "output.scale": np.float32(0.02), "output.zero": np.uint8(120)}
    nodes = [helper.make_node("DequantizeLinear", ["input", "input.scale", "input.zero"], ["real"]),
             helper.make_node("DequantizeLinear", ["weights", "weights.scale", "weights.zero"], ["real.weights"], axis=0),
             helper.make_node("Conv", ["real", "real.weights"], ["real.output"], kernel_shape=[3, 3], pads=[1, 1, 1, 1],
                              strides=[stride, stride]),
             helper.make_node("QuantizeLinear", ["real.output", "output.scale", "output.zero"], ["output"])]
    graph = helper.make_graph(
        nodes, "first", [helper.make_tensor_value_info("input", TensorProto.UINT8, [1, channels, 16, 24])],
        [helper.make_tensor_value_info("output", TensorProto.UINT8, [1, 5, 16 // stride, 24 // stride])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


@pytest.mark.parametrize(("channels", "stride", "is_laid_out"), [(1, 2, True), (3, 2, False), (1, 1, False)])
def test_gives_equal_bits(channels: int, stride: int, is_laid_out: bool) -> None:
    model = first_convolution(channels, stride)
    plain = model.SerializeToString()
    read_in_blocks(model)
    onnx.checker.check_model(model)
    assert any(node.op_type == "SpaceToDepth" for node in model.graph.node) == is_laid_out
    image = np.random.default_rng(1).integers(0, 256, (1, channels, 16, 24)).astype(np.uint8)
    found, expected = (exact_session(each).run(None, {"input": image})[0]
                       for each in (model.SerializeToString(), plain))
    assert len(np.unique(expected)) > 20
    np.testing.assert_array_equal(found, expected)
