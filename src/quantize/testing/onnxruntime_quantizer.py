"""ONNX Runtime's own quantiser with its settings for QNN: MODEL SAMPLES.npz OUTPUT uint8|uint16. An array of the samples holds one a row."""

import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize
from onnxruntime.quantization.execution_providers.qnn import get_qnn_qdq_config, qnn_preprocess_model
from onnxruntime.quantization.shape_inference import quant_pre_process


class Samples(CalibrationDataReader):
    def __init__(self, path: str) -> None:
        arrays = np.load(path)
        count = len(arrays[arrays.files[0]])
        self._feeds = iter([{name: arrays[name][row] for name in arrays.files} for row in range(count)])

    def get_next(self) -> dict[str, np.ndarray] | None:
        return next(self._feeds, None)


def main() -> None:
    model, samples, output, activations = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        folded, prepared = str(Path(folder) / "folded.onnx"), str(Path(folder) / "prepared.onnx")
        quant_pre_process(model, folded, skip_symbolic_shape=True)
        without_metadata = onnx.load(folded)  # which the next step falls over
        del without_metadata.metadata_props[:]
        onnx.save(without_metadata, folded)
        source = prepared if qnn_preprocess_model(folded, prepared) else folded
        types = {"uint8": QuantType.QUInt8, "uint16": QuantType.QUInt16}
        config = get_qnn_qdq_config(source, Samples(samples), activation_type=types[activations], weight_type=QuantType.QInt8,
                                    per_channel=True)
        quantize(source, output, config)


main()
