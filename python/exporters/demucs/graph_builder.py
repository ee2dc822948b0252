"""A small writer of ONNX graphs: nodes in the order they run, named by scope, constants shared by content."""

import contextlib
import hashlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 17
IR_VERSION = 8


class GraphBuilder:
    """Collects nodes and constants; `model()` gives the checked ModelProto."""

    def __init__(self, name: str):
        self._name = name
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[str, onnx.TensorProto] = {}
        self._by_content: dict[tuple, str] = {}
        self._inputs: list[onnx.ValueInfoProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []
        self._scopes: list[str] = []
        self._names: dict[str, int] = {}
        self._domains = {"": OPSET}

    @contextlib.contextmanager
    def scope(self, name: str):
        """Nodes made inside are named `name/...`."""
        self._scopes.append(name)
        try:
            yield
        finally:
            self._scopes.pop()

    def _unique(self, name: str) -> str:
        full = "/".join([*self._scopes, name])
        count = self._names.get(full, 0)
        self._names[full] = count + 1
        return full if count == 0 else f"{full}_{count}"

    def input(self, name: str, shape: list) -> str:
        self._inputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
        return name

    def output(self, value: str, name: str, shape: list) -> None:
        """Gives the value the name of a graph output."""
        for node in self._nodes:
            for k, each in enumerate(node.output):
                if each == value:
                    node.output[k] = name
            for k, each in enumerate(node.input):
                if each == value:
                    node.input[k] = name
        self._outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))

    def constant(self, array, name: str = "constant") -> str:
        array = np.ascontiguousarray(array)
        if array.dtype == np.float64:
            array = array.astype(np.float32)
        key = (array.dtype.str, array.shape, hashlib.sha256(array.tobytes()).hexdigest())
        if key not in self._by_content:
            full = self._unique(name)
            self._constants[full] = numpy_helper.from_array(array, full)
            self._by_content[key] = full
        return self._by_content[key]

    def integers(self, *values: int) -> str:
        return self.constant(np.array(values, dtype=np.int64), "integers")

    def scalar(self, value: float) -> str:
        return self.constant(np.array(value, dtype=np.float32), "scalar")

    def op(self, op_type: str, *inputs: str, outputs: int = 1, domain: str = "", name: str | None = None, **attributes):
        """Appends a node; returns the name of its output, or a list of names."""
        if domain:
            self._domains[domain] = 1
        full = self._unique(name or op_type.lower())
        names = [f"{full}:{k}" if outputs > 1 else f"{full}:out" for k in range(outputs)]
        attributes = {k: v for k, v in attributes.items() if v is not None}
        self._nodes.append(helper.make_node(op_type, list(inputs), names, name=full, domain=domain, **attributes))
        return names[0] if outputs == 1 else names

    def reshape(self, x: str, *shape: int) -> str:
        return self.op("Reshape", x, self.integers(*shape))

    def slice(self, x: str, axis: int, start: int, end: int) -> str:
        return self.op("Slice", x, self.integers(start), self.integers(end), self.integers(axis))

    def model(self, doc: str) -> onnx.ModelProto:
        graph = helper.make_graph(self._nodes, self._name, self._inputs, self._outputs, list(self._constants.values()))
        opsets = [helper.make_opsetid(domain, version) for domain, version in self._domains.items()]
        model = helper.make_model(graph, opset_imports=opsets, producer_name="slipway", doc_string=doc)
        model.ir_version = IR_VERSION
        onnx.checker.check_model(model)
        return model
