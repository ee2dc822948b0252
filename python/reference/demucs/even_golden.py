"""Writes a separator of four nodes with the small HTDemucs' form: `python -m python.reference.demucs.even_golden [FOLDER]`.

Every stem is an eighth of the song by each of the two branches. It is for tests of what stands around a separator: ONNX
Runtime plans the small HTDemucs' 1,900 nodes for two seconds whenever a command opens it.
"""

from __future__ import annotations

import hashlib
import pathlib
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SEGMENT = 8192
STEMS = 4


def network() -> onnx.ModelProto:
    shapes = {"input": ["batch", 2, SEGMENT], "x": ["batch", 4, 2048, 8]}
    nodes, outputs = [], []
    for name, given in (("output", "x"), ("add_67", "input")):
        nodes += [helper.make_node("Unsqueeze", [given, "axis"], [f"{given}.once"]),
                  helper.make_node("Mul", [f"{given}.once", f"{given}.part"], [name])]
        batch, *rest = shapes[given]
        outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, [batch, STEMS, *rest]))
    weights = {"axis": np.array([1], np.int64), "x.part": np.full((STEMS, 1, 1, 1), 1 / (2 * STEMS), np.float32),
               "input.part": np.full((STEMS, 1, 1), 1 / (2 * STEMS), np.float32)}
    graph = helper.make_graph(nodes, "even", [helper.make_tensor_value_info(k, TensorProto.FLOAT, v) for k, v in shapes.items()],
                              outputs, [numpy_helper.from_array(v, k) for k, v in weights.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    return model


def main(folder: pathlib.Path = pathlib.Path("tests/golden/demucs")) -> None:
    (folder / "even").mkdir(parents=True, exist_ok=True)
    content = network().SerializeToString()
    (folder / "even/even.onnx").write_bytes(content)
    (folder / "even/model.yaml").write_text(f"""\
schema: 1
name: even
pipeline: demucs
labels: [drums, bass, other, vocals]
graphs:
  even:
    file: even.onnx
    sha256: {hashlib.sha256(content).hexdigest()}
    inputs:
    - name: input
      dtype: float32
      shape: [-1, 2, {SEGMENT}]
      layout: N C T
    - name: x
      dtype: float32
      shape: [-1, 4, 2048, 8]
      layout: N C F frames
    outputs:
    - name: output
      dtype: float32
      shape: [-1, 4, 4, 2048, 8]
      layout: N S C F frames
    - name: add_67
      dtype: float32
      shape: [-1, 4, 2, {SEGMENT}]
      layout: N S C T
constants:
  sample_rate: 44100
  segment_samples: {SEGMENT}
  overlap: 0.25
""")


if __name__ == "__main__":
    main(*map(pathlib.Path, sys.argv[1:]))
