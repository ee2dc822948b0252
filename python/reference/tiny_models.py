"""Writes the tiny models of the tests and what ONNX Runtime's Python package computes with them.

`python python/reference/tiny_models.py [FOLDER]`: NAME.onnx and NAME.npz (inputs as in.*, outputs as out.*), a few kB in all.
"""

import pathlib
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper


def value(name: str, shape: list, dtype: int = TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, dtype, shape)


def model(name: str, nodes: list, inputs: list, outputs: list, weights: dict | None = None) -> onnx.ModelProto:
    initializers = [numpy_helper.from_array(np.asarray(array), key) for key, array in (weights or {}).items()]
    graph = helper.make_graph(nodes, name, inputs, outputs, initializers)
    made = helper.make_model(graph, producer_name="slipway", opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(made)
    return made


def models(rng: np.random.Generator) -> dict[str, tuple[onnx.ModelProto, dict[str, np.ndarray]]]:
    def normal(*shape: int) -> np.ndarray:
        return rng.standard_normal(shape).astype(np.float32)

    node = helper.make_node
    convolution = {"weight": normal(4, 3, 3, 3), "bias": normal(4)}
    image = normal(1, 3, 8, 8)
    body = helper.make_graph(
        [node("Identity", ["go_on"], ["still_go_on"]), node("Add", ["count", "one"], ["next"])], "body",
        [value("step", [], TensorProto.INT64), value("go_on", [], TensorProto.BOOL), value("count", [])],
        [value("still_go_on", [], TensorProto.BOOL), value("next", [])], [numpy_helper.from_array(np.asarray(np.float32(1)), "one")])
    return {
        # As long as wanted: something to cancel.
        "loop": (model("loop", [node("Loop", ["trips", "", "zero"], ["count"], "loop", body=body)],
                       [value("trips", [], TensorProto.INT64)], [value("count", [])], {"zero": np.float32(0)}),
                 {"trips": np.array(10, np.int64)}),
        "add": (model("add", [node("Add", ["a", "b"], ["sum"], "add")], [value("a", [2, 3]), value("b", [2, 3])],
                      [value("sum", [2, 3])]), {"a": normal(2, 3), "b": normal(2, 3)}),
        "matmul": (model("matmul", [node("MatMul", ["x", "w"], ["y"], "matmul")], [value("x", [1, 16])],
                         [value("y", [1, 8])], {"w": normal(16, 8)}), {"x": normal(1, 16)}),
        "conv": (model("conv", [node("Conv", ["image", "weight", "bias"], ["c"], "conv", pads=[1, 1, 1, 1]),
                                node("Relu", ["c"], ["features"], "relu")],
                       [value("image", [1, 3, 8, 8])], [value("features", [1, 4, 8, 8])], convolution), {"image": image}),
        # A batch that varies, and an output whose size is only known after a run.
        "dynamic_relu": (model("dynamic_relu", [node("Relu", ["x"], ["y"], "relu"), node("NonZero", ["y"], ["where"], "nonzero")],
                               [value("x", ["batch", 4])],
                               [value("y", ["batch", 4]), value("where", [2, None], TensorProto.INT64)]),
                         {"x": normal(3, 4)}),
        # Erf and Det are not in the HTP compiler's repertoire: two nodes for the CPU between three partitions.
        "unsupported_on_npu": (model("unsupported_on_npu",
                                     [node("Conv", ["image", "weight", "bias"], ["c"], "conv", pads=[1, 1, 1, 1]),
                                      node("Erf", ["c"], ["e"], "erf"), node("Relu", ["e"], ["r"], "relu"),
                                      node("Det", ["r"], ["d"], "det"), node("Sigmoid", ["d"], ["y"], "sigmoid")],
                                     [value("image", [1, 3, 8, 8])], [value("y", [1, 4])], convolution), {"image": image}),
        "identity_int64": (model("identity_int64", [node("Identity", ["ids"], ["same"], "identity")],
                                 [value("ids", [4], TensorProto.INT64)], [value("same", [4], TensorProto.INT64)]),
                           {"ids": np.array([0, -1, 2**62, -(2**62)], np.int64)}),
        "half": (model("half", [node("Mul", ["x", "k"], ["y"], "mul")], [value("x", [2, 4], TensorProto.FLOAT16)],
                       [value("y", [2, 4], TensorProto.FLOAT16)], {"k": np.full(1, 1.5, np.float16)}),
                 {"x": normal(2, 4).astype(np.float16)}),
        "external": (model("external", [node("MatMul", ["x", "w"], ["y"], "matmul")], [value("x", [1, 32])],
                           [value("y", [1, 8])], {"w": normal(32, 8)}), {"x": normal(1, 32)}),
        # Says [1, 4], gives [1, 8]: ONNX Runtime warns and goes on.
        "wrong_output_shape": (model("wrong_output_shape", [node("Reshape", ["x", "shape"], ["y"], "reshape")],
                                     [value("x", [2, 4]), value("shape", [2], TensorProto.INT64)], [value("y", [1, 4])]),
                               {"x": normal(2, 4), "shape": np.array([1, 8], np.int64)}),
        # The random inputs of a profile make the one fail and the other give no numbers.
        "demanding": (model("demanding", [node("Sub", ["index", "seven"], ["place"], "place"),
                                          node("Gather", ["table", "place"], ["row"], "pick")],
                            [value("index", [1], TensorProto.INT64)], [value("row", [1])],
                            {"seven": np.int64(7), "table": normal(2)}), {"index": np.array([8], np.int64)}),
        "root_of_less_two": (model("root_of_less_two", [node("Sub", ["x", "two"], ["d"], "less"), node("Sqrt", ["d"], ["y"], "root")],
                                   [value("x", [4])], [value("y", [4])], {"two": np.float32(2)}), {"x": np.arange(2, 6, dtype=np.float32)}),
    }


def endless(trips_are_data: bool = False) -> onnx.ModelProto:
    """Adds one to its input for longer than anybody waits, or as often as its other input says."""
    one = numpy_helper.from_array(np.asarray(np.float32(1)), "one")
    body = helper.make_graph([helper.make_node("Identity", ["go_on"], ["still_go_on"]), helper.make_node("Add", ["count", "one"], ["next"])],
                             "body", [value("step", [], TensorProto.INT64), value("go_on", [], TensorProto.BOOL), value("count", [])],
                             [value("still_go_on", [], TensorProto.BOOL), value("next", [])], [one])
    loop = helper.make_node("Loop", ["trips", "", "x"], ["count"], "loop", body=body)
    if trips_are_data:
        return model("counting", [loop], [value("x", []), value("trips", [], TensorProto.INT64)], [value("count", [])], {})
    return model("endless", [loop], [value("x", [])], [value("count", [])], {"trips": np.int64(2**60)})


def misbehaving() -> onnx.ModelProto:
    """Doubles its input behind an operator of src/runtime/testing/misbehaving_op.cpp, which Python's package lacks."""
    nodes = [helper.make_node("Misbehave", ["x"], ["same"], "misbehave", domain="slipway.test"),
             helper.make_node("Add", ["same", "same"], ["y"])]
    graph = helper.make_graph(nodes, "misbehave", [value("x", [1, 4])], [value("y", [1, 4])])
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("slipway.test", 1)]
    return helper.make_model(graph, producer_name="slipway", opset_imports=opsets, ir_version=8)


