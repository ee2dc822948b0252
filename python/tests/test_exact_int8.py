"""Sums of int8 products are exact on every CPU, or the command says that they may not be."""

import subprocess
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from python.tests.commands import SLIPWAY, needs_slipway

pytestmark = needs_slipway

IMAGE = np.full((3, 64), 255, np.uint8)
WEIGHTS = np.where(np.arange(64 * 8).reshape(64, 8) % 8 < 5, 127, -128).astype(np.int8)  # two products are beyond 16 bits


def network(products: int, path: Path) -> Path:
    """As many products of one input with one int8 matrix, all of the same initializer."""
    nodes = [helper.make_node("MatMulInteger", ["x", "w"], [f"y{i}"]) for i in range(products)]
    graph = helper.make_graph(nodes, "int8", [helper.make_tensor_value_info("x", TensorProto.UINT8, IMAGE.shape)],
                              [helper.make_tensor_value_info(f"y{i}", TensorProto.INT32, [3, 8]) for i in range(products)],
                              [numpy_helper.from_array(WEIGHTS, "w")])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


@pytest.mark.parametrize("products", [1, 2])
def test_sums_are_exact_or_it_is_said_that_they_may_not_be(products: int, tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", x=IMAGE)
    done = subprocess.run([str(SLIPWAY), "infer", network(products, tmp_path / "m.onnx"), "--inputs", tmp_path / "x.npz", "--output",
                           tmp_path / "y.npz"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    with np.load(tmp_path / "y.npz") as found:
        is_exact = all(np.array_equal(found[f"y{i}"], IMAGE.astype(np.int32) @ WEIGHTS.astype(np.int32)) for i in range(products))
    if products == 1:
        assert is_exact
    is_said = "sums of products may lose what does not fit in 16 bits" in done.stderr
    assert is_exact or is_said, done.stderr
    assert "Exception during initialization" not in done.stderr
