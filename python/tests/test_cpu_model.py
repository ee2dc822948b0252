"""The 8-bit model for CPUs: equal bits where nothing is computed otherwise, and a lookup whose table is the exact SiLU."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from python.tests.commands import exact_session, needs_slipway, slipway
from python.tools.cpu_model import for_cpu

SIZE = 12


def network(has_silu: bool, mode: str = "nearest") -> onnx.ModelProto:
    """Two convolutions of other scales, one of them enlarged, joined: as the neck of a YOLO has them, in QDQ form."""
    random = np.random.default_rng(4)
    constants: dict[str, np.ndarray] = {}
    nodes: list[onnx.NodeProto] = []

    def node(operator: str, inputs: list[str], output: str, **settings: object) -> str:
        nodes.append(helper.make_node(operator, inputs, [output], output, **settings))
        return output

    def real(stored: str, name: str, scale: np.ndarray, zero: np.ndarray, **settings: int) -> str:
        constants.update({f"{name}.scale": scale.astype(np.float32), f"{name}.zero": zero})
        return node("DequantizeLinear", [stored, f"{name}.scale", f"{name}.zero"], f"{name}.real", **settings)

    def through_bytes(source: str, scale: float, zero: int) -> str:
        name = f"{source}.bytes"
        constants.update({f"{name}.s": np.float32(scale), f"{name}.z": np.uint8(zero)})
        return real(node("QuantizeLinear", [source, f"{name}.s", f"{name}.z"], name), name, np.array(scale), np.array(zero, np.uint8))

    def convolution(source: str, name: str, channels: int, stride: int, scale: float) -> str:
        constants[f"{name}.weight"] = random.integers(-127, 128, (8, channels, 3, 3), np.int8)
        weights = real(f"{name}.weight", f"{name}.weight", random.uniform(0.002, 0.01, 8), np.zeros(8, np.int8), axis=0)
        x = through_bytes(node("Conv", [source, weights], name, pads=[1] * 4, strides=[stride] * 2), scale, 120)
        if not has_silu:
            return x
        weight = through_bytes(node("Sigmoid", [x], f"{name}.sigmoid"), 1 / 255, 0)
        return through_bytes(node("Mul", [x, weight], f"{name}.silu"), scale * 0.6, 20)

    image = real("image", "image", np.array(1 / 255), np.array(3, np.uint8))
    fine = convolution(image, "fine", 3, 1, 0.03)
    coarse = convolution(fine, "coarse", 8, 2, 0.05)
    constants["factors"] = np.array([1, 1, 2, 2], np.float32)
    kind = {"nearest_mode": "floor"} if mode == "nearest" else {}
    large = through_bytes(node("Resize", [coarse, "", "factors"], "large", mode=mode, coordinate_transformation_mode="asymmetric", **kind),
                          0.05 * (0.6 if has_silu else 1), 20 if has_silu else 120)
    joined = through_bytes(node("Concat", [large, fine], "joined", axis=1), 0.045, 70)
    node("Identity", [convolution(joined, "last", 16, 1, 0.08)], "y")
    graph = helper.make_graph(nodes, "neck", [helper.make_tensor_value_info("image", TensorProto.UINT8, [1, 3, SIZE, SIZE])],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 8, SIZE, SIZE])],
                              [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    return model


def sample_image(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (1, 3, SIZE, SIZE)).astype(np.uint8)


def run(model: onnx.ModelProto, image: np.ndarray) -> np.ndarray:
    return exact_session(model.SerializeToString()).run(None, {"image": image})[0]


def with_gather(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same with standard operators in the place of each lookup, for ONNX Runtime's Python package."""
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    nodes = []
    for node in model.graph.node:
        if node.op_type == "QLinearLookup":
            index = f"{node.output[0]}.index"
            nodes += [helper.make_node("Cast", [node.input[0]], [index], to=TensorProto.INT32),
                      helper.make_node("Gather", [node.input[1], index], list(node.output))]
        else:
            nodes.append(node)
    del changed.graph.node[:]
    changed.graph.node.extend(nodes)
    return changed


def operators(model: onnx.ModelProto) -> list[str]:
    return [node.op_type for node in model.graph.node]


def test_concatenation_and_enlarging_change_no_bit() -> None:
    qdq = network(has_silu=False)
    made = for_cpu(qdq)
    assert {"Expand", "Concat", "QLinearLookup"} <= set(operators(made)) and not {"Resize", "QLinearConcat"} & set(operators(made))
    for seed in range(3):
        expected = run(qdq, sample_image(seed))
        assert len(np.unique(expected)) > 100
        np.testing.assert_array_equal(run(with_gather(made), sample_image(seed)), expected)


def test_another_resize_stays() -> None:
    qdq = network(has_silu=False, mode="linear")
    made = for_cpu(qdq)
    assert "Resize" in operators(made) and "Expand" not in operators(made)
    np.testing.assert_array_equal(run(with_gather(made), sample_image(1)), run(qdq, sample_image(1)))


def test_tables_hold_silu_rounded_once() -> None:
    made = for_cpu(network(has_silu=True))
    tables = {tensor.name: numpy_helper.to_array(tensor) for tensor in made.graph.initializer if tensor.name.endswith(".table")}
    assert operators(made).count("QLinearLookup") == len(tables) >= 4 and "QLinearSigmoid" not in operators(made)
    [name] = [node.input[1] for node in made.graph.node if node.op_type == "QLinearLookup" and node.output[0].startswith("fine.silu")
              and node.input[1] in tables]
    real = (np.arange(256) - 120) * float(np.float32(0.03))
    scale = float(np.float32(0.03 * 0.6))
    found = (tables[name].astype(float) - 20) * scale
    exact = np.maximum(real / (1 + np.exp(-real)), -20 * scale)
    inside = exact < (255 - 20) * scale
    assert inside.sum() > 200 and np.abs(found - exact)[inside].max() <= scale / 2 * (1 + 1e-9)
    assert (tables[name][~inside] == 255).all()


@needs_slipway
def test_the_runtime_gives_the_bits_of_standard_operators_and_nearly_those_of_the_qdq_model(tmp_path: Path) -> None:
    qdq = network(has_silu=True)
    made = for_cpu(qdq)
    onnx.save(made, tmp_path / "model.onnx")
    for seed in range(2):
        np.savez(tmp_path / "in.npz", image=sample_image(seed))
        done = slipway("infer", tmp_path / "model.onnx", "--inputs", tmp_path / "in.npz", "--output", tmp_path / "out.npz")
        assert done.returncode == 0, done.stderr
        found = np.load(tmp_path / "out.npz")["y"]
        np.testing.assert_array_equal(found, run(with_gather(made), sample_image(seed)))
        quanta = np.abs(found - run(qdq, sample_image(seed))) / (0.08 * 0.6)  # the QDQ form rounds the sigmoid, too
        assert quanta.mean() < 1 and np.quantile(quanta, 0.99) < 6
