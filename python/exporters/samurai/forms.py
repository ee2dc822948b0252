"""What is exported and in which forms, and how a form is made of a traced graph and checked: all that needs no PyTorch."""

import os
import pathlib

import numpy as np
import onnx
import onnxruntime

from python.exporters.common.finish import Checked
from python.exporters.common.half import to_half

# Trunks of the published configurations; everything behind the trunk is the same in all four.
SIZES = {
    "tiny": {"hidden_size": 96, "num_attention_heads": 1, "blocks_per_stage": [1, 2, 7, 2], "global_attention_blocks": [5, 7, 9]},
    "small": {"hidden_size": 96, "num_attention_heads": 1, "blocks_per_stage": [1, 2, 11, 2], "global_attention_blocks": [7, 10, 13]},
    "base_plus": {"hidden_size": 112, "num_attention_heads": 2, "blocks_per_stage": [2, 3, 16, 3],
                  "global_attention_blocks": [12, 16, 20], "window_positional_embedding_background_size": [14, 14]},
    "large": {"hidden_size": 144, "num_attention_heads": 2, "blocks_per_stage": [2, 6, 36, 4],
              "global_attention_blocks": [23, 33, 43], "window_size_per_stage": [8, 4, 16, 8]},
}
MEMORIES = 7
# Of an output's largest value in the reference.
TOLERANCES = {"float32": 2e-4, "float16": 5e-2, "int8": 0.1}
# Small, so nothing is gained: coordinates need their digits, and int8 costs the decoder a tenth of its logits' size.
FLOAT_COMPONENTS = {"float16": {"prompt_encoder"}, "int8": {"prompt_encoder", "mask_decoder"}}
# A quotient of two numbers of pixels: a single one on the edge is already 2e-4 where a mask is small.
PIXEL_TOLERANCES = {"stability": 2e-3}
ATTENTIONS = [f"memory_attention_{n}" for n in range(1, MEMORIES + 1)]
COMPONENTS = ["image_encoder", "prompt_encoder", "mask_decoder", *ATTENTIONS, "memory_attention_masked", "memory_encoder"]
# Names that stand for several.
GROUPS = {"all": [name for name in COMPONENTS if name != "memory_attention_masked"], "memory_attention": ATTENTIONS}


def lower(path: pathlib.Path, name: str, options, free_batch: bool = False) -> None:
    """Gives a traced graph the form that the exporter's options name, in its place."""
    if not free_batch:
        _fold(path, "basic")
    if options.fp16 and name not in FLOAT_COMPONENTS["float16"]:
        _to_half(path)
    if options.quantize_dynamic and name not in FLOAT_COMPONENTS["int8"]:
        _to_int8(path)
    if options.optimize:
        _fold(path, "extended")


def _fold(path: pathlib.Path, level: str) -> None:
    """ONNX Runtime's own passes. basic: constants folded, what cancels taken out, standard operators stay standard;
    extended: operators fused into those of its CPU provider."""
    settings = onnxruntime.SessionOptions()
    levels = onnxruntime.GraphOptimizationLevel
    settings.graph_optimization_level = levels.ORT_ENABLE_BASIC if level == "basic" else levels.ORT_ENABLE_EXTENDED
    settings.log_severity_level = 3
    settings.optimized_model_filepath = str(path.with_suffix(".folded"))
    onnxruntime.InferenceSession(str(path), settings, providers=["CPUExecutionProvider"])
    os.replace(path.with_suffix(".folded"), path)


# Means and deviations leave half precision's range, as do areas; comparisons and casts have no float result to halve.
FLOAT_OPERATORS = {"LayerNormalization", "ReduceSum", "ReduceMean", "Resize", "Sin", "Cos", "Greater", "Less", "Cast"}


def _to_half(path: pathlib.Path) -> None:
    proto = onnx.load(path)
    # An angle in half precision would be another angle.
    angles = {value for node in proto.graph.node if node.op_type in ("Sin", "Cos") for value in node.input}
    onnx.save(to_half(proto, lambda node: node.op_type in FLOAT_OPERATORS or node.output[0] in angles), path)


def _to_int8(path: pathlib.Path) -> None:
    from onnxruntime.quantization import QuantType, quantize_dynamic
    quantize_dynamic(str(path), str(path.with_suffix(".int8")), op_types_to_quantize=["MatMul"], per_channel=True,
                     weight_type=QuantType.QInt8)
    os.replace(path.with_suffix(".int8"), path)


def session(path: pathlib.Path, threads: int = 0) -> onnxruntime.InferenceSession:
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(str(path), settings, providers=["CPUExecutionProvider"])


def check(name: str, path: pathlib.Path, cases, tolerance: float, threads: int) -> Checked:
    """cases: (inputs, outputs of PyTorch) by name; an output may be left out of a case. What is kept is the output
    closest to its tolerance, or farthest beyond it, by its largest value."""
    graph = session(path, threads)
    result = Checked(name, 0.0, 0.0, tolerance)
    for feed, expected in cases:
        got = dict(zip([each.name for each in graph.get_outputs()], graph.run(None, feed)))
        for key, reference in expected.items():
            difference = got[key].astype(np.float64) - reference
            # Infinity, unlike NaN, stays the largest of all that come after it.
            largest = float(np.nan_to_num(np.abs(difference), nan=np.inf).max() / max(1e-6, np.abs(reference).max()))
            rms = float(np.sqrt((difference**2).mean() / max(1e-12, (reference.astype(np.float64)**2).mean())))
            allowed = max(tolerance, PIXEL_TOLERANCES.get(key, 0.0))
            if largest / allowed >= result.max_abs / result.tolerance:
                result.max_abs, result.tolerance, result.of = largest, allowed, f" of the largest value ({key})"
            result.relative_rms = float(np.maximum(result.relative_rms, rms))
    return result