def behind_misbehaving(made: onnx.ModelProto) -> onnx.ModelProto:
    """The same network behind that operator, at its only (float) input."""
    changed = onnx.ModelProto()
    changed.CopyFrom(made)
    name = changed.graph.input[0].name
    for user in changed.graph.node:
        user.input[:] = ["same_picture" if each == name else each for each in user.input]
    changed.graph.node.insert(0, helper.make_node("Misbehave", [name], ["same_picture"], "misbehave", domain="slipway.test"))
    changed.opset_import.append(helper.make_opsetid("slipway.test", 1))
    return changed


def lookup(x_type: int, table: np.ndarray, is_constant: bool = True) -> onnx.ModelProto:
    """Slipway's own operator (src/runtime/lookup_op.hpp) between free lengths."""
    inputs = [value("x", ["n"], x_type)]
    if not is_constant:
        inputs.append(value("table", [256], helper.np_dtype_to_tensor_dtype(table.dtype)))
    graph = helper.make_graph([helper.make_node("QLinearLookup", ["x", "table"], ["y"], "lookup", domain="slipway")], "lookup", inputs,
                              [value("y", ["n"], x_type)], [numpy_helper.from_array(table, "table")] if is_constant else [])
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("slipway", 1)]
    return helper.make_model(graph, producer_name="slipway", opset_imports=opsets, ir_version=8)


def write_lookups(folder: pathlib.Path, rng: np.random.Generator) -> None:
    """lookup_{uint8,int8} with what NumPy's indexing gives; lookup_bad_*, which must not load."""
    table = rng.permutation(256).astype(np.uint8)
    x = np.concatenate([np.arange(256), rng.integers(0, 256, 1001)]).astype(np.uint8)
    for dtype in (np.uint8, np.int8):
        name = f"lookup_{np.dtype(dtype).name}"
        onnx.save_model(lookup(helper.np_dtype_to_tensor_dtype(np.dtype(dtype)), table.view(dtype)), folder / f"{name}.onnx")
        np.savez(folder / f"{name}.npz", **{"in.x": x.view(dtype), "out.y": table[x].view(dtype)})
    for name, made in {"short": lookup(TensorProto.UINT8, table[:255]), "long": lookup(TensorProto.UINT8, np.append(table, table[:1])),
                       "float": lookup(TensorProto.UINT8, table.astype(np.float32)), "signed": lookup(TensorProto.UINT8, table.view(np.int8)),
                       "computed": lookup(TensorProto.UINT8, table, is_constant=False), "float_input": lookup(TensorProto.FLOAT, table)}.items():
        onnx.save_model(made, folder / f"lookup_bad_{name}.onnx")


def main() -> None:
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "tests/golden/models")
    folder.mkdir(parents=True, exist_ok=True)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    onnx.save_model(endless(), folder / "endless.onnx")
    onnx.save_model(endless(trips_are_data=True), folder / "counting.onnx")
    onnx.save_model(misbehaving(), folder / "misbehave.onnx")
    write_lookups(folder, np.random.default_rng(12))
    for name, (made, inputs) in models(np.random.default_rng(11)).items():
        path = folder / f"{name}.onnx"
        if name == "external":
            (folder / "external.data").unlink(missing_ok=True)
            onnx.save_model(made, path, save_as_external_data=True, location="external.data", size_threshold=0)
        else:
            onnx.save_model(made, path)
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        outputs = dict(zip((o.name for o in session.get_outputs()), session.run(None, inputs)))
        np.savez(folder / f"{name}.npz", **{f"in.{k}": v for k, v in inputs.items()},
                 **{f"out.{k}": v for k, v in outputs.items()})


if __name__ == "__main__":
    main()
