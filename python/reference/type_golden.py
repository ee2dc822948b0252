"""What operators make of the types of their inputs, as ONNX Runtime and the `onnx` package have it: tests/golden/onnx_types.

    .deps/venv/bin/python -m python.reference.type_golden

For each operator set a model whose nodes are cases, one beside the other, and whose outputs declare nothing, and a list of the
outputs: name, element type, the shape that ONNX Runtime gives when it runs the model, and what onnx.shape_inference knows of it
without running (? for a size, - for the rank). Open sizes are declared as such and run with one of the sizes that they allow.
"""

import itertools
import pathlib

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

FOLDER = pathlib.Path("tests/golden/onnx_types")
TYPES = {"f": TensorProto.FLOAT, "i": TensorProto.INT64, "j": TensorProto.INT32, "b": TensorProto.BOOL, "u": TensorProto.UINT8}
NUMPY = {"f": np.float32, "i": np.int64, "j": np.int32, "b": np.bool_, "u": np.uint8}


def ints(*values):
    return np.array(values, np.int64)


def index(value):
    return np.array(value, np.int64)


def floats(*shape):
    return np.full(shape, 0.25, np.float32)


class Models:
    """One model for each operator set, filled case by case."""

    def __init__(self):
        self.nodes, self.inputs, self.weights, self.outputs, self.fed = {}, {}, {}, {}, {}
        self.numbers = itertools.count()

    def value(self, opset, given):
        """An initialiser for an array; for "f[2,?3]" an input, whose second size is open and is 3 in the run; else a value's name."""
        if isinstance(given, np.ndarray):
            name = f"w{next(self.numbers)}"
            self.weights.setdefault(opset, []).append(numpy_helper.from_array(given, name))
            return name
        if "[" not in given:
            return given
        name = f"x{next(self.numbers)}"
        kind, sizes = given[0], [size for size in given[2:-1].split(",") if size]
        declared = [f"{name}_{axis}" if size.startswith("?") else int(size) for axis, size in enumerate(sizes)]
        self.inputs.setdefault(opset, []).append(helper.make_tensor_value_info(name, TYPES[kind], declared))
        self.fed.setdefault(opset, {})[name] = np.ones([int(size.lstrip("?")) for size in sizes], NUMPY[kind])
        return name

    def add(self, opset, operator, *inputs, outputs=1, **attributes):
        """A case. @return the names of its outputs, which are inputs of other cases"""
        number = next(self.numbers)
        names = [f"{operator}_{number}_{i}" for i in range(outputs)]
        node = helper.make_node(operator, [self.value(opset, given) for given in inputs], names, f"{operator}_{number}", **attributes)
        self.nodes.setdefault(opset, []).append(node)
        self.outputs.setdefault(opset, []).extend(names)
        return names

    def write(self, opset):
        outputs = [onnx.ValueInfoProto(name=name) for name in self.outputs[opset]]
        graph = helper.make_graph(self.nodes[opset], f"types_{opset}", self.inputs.get(opset, []), outputs, self.weights.get(opset, []))
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8, producer_name="slipway-tests")
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        run = dict(zip(self.outputs[opset], session.run(self.outputs[opset], self.fed[opset])))
        known = {each.name: each.type for each in onnx.shape_inference.infer_shapes(model, data_prop=True).graph.output}
        lines = [" ".join([name, str(helper.np_dtype_to_tensor_dtype(array.dtype)), listed(array.shape), inferred(known[name])])
                 for name, array in run.items()]
        onnx.save(model, FOLDER / f"opset{opset}.onnx")
        (FOLDER / f"opset{opset}.txt").write_text("\n".join(lines) + "\n")


def listed(sizes):
    return "[" + ",".join(str(size) for size in sizes) + "]"


def inferred(value):
    tensor = value.tensor_type
    if not value.HasField("tensor_type") or not tensor.HasField("shape"):
        return "-"
    return listed(size.dim_value if size.HasField("dim_value") else "?" for size in tensor.shape.dim)


