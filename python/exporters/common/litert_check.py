"""Compares an ONNX model with the TFLite model that it was made from, on the same inputs."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import onnxruntime
from ai_edge_litert.interpreter import Interpreter


@dataclasses.dataclass
class OutputDifference:
    """The worst input for one output, measured by the range of what LiteRT gave for that input."""

    name: str
    relative: float = 0.0
    max_abs: float = 0.0
    low: float = 0.0
    high: float = 0.0
    worst: str = ""  # which input
    smallest_range: float = 1e-12  # 1 for a probability, whose range is known

    def note(self, label: str, expected: np.ndarray, found: np.ndarray) -> None:
        low, high = float(expected.min()), float(expected.max())
        # An output of one value, or one that hardly varies, is judged by its size.
        scale = max(high - low, abs(low), abs(high), self.smallest_range)
        largest = float(np.abs(expected - found).max())
        if not largest / scale <= self.relative:
            self.relative, self.max_abs, self.low, self.high, self.worst = largest / scale, largest, low, high, label


def compare_with_litert(checkpoint: Path, model_path: Path, inputs: Iterable[tuple[str, np.ndarray]],
                        layout: str, probabilities: tuple[str, ...] = (),
                        positions: tuple[int, ...] | None = None) -> list[OutputDifference]:
    """inputs: (name for the report, float32 NHWC tensor); outputs are paired in graph order. probabilities: outputs by name.
    positions: of the TFLite outputs that the ONNX model has; None: all."""
    interpreter = Interpreter(model_path=str(checkpoint), num_threads=1)
    interpreter.allocate_tensors()
    source = interpreter.get_input_details()[0]["index"]
    targets = [details["index"] for details in interpreter.get_output_details()]
    targets = targets if positions is None else [targets[position] for position in positions]
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(model_path), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    first = session.get_inputs()[0].shape[0]
    batch = first if isinstance(first, int) else 1
    differences = [OutputDifference(output.name, smallest_range=1.0 if output.name in probabilities else 1e-12)
                   for output in session.get_outputs()]
    for label, tensor in inputs:
        interpreter.set_tensor(source, tensor)
        interpreter.invoke()
        given = np.ascontiguousarray(tensor.transpose(0, 3, 1, 2)) if layout == "nchw" else tensor
        # A graph of a fixed batch sees the same image in each place.
        given = np.repeat(given, batch, axis=0)
        for difference, target, results in zip(differences, targets, session.run(None, {name: given})):
            found = results[-1:]
            expected = interpreter.get_tensor(target)
            if expected.shape != found.shape:
                raise ValueError(f"output {difference.name}: expected shape {expected.shape}, found {found.shape}")
            difference.note(label, expected, found)
    return differences
