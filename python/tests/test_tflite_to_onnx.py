"""Single operators, judged by LiteRT: each test writes a one-operator TFLite file with the schema's own builder."""

import flatbuffers
import numpy as np
import onnx
import pytest
from ai_edge_litert import schema_py_generated as schema

from python.exporters.common.litert_check import compare_with_litert
from python.exporters.common.tflite_graph import UnsupportedModelError, densify, read_tflite
from python.exporters.common.tflite_to_onnx import convert, same_padding

RNG = np.random.default_rng(7)


class TfliteFile:
    """Builds a graph of a few operators."""

    def __init__(self):
        self.model = schema.ModelT()
        self.model.version = 3
        self.model.buffers = [schema.BufferT()]
        self.model.operatorCodes = []
        self.subgraph = schema.SubGraphT()
        self.subgraph.tensors, self.subgraph.operators = [], []
        self.model.subgraphs = [self.subgraph]

    def tensor(self, shape, constant=None, name=None):
        tensor = schema.TensorT()
        tensor.name = name or f"tensor/{len(self.subgraph.tensors)}"
        tensor.shape = list(shape)
        tensor.type = schema.TensorType.FLOAT32
        tensor.buffer = 0
        if constant is not None:
            if constant.dtype == np.int32:
                tensor.type = schema.TensorType.INT32
            elif constant.dtype == np.float16:
                tensor.type = schema.TensorType.FLOAT16
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(constant.tobytes(), dtype=np.uint8)
            self.model.buffers.append(buffer)
            tensor.buffer = len(self.model.buffers) - 1
        self.subgraph.tensors.append(tensor)
        return len(self.subgraph.tensors) - 1

    def constant(self, array):
        return self.tensor(array.shape, array)

    def operator(self, kind, inputs, outputs, options_type=0, options=None):
        code = schema.OperatorCodeT()
        code.builtinCode = getattr(schema.BuiltinOperator, kind)
        code.deprecatedBuiltinCode = code.builtinCode
        code.version = 1
        self.model.operatorCodes.append(code)
        operator = schema.OperatorT()
        operator.opcodeIndex = len(self.model.operatorCodes) - 1
        operator.inputs, operator.outputs = list(inputs), list(outputs)
        operator.builtinOptionsType, operator.builtinOptions = options_type, options
        self.subgraph.operators.append(operator)
        return outputs[0]

    def save(self, path, inputs, outputs):
        self.subgraph.inputs, self.subgraph.outputs = list(inputs), list(outputs)
        builder = flatbuffers.Builder(1024)
        builder.Finish(self.model.Pack(builder), b"TFL3")
        path.write_bytes(bytes(builder.Output()))
        return path


def assert_equals_litert(tmp_path, tflite, shape, layout="nhwc"):
    graph = read_tflite(tflite)
    model = convert(graph, ["image"], [f"out{i}" for i in range(len(graph.outputs))], layout)
    path = tmp_path / "model.onnx"
    onnx.save(model, path)
    tensors = [(f"random {i}", RNG.normal(size=shape).astype(np.float32)) for i in range(3)]
    for difference in compare_with_litert(tflite, path, tensors, layout):
        assert difference.relative < 1e-5, difference
    return model