def elementwise(models, opset):
    for operator in """Abs Acos Acosh Asin Asinh Atan Atanh Ceil Celu Cos Cosh Elu Erf Exp Floor Gelu HardSigmoid HardSwish Identity
                       LeakyRelu Log LogSoftmax Mish Neg Reciprocal Relu Round Selu Shrink Sigmoid Sign Sin Sinh Softmax Softplus Softsign
                       Sqrt Tan Tanh ThresholdedRelu IsInf IsNaN Trilu LpNormalization""".split():
        models.add(opset, operator, "f[2,?3,4]")
    for operator in "Add Div Max Min Mod Mul PRelu Pow Sub Equal Greater GreaterOrEqual Less LessOrEqual".split():
        more = {"fmod": 1} if operator == "Mod" else {}
        models.add(opset, operator, "f[2,3,4]", "f[3,1]", **more)
        models.add(opset, operator, "f[2,?3,4]", "f[1,1]", **more)
    models.add(opset, "Add", "f[3,1]", "f[2,1,4]")
    models.add(opset, "Add", "f[?3,4]", "f[3,4]")
    models.add(opset, "Add", "f[?1,4]", "f[?3,4]")
    for operator in "And Or Xor".split():
        models.add(opset, operator, "b[2,3,4]", "b[3,1]")
    for operator in "BitwiseAnd BitwiseOr BitwiseXor".split():
        models.add(opset, operator, "j[2,3,4]", "j[3,1]")
    models.add(opset, "BitwiseNot", "j[2,3]")
    models.add(opset, "Not", "b[2,?3]")
    models.add(opset, "Where", "b[3,1]", "f[4]", "f[2,1,1]")
    models.add(opset, "Clip", "f[2,3]", np.array(0, np.float32), np.array(6, np.float32))
    models.add(opset, "Cast", "f[2,?3]", to=TensorProto.INT32)
    models.add(opset, "CumSum", "f[2,3]", index(1))
    models.add(opset, "Dropout", "f[2,3]")
    models.add(opset, "QuantizeLinear", "f[2,3]", floats())
    models.add(opset, "QuantizeLinear", "f[2,3]", floats(), np.array(0, np.int8))
    models.add(opset, "QuantizeLinear", "f[2,3]", floats(), output_dtype=TensorProto.UINT16)
    models.add(opset, "DequantizeLinear", "u[2,3]", floats(), np.array(0, np.uint8))
    four = [floats(4)] * 4
    models.add(opset, "BatchNormalization", "f[2,4,3]", *four)
    models.add(opset, "InstanceNormalization", "f[2,4,3]", *four[:2])
    models.add(opset, "LayerNormalization", "f[2,3,4]", *four[:2])
    models.add(opset, "GroupNormalization", "f[2,4,3,3]", *four[:2], num_groups=2)


