"""Models of a few kilobytes, made on the fly; their answers come from ONNX Runtime in Python."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

DTYPES = {np.dtype(np.float32): TensorProto.FLOAT, np.dtype(np.int64): TensorProto.INT64,
          np.dtype(np.int32): TensorProto.INT32}


def _random(*shape: int, seed: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).normal(scale=0.3, size=shape).astype(np.float32)


def _model(nodes: list, inputs: list, outputs: list, weights: dict[str, np.ndarray]) -> onnx.ModelProto:
    graph = helper.make_graph(nodes, "tiny", inputs, outputs, [numpy_helper.from_array(v, k) for k, v in weights.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    return model


def convolution(batch: int | str = 1) -> onnx.ModelProto:
    """x [batch, 3, 16, 16] -> features [batch, 8, 16, 16], scores [batch, 10]."""
    nodes = [helper.make_node("Conv", ["x", "w", "b"], ["conv"], name="conv", pads=[1, 1, 1, 1]),
             helper.make_node("Relu", ["conv"], ["features"], name="relu"),
             helper.make_node("GlobalAveragePool", ["features"], ["pooled"], name="pool"),
             helper.make_node("Flatten", ["pooled"], ["flat"], name="flatten"),
             helper.make_node("Gemm", ["flat", "v", "c"], ["scores"], name="gemm")]
    weights = {"w": _random(8, 3, 3, 3), "b": _random(8, seed=4), "v": _random(8, 10, seed=5), "c": _random(10, seed=6)}
    float32 = TensorProto.FLOAT
    return _model(nodes, [helper.make_tensor_value_info("x", float32, [batch, 3, 16, 16])],
                  [helper.make_tensor_value_info("features", float32, [batch, 8, 16, 16]),
                   helper.make_tensor_value_info("scores", float32, [batch, 10])], weights)


def deep(layers: int) -> onnx.ModelProto:
    """x [4] -> y [4] through so many nodes with names as long as exporters make them; ONNX Runtime fuses none of them."""
    nodes = [helper.make_node(("Sin", "Cos")[n % 2], ["x" if n == 0 else f"t{n}"], ["y" if n == layers - 1 else f"t{n + 1}"],
                              name=f"/model/backbone/stages.{n % 7}/blocks.{n % 13}/attention/projection/activation_{n}/Op")
             for n in range(layers)]
    shape = (TensorProto.FLOAT, [4])
    return _model(nodes, [helper.make_tensor_value_info("x", *shape)], [helper.make_tensor_value_info("y", *shape)], {})


def two_inputs() -> onnx.ModelProto:
    """left [2, 4], right [2, 4] -> sum, product; the order of the inputs matters."""
    kind = TensorProto.FLOAT
    nodes = [helper.make_node("Sub", ["left", "right"], ["difference"], name="sub"),
             helper.make_node("Mul", ["left", "right"], ["product"], name="mul")]
    return _model(nodes, [helper.make_tensor_value_info(name, kind, [2, 4]) for name in ("left", "right")],
                  [helper.make_tensor_value_info(name, kind, [2, 4]) for name in ("difference", "product")], {})


def with_int64() -> onnx.ModelProto:
    """ids int64 [1, 5] -> rows float [1, 5, 4], best int64 [1, 5]."""
    nodes = [helper.make_node("Gather", ["table", "ids"], ["rows"], name="gather"),
             helper.make_node("ArgMax", ["rows"], ["best"], name="argmax", axis=2, keepdims=0)]
    return _model(nodes, [helper.make_tensor_value_info("ids", TensorProto.INT64, [1, 5])],
                  [helper.make_tensor_value_info("rows", TensorProto.FLOAT, [1, 5, 4]),
                   helper.make_tensor_value_info("best", TensorProto.INT64, [1, 5])], {"table": _random(7, 4)})


def beyond_the_npu() -> onnx.ModelProto:
    """Det is an operator that the HTP does not know. x [1, 3, 3] -> y [1]."""
    return _model([helper.make_node("Relu", ["x"], ["positive"], name="relu"),
                   helper.make_node("Det", ["positive"], ["y"], name="determinant")],
                  [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 3])],
                  [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])], {})


def nothing_for_the_npu() -> onnx.ModelProto:
    """Det alone. x [1, 3, 3] -> y [1]."""
    return _model([helper.make_node("Det", ["x"], ["y"], name="determinant")],
                  [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 3])],
                  [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])], {})


def greedy() -> onnx.ModelProto:
    """x [1] -> y [1] by way of a gigabyte: x repeated 2^28 times, changed once so that the pages are written."""
    return _model([helper.make_node("Expand", ["x", "size"], ["many"], name="expand"),
                   helper.make_node("Exp", ["many"], ["changed"], name="exp"),
                   helper.make_node("ReduceMax", ["changed"], ["y"], name="largest", axes=[0], keepdims=1)],
                  [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])],
                  [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])], {"size": np.array([1 << 28], np.int64)})


def slow() -> onnx.ModelProto:
    """x [1, 1] -> y [1, 1] by way of ten products of 1024 x 1024: a fifth of a second, a few hundred bytes."""
    nodes = [helper.make_node("Expand", ["x", "side"], ["m0"], name="expand")]
    for step in range(10):
        nodes += [helper.make_node("MatMul", [f"m{step}", f"m{step}"], [f"p{step}"], name=f"product{step}"),
                  helper.make_node("Mul", [f"p{step}", "shrink"], [f"m{step + 1}"], name=f"shrink{step}")]
    nodes.append(helper.make_node("ReduceMean", ["m10"], ["y"], name="mean", axes=[0, 1], keepdims=1))
    return _model(nodes, [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1])],
                  [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 1])],
                  {"side": np.array([1024, 1024], np.int64), "shrink": np.float32(1 / 1024)})


def save(model: onnx.ModelProto, path: Path) -> Path:
    onnx.save(model, path)
    return path


def save_with_external_data(model: onnx.ModelProto, folder: Path, name: str = "model") -> Path:
    """FOLDER/NAME.onnx and FOLDER/NAME.data, as the client takes directories."""
    folder.mkdir(parents=True)
    copy = onnx.ModelProto()  # saving moves the weights out of what is saved
    copy.CopyFrom(model)
    onnx.save(copy, folder / f"{name}.onnx", save_as_external_data=True, all_tensors_to_one_file=True,
              location=f"{name}.data", size_threshold=0)
    return folder


def run(model: onnx.ModelProto | bytes | Path, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What ONNX Runtime in Python answers."""
    source = str(model) if isinstance(model, Path) else model if isinstance(model, bytes) else model.SerializeToString()
    session = onnxruntime.InferenceSession(source, providers=["CPUExecutionProvider"])
    return dict(zip([output.name for output in session.get_outputs()], session.run(None, inputs)))


def torchscript_like() -> bytes:
    """The archive layout of torch.jit.save, without a program that could run."""
    return _zip({"net/data.pkl": b"\x80\x02}q\x00.", "net/code/__torch__.py": b"class Net(Module):\n  pass\n",
                 "net/constants.pkl": b"\x80\x02).", "net/version": b"3\n"})


def exported_program_like() -> bytes:
    """The archive layout of torch.export.save."""
    return _zip({"net/archive_format": b"pt2", "net/archive_version": b"0", "net/models/model.json": b"{}",
                 "net/data/weights/model.pt": b"", "net/version": b"3\n"})


def _zip(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()