def convolution(file, source, shape, kernel, stride, padding, depthwise, dilation=1, activation=0):
    channels, out = shape[3], shape[3] if depthwise else 5
    weights = RNG.normal(size=(1, kernel, kernel, out) if depthwise else (out, kernel, kernel, channels)).astype(np.float32)
    options = schema.DepthwiseConv2DOptionsT() if depthwise else schema.Conv2DOptionsT()
    options.padding = getattr(schema.Padding, padding)
    options.strideH = options.strideW = stride
    options.dilationHFactor = options.dilationWFactor = dilation
    options.fusedActivationFunction = activation
    if depthwise:
        options.depthMultiplier = 1
    span = (kernel - 1) * dilation + 1
    sides = [-(-n // stride) if padding == "SAME" else (n - span) // stride + 1 for n in shape[1:3]]
    target = file.tensor([1, *sides, out])
    kind = "DEPTHWISE_CONV_2D" if depthwise else "CONV_2D"
    types = schema.BuiltinOptions
    return file.operator(kind, [source, file.constant(weights), file.constant(RNG.normal(size=out).astype(np.float32))],
                         [target], types.DepthwiseConv2DOptions if depthwise else types.Conv2DOptions, options)


@pytest.mark.parametrize("layout", ["nhwc", "nchw"])
@pytest.mark.parametrize("depthwise", [False, True])
@pytest.mark.parametrize(("size", "kernel", "stride", "padding", "dilation"), [
    (8, 3, 1, "SAME", 1), (8, 3, 2, "SAME", 1), (9, 3, 2, "SAME", 1), (8, 5, 2, "SAME", 1), (8, 2, 2, "SAME", 1),
    (9, 3, 2, "VALID", 1), (9, 3, 1, "SAME", 2)])
def test_convolutions_pad_as_tflite_does(tmp_path, layout, depthwise, size, kernel, stride, padding, dilation):
    file, shape = TfliteFile(), (1, size, size + 1, 4)
    source = file.tensor(shape)
    result = convolution(file, source, shape, kernel, stride, padding, depthwise, dilation)
    assert_equals_litert(tmp_path, file.save(tmp_path / "m.tflite", [source], [result]), shape, layout)


@pytest.mark.parametrize("function", [schema.ActivationFunctionType.RELU, schema.ActivationFunctionType.RELU6])
def test_fused_activations_are_kept(tmp_path, function):
    file, shape = TfliteFile(), (1, 6, 6, 3)
    source = file.tensor(shape)
    result = convolution(file, source, shape, 3, 1, "SAME", False, activation=function)
    assert_equals_litert(tmp_path, file.save(tmp_path / "m.tflite", [source], [result]), shape)


def test_a_zero_pad_before_a_valid_convolution_becomes_its_padding(tmp_path):
    file, shape = TfliteFile(), (1, 8, 8, 3)
    source, padded = file.tensor(shape), file.tensor((1, 11, 10, 3))
    file.operator("PAD", [source, file.constant(np.array([[0, 0], [1, 2], [0, 2], [0, 0]], np.int32))], [padded],
                  schema.BuiltinOptions.PadOptions, schema.PadOptionsT())
    result = convolution(file, padded, (1, 11, 10, 3), 3, 2, "VALID", False)
    model = assert_equals_litert(tmp_path, file.save(tmp_path / "m.tflite", [source], [result]), shape)
    assert "Pad" not in [node.op_type for node in model.graph.node]


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
def test_max_pool_of_an_odd_image(tmp_path, padding):
    file, shape = TfliteFile(), (1, 7, 9, 2)
    options = schema.Pool2DOptionsT()
    options.padding = getattr(schema.Padding, padding)
    options.strideH = options.strideW = options.filterHeight = options.filterWidth = 2
    source, result = file.tensor(shape), file.tensor((1, 4, 5, 2) if padding == "SAME" else (1, 3, 4, 2))
    file.operator("MAX_POOL_2D", [source], [result], schema.BuiltinOptions.Pool2DOptions, options)
    assert_equals_litert(tmp_path, file.save(tmp_path / "m.tflite", [source], [result]), shape)


@pytest.mark.parametrize(("align", "half_pixel"), [(False, False), (True, False), (False, True)])
def test_bilinear_resize_in_each_coordinate_mode(tmp_path, align, half_pixel):
    file, shape = TfliteFile(), (1, 4, 6, 3)
    options = schema.ResizeBilinearOptionsT()
    options.alignCorners, options.halfPixelCenters = align, half_pixel
    source, result = file.tensor(shape), file.tensor((1, 8, 12, 3))
    file.operator("RESIZE_BILINEAR", [source, file.constant(np.array([8, 12], np.int32))], [result],
                  schema.BuiltinOptions.ResizeBilinearOptions, options)
    assert_equals_litert(tmp_path, file.save(tmp_path / "m.tflite", [source], [result]), shape)


def test_prelu_pad_of_channels_add_and_depth_to_space_share_one_transpose(tmp_path):
    file, shape = TfliteFile(), (1, 4, 4, 3)
    types = schema.BuiltinOptions
    source = file.tensor(shape)
    padded, sloped, summed, spread = (file.tensor(s) for s in [(1, 4, 4, 8)] * 3 + [(1, 8, 8, 2)])
    file.operator("PAD", [source, file.constant(np.array([[0, 0], [0, 0], [0, 0], [2, 3]], np.int32))], [padded],
                  types.PadOptions, schema.PadOptionsT())
    file.operator("PRELU", [padded, file.constant(RNG.normal(size=(1, 1, 8)).astype(np.float32))], [sloped])
    file.operator("ADD", [sloped, file.constant(RNG.normal(size=8).astype(np.float32))], [summed], types.AddOptions,
                  schema.AddOptionsT())
    options = schema.DepthToSpaceOptionsT()
    options.blockSize = 2
    file.operator("DEPTH_TO_SPACE", [summed], [spread], types.DepthToSpaceOptions, options)
    model = assert_equals_litert(tmp_path, file.save(tmp_path / "m.tflite", [source], [spread]), shape)
    assert [node.op_type for node in model.graph.node].count("Transpose") == 2  # in and out


def test_float16_weights_become_float32(tmp_path):
    file, shape = TfliteFile(), (1, 4, 4, 3)
    source, result = file.tensor(shape), file.tensor(shape)
    weight = file.constant(RNG.normal(size=3).astype(np.float16))
    wide = file.tensor((3,))
    file.operator("DEQUANTIZE", [weight], [wide], schema.BuiltinOptions.DequantizeOptions, schema.DequantizeOptionsT())
    file.operator("ADD", [source, wide], [result], schema.BuiltinOptions.AddOptions, schema.AddOptionsT())
    assert_equals_litert(tmp_path, file.save(tmp_path / "m.tflite", [source], [result]), shape)


def test_an_unknown_operator_is_named(tmp_path):
    file, shape = TfliteFile(), (1, 4, 4, 3)
    source, result = file.tensor(shape), file.tensor(shape)
    file.operator("COS", [source], [result])
    graph = read_tflite(file.save(tmp_path / "m.tflite", [source], [result]))
    with pytest.raises(UnsupportedModelError, match="operator COS"):
        convert(graph, ["image"], ["out"])


def test_a_file_that_is_not_tflite_is_refused(tmp_path):
    path = tmp_path / "m.tflite"
    path.write_bytes(b"not a flatbuffer at all")
    with pytest.raises(UnsupportedModelError, match="expected a TFLite file"):
        read_tflite(path)


def test_densify_walks_dense_and_compressed_levels():
    dense = np.array([[0, 1.5, 0, 2], [0, 0, 0, 0], [3, 0, 0, 4]], np.float16)
    rows, columns = schema.DimensionMetadataT(), schema.DimensionMetadataT()
    rows.format, rows.denseSize = schema.DimensionType.DENSE, 3
    columns.format = schema.DimensionType.SPARSE_CSR
    columns.arraySegments, columns.arrayIndices = schema.Uint8VectorT(), schema.Uint8VectorT()
    columns.arraySegments.values, columns.arrayIndices.values = [0, 2, 2, 4], [1, 3, 0, 3]
    sparsity = schema.SparsityParametersT()
    sparsity.traversalOrder, sparsity.dimMetadata = [0, 1], [rows, columns]
    np.testing.assert_array_equal(densify(np.array([1.5, 2, 3, 4], np.float16), (3, 4), sparsity), dense)


@pytest.mark.parametrize(("size", "kernel", "stride", "expected"), [(128, 5, 2, (1, 2)), (9, 3, 2, (1, 1)), (8, 2, 2, (0, 0))])
def test_same_padding_puts_the_odd_zero_last(size, kernel, stride, expected):
    assert same_padding(size, kernel, stride, 1) == expected