def moving(models, opset):
    models.add(opset, "Transpose", "f[2,?3,4]")
    models.add(opset, "Transpose", "f[2,3,4]", perm=[2, 0, 1])
    models.add(opset, "Concat", "f[2,3]", "f[2,4]", axis=-1)
    models.add(opset, "Concat", "f[2,?3]", "f[2,4]", axis=1)
    models.add(opset, "Concat", "f[2,3]", "f[1,3]", axis=0)
    for wanted in ([4, 3, 2], [0, -1], [-1, 0, 2], [1, 0, 8]):
        models.add(opset, "Reshape", "f[2,3,4]", ints(*wanted))
    models.add(opset, "Reshape", "f[2,?3,4]", ints(0, 0, 2, -1))
    models.add(opset, "Reshape", "f[2,?3,4]", ints(-1, 8))
    models.add(opset, "Reshape", "f[0,3]", ints(0, 5), allowzero=1)
    models.add(opset, "Reshape", "f[1]", np.array([], np.int64))
    for axis in (0, 1, 2, 3, -1):
        models.add(opset, "Flatten", "f[2,3,4]", axis=axis)
    models.add(opset, "Flatten", "f[2,?3,4]")
    for axis in (0, 1, -1):
        models.add(opset, "Gather", "f[2,3,4]", ints(0, 1), axis=axis)
        models.add(opset, "Gather", "f[2,?3,4]", index(0), axis=axis)
    models.add(opset, "Gather", "f[2,3,4]", np.zeros((2, 5), np.int64), axis=1)
    models.add(opset, "GatherElements", "f[2,3]", np.zeros((2, 2), np.int64), axis=1)
    models.add(opset, "GatherND", "f[2,3,4]", np.zeros((5, 2), np.int64))
    models.add(opset, "GatherND", "f[2,3,4]", np.zeros((2, 1), np.int64), batch_dims=1)
    models.add(opset, "GatherND", "f[2,3,4]", np.zeros((3,), np.int64))
    models.add(opset, "ScatterElements", "f[2,3]", np.zeros((1, 2), np.int64), floats(1, 2))
    models.add(opset, "ScatterND", "f[2,3]", np.zeros((1, 1), np.int64), floats(1, 3))
    for starts, ends, axes, steps in (([1], [3], [0], [1]), ([0], [9], [-1], [2]), ([-1], [-9], [1], [-1]), ([-3], [-1], [1], [1]),
                                      ([5], [2], [1], [1]), ([9], [0], [1], [-2]), ([0], [9], [1], [2]), ([-1], [-9], [1], [-3]),
                                      ([1, 0], [9, 2], [0, 2], [1, 1])):
        models.add(opset, "Slice", "f[4,5,6]", ints(*starts), ints(*ends), ints(*axes), ints(*steps))
    models.add(opset, "Slice", "f[4,5]", ints(1, 1), ints(3, 3))
    models.add(opset, "Slice", "f[?4,5]", ints(1), ints(3), ints(0))
    models.add(opset, "Slice", "f[4,5]", "i[1]", ints(3), ints(0))
    models.add(opset, "Expand", "f[3,1]", ints(2, 1, 4))
    models.add(opset, "Expand", "f[2,3]", ints(1))
    models.add(opset, "Expand", "f[?3,1]", ints(1, 4))
    models.add(opset, "Pad", "f[2,3]", ints(1, 0, 0, 2))
    models.add(opset, "Pad", "f[2,?3]", ints(1, -1, 0, 2))
    models.add(opset, "Split", "f[2,6]", outputs=3, axis=1, num_outputs=3)
    models.add(opset, "Split", "f[7,2]", outputs=3, num_outputs=3)
    models.add(opset, "Split", "f[2,6]", ints(1, 5), outputs=2, axis=-1)
    models.add(opset, "Split", "f[2,?6]", ints(1, 5), outputs=2, axis=1)
    models.add(opset, "Tile", "f[2,?3]", ints(3, 2))
    models.add(opset, "Tile", "f[2,3]", ints(3, 0))
    models.add(opset, "DepthToSpace", "f[2,8,3,?5]", blocksize=2)
    models.add(opset, "SpaceToDepth", "f[2,2,4,6]", blocksize=2)


def axes_as_attributes(models, opset):
    for axes in ([0], [-1], [0, 2], [2, 0], [-1, 1]):
        models.add(opset, "Unsqueeze", "f[2,?3]", axes=axes)
    for axes in ([1], [-1], [1, 3], [3, -3]):
        models.add(opset, "Squeeze", "f[2,1,?3,1]", axes=axes)


def axes_as_inputs(models, opset):
    for axes in ([0], [-1], [0, 2], [2, 0], [-1, 1], [-4, 3]):
        models.add(opset, "Unsqueeze", "f[2,?3]", ints(*axes))
    models.add(opset, "Unsqueeze", "f[]", ints(0, 1))
    for axes in ([1], [-1], [1, 3], [3, -3]):
        models.add(opset, "Squeeze", "f[2,1,?3,1]", ints(*axes))
    models.add(opset, "Squeeze", "f[1,2,1]")
    models.add(opset, "Squeeze", "f[1,?2,1]")
    models.add(opset, "Squeeze", "f[1,1]")


REDUCTIONS = "ReduceL1 ReduceL2 ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum".split()


