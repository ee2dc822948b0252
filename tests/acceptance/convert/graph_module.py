"""An ONNX graph as a module of PyTorch, with its weights as parameters: for networks that are public as TFLite files alone.

Knows the operators of MediaPipe's hand and pose networks, as python.exporters write them, and no others.
"""

import onnx
import torch
from torch import nn
from torch.nn import functional as F


def _padded(x: torch.Tensor, pads: list[int]) -> torch.Tensor:
    """ONNX names all begins and then all ends; PyTorch pairs, the last axis first."""
    half = len(pads) // 2
    pairs = [value for axis in reversed(range(half)) for value in (pads[axis], pads[half + axis])]
    return F.pad(x, pairs) if any(pairs) else x


def _convolution(given, attributes):
    x, weight, *bias = given
    pads = attributes.get("pads", [0, 0, 0, 0])
    symmetric = pads[:2] == pads[2:]
    x = x if symmetric else _padded(x, pads)
    return F.conv2d(x, weight, bias[0] if bias else None, attributes.get("strides", 1), pads[:2] if symmetric else 0,
                    attributes.get("dilations", 1), attributes.get("group", 1))


def _resized(given, attributes):
    assert attributes["mode"] == b"linear" and attributes["coordinate_transformation_mode"] == b"half_pixel"
    scales = [float(each) for each in given[2]]
    height, width = (round(size * scale) for size, scale in zip(given[0].shape[2:], scales[2:]))
    return F.interpolate(given[0], size=(height, width), mode="bilinear", align_corners=False)


def _depth_to_space(given, attributes):
    x, size = given[0], attributes["blocksize"]
    assert attributes["mode"] == b"DCR"
    batch, channels, height, width = x.shape
    x = x.reshape(batch, size, size, channels // size**2, height, width).permute(0, 3, 4, 1, 5, 2)
    return x.reshape(batch, channels // size**2, height * size, width * size)


def _gemm(given, attributes):
    assert attributes.get("transB") == 1 and not attributes.get("transA")
    return F.linear(*given)


OPERATORS = {
    "Conv": _convolution,
    "Resize": _resized,
    "DepthToSpace": _depth_to_space,
    "Gemm": _gemm,
    "Add": lambda given, _: given[0] + given[1],
    "Clip": lambda given, _: torch.clamp(given[0], given[1].item(), given[2].item()),
    "PRelu": lambda given, _: F.prelu(given[0], given[1].flatten()),
    "Pad": lambda given, _: _padded(given[0], [int(each) for each in given[1]]),
    "MaxPool": lambda given, attributes: F.max_pool2d(_padded(given[0], attributes.get("pads", [0] * 4)),
                                                      attributes["kernel_shape"], attributes["strides"]),
    "Concat": lambda given, attributes: torch.cat(given, attributes["axis"]),
    "Reshape": lambda given, _: given[0].reshape([int(each) for each in given[1]]),
    "ReduceMean": lambda given, attributes: given[0].mean(list(attributes["axes"]), keepdim=bool(attributes["keepdims"])),
    "Sigmoid": lambda given, _: torch.sigmoid(given[0]),
    "Transpose": lambda given, attributes: given[0].permute(*attributes["perm"]),
}


class GraphModule(nn.Module):
    """Runs the nodes of a graph in their order. Weights are parameters; sizes, limits and pads stay numbers."""

    def __init__(self, path):
        super().__init__()
        graph = onnx.load(path).graph
        self.outputs = [output.name for output in graph.output]
        self.inputs = [value.name for value in graph.input]
        self.weights = nn.ParameterDict()
        self.numbers, self.names = {}, {}
        settings = {name for node in graph.node if node.op_type in ("Resize", "Reshape", "Pad", "Clip") for name in node.input[1:]}
        for tensor in graph.initializer:
            array = onnx.numpy_helper.to_array(tensor).copy()
            if tensor.name in settings:
                self.numbers[tensor.name] = array
            else:
                self.names[tensor.name] = f"w{len(self.weights)}"
                self.weights[self.names[tensor.name]] = nn.Parameter(torch.from_numpy(array))
        self.nodes = [(node.op_type, list(node.input), node.output[0],
                       {each.name: onnx.helper.get_attribute_value(each) for each in node.attribute}) for node in graph.node]
        unknown = {kind for kind, *_ in self.nodes} - OPERATORS.keys()
        if unknown:
            raise LookupError(f"{path}: operators {sorted(unknown)} are not known here")

    def forward(self, image):
        held = {self.inputs[0]: image}
        for kind, inputs, output, attributes in self.nodes:
            given = [held[name] if name in held else self.weights[self.names[name]] if name in self.names else
                     self.numbers.get(name) for name in inputs]
            held[output] = OPERATORS[kind](given, attributes)
        return tuple(held[name] for name in self.outputs)