def reducing(models, opset, has_axes_input):
    for operator in REDUCTIONS:
        as_input = has_axes_input or (operator == "ReduceSum" and opset >= 13)
        for axes, keepdims in (([1], 1), ([1], 0), ([-1], 0), ([0, 2], 0), ([2, 0], 1), ([-1, 0, 1], 0)):
            given, attributes = ((ints(*axes),), {}) if as_input else ((), {"axes": axes})
            models.add(opset, operator, "f[2,3,?4]", *given, keepdims=keepdims, **attributes)
        models.add(opset, operator, "f[2,3,?4]")
        models.add(opset, operator, "f[2,3,?4]", keepdims=0)
        if as_input:
            for noop in (0, 1):
                models.add(opset, operator, "f[2,3,?4]", noop_with_empty_axes=noop, keepdims=0)
                models.add(opset, operator, "f[2,3,?4]", np.array([], np.int64), noop_with_empty_axes=noop)
                models.add(opset, operator, "f[2,3,?4]", np.array([], np.int64), noop_with_empty_axes=noop, keepdims=0)
    for operator in ("ArgMax", "ArgMin"):
        for attributes in ({}, {"axis": 1, "keepdims": 0}, {"axis": -1}):
            models.add(opset, operator, "f[2,3,?4]", **attributes)
    models.add(opset, "TopK", "f[2,5]", ints(3), outputs=2)
    models.add(opset, "TopK", "f[5,?2]", ints(3), outputs=2, axis=0)


def sizes(models, opset):
    for shape in ("f[2,3,4]", "f[]", "f[2,?3]"):
        models.add(opset, "Shape", shape)
    for attributes in ({"start": 1}, {"end": -1}, {"start": -2, "end": 2}):
        models.add(opset, "Shape", "f[2,3,4]", **attributes)
    models.add(opset, "Size", "f[2,?3]")
    for start, limit, step in ((0, 5, 1), (0, 5, 2), (5, 0, -2), (3, 3, 1), (0, -5, 1)):
        models.add(opset, "Range", index(start), index(limit), index(step))
    models.add(opset, "Range", "i[]", index(5), index(1))
    models.add(opset, "ConstantOfShape", ints(2, 3))
    models.add(opset, "ConstantOfShape", "i[2]")
    models.add(opset, "NonZero", "f[2,3]")
    # Sizes that are computed in the graph.
    (shape,) = models.add(opset, "Shape", "f[6,4,5]")
    (first,) = models.add(opset, "Gather", shape, ints(0))
    (scalar,) = models.add(opset, "Gather", shape, index(-1))
    (row,) = models.add(opset, "Unsqueeze", scalar, ints(0))
    (double,) = models.add(opset, "Mul", first, ints(2))
    (half,) = models.add(opset, "Div", first, index(2))
    (more,) = models.add(opset, "Add", row, ints(5))
    (less,) = models.add(opset, "Sub", row, ints(1))
    (cast,) = models.add(opset, "Cast", less, to=TensorProto.INT64)
    for sizes_of in ([double, row, ints(-1)], [half, more, less], [cast, half]):
        (wanted,) = models.add(opset, "Concat", *sizes_of, axis=0)
        if sizes_of[0] == double:
            models.add(opset, "Reshape", "f[12,5,2]", wanted)
        else:
            models.add(opset, "ConstantOfShape", wanted)
    (one,) = models.add(opset, "Squeeze", row)
    models.add(opset, "Range", index(0), one, index(1))


def layers(models, opset):
    for a, b in (("f[2,3]", "f[3,4]"), ("f[3]", "f[3,4]"), ("f[2,3]", "f[3]"), ("f[3]", "f[3]"), ("f[5,1,2,3]", "f[7,3,4]"),
                 ("f[?2,3]", "f[3,4]"), ("f[3]", "f[2,3,4]"), ("f[5,2,3]", "f[3]")):
        models.add(opset, "MatMul", a, b)
    models.add(opset, "Gemm", "f[2,3]", "f[3,4]")
    models.add(opset, "Gemm", "f[3,?2]", "f[4,3]", transA=1, transB=1)
    weight = floats(6, 3, 3, 3)
    for attributes in ({}, {"strides": [2, 1]}, {"pads": [1, 1, 1, 1]}, {"pads": [0, 1, 2, 3]}, {"dilations": [2, 1]},
                       {"auto_pad": "SAME_UPPER", "strides": [2, 2]}, {"auto_pad": "SAME_LOWER"}, {"auto_pad": "VALID"}):
        models.add(opset, "Conv", "f[1,3,9,8]", weight, **attributes)
    models.add(opset, "Conv", "f[?2,3,9,8]", weight)
    models.add(opset, "Conv", "f[1,6,?9]", floats(6, 2, 3), group=3)
    models.add(opset, "Conv", "f[1,2,5,5,5]", floats(4, 2, 3, 3, 3))
    for attributes in ({}, {"strides": [2, 2]}, {"pads": [1, 1, 1, 1], "strides": [2, 2], "output_padding": [1, 1]}, {"dilations": [2, 2]},
                       {"output_shape": [9, 7], "strides": [2, 2]}, {"auto_pad": "SAME_UPPER", "strides": [2, 2]}):
        models.add(opset, "ConvTranspose", "f[1,6,5,4]", floats(6, 2, 3, 3), **attributes)
    models.add(opset, "ConvTranspose", "f[1,6,5]", floats(6, 2, 3), group=3)
    for operator in ("AveragePool", "MaxPool"):
        for attributes in ({}, {"strides": [2, 2]}, {"pads": [1, 1, 1, 1]}, {"ceil_mode": 1, "strides": [2, 2]},
                           {"auto_pad": "SAME_UPPER", "strides": [2, 2]}, {"dilations": [2, 2]}):
            models.add(opset, operator, "f[1,3,9,8]", kernel_shape=[3, 2], **attributes)
    models.add(opset, "MaxPool", "f[1,3,?9]", kernel_shape=[3], outputs=2)
    for operator in ("GlobalAveragePool", "GlobalMaxPool"):
        models.add(opset, operator, "f[?2,3,5,4]")
    nothing = ""
    models.add(opset, "Resize", "f[1,2,3,4]", nothing, nothing, ints(1, 2, 6, 9))
    models.add(opset, "Resize", "f[1,2,3,4]", nothing, np.array([1, 1, 2, 2], np.float32))
    models.add(opset, "GridSample", "f[2,3,4,5]", "f[2,6,7,2]")
    for operator, gates, states in (("LSTM", 4, 2), ("GRU", 3, 1), ("RNN", 1, 1)):
        for direction, count in (("forward", 1), ("bidirectional", 2)):
            models.add(opset, operator, "f[5,?2,3]", floats(count, 4 * gates, 3), floats(count, 4 * gates, 4), outputs=1 + states,
                       hidden_size=4, direction=direction)
    branches = {}
    for name, value in (("then_branch", floats(2, 3)), ("else_branch", floats(2, 5))):
        constant = helper.make_node("Constant", [], [name + "_value"], value=numpy_helper.from_array(value, name))
        given = helper.make_tensor_value_info(name + "_value", TensorProto.FLOAT, value.shape)
        branches[name] = helper.make_graph([constant], name, [], [given])
    models.add(opset, "If", "b[]", **branches)


def old_operators(models, opset):
    models.add(opset, "Upsample", "f[1,2,3,4]", np.array([1, 1, 2, 2], np.float32))
    models.add(opset, "Slice", "f[4,5,6]", starts=[1, -3], ends=[3, 9], axes=[0, 2])
    models.add(opset, "Slice", "f[4,5]", starts=[1], ends=[3])
    models.add(opset, "Pad", "f[2,3]", pads=[1, 0, 0, 2])
    models.add(opset, "Split", "f[2,6]", split=[2, 4], outputs=2, axis=1)
    models.add(opset, "Split", "f[2,6]", outputs=3, axis=-1)


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    models = Models()
    old_operators(models, 9)
    axes_as_attributes(models, 11)
    reducing(models, 11, has_axes_input=False)
    reducing(models, 17, has_axes_input=False)
    for family in (elementwise, moving, axes_as_inputs, sizes, layers):
        family(models, 21)
    reducing(models, 21, has_axes_input=True)
    for opset in models.nodes:
        models.write(opset)


if __name__ == "__main__":
    main()
