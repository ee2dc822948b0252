"""Builds the graphs of a model, checks each against PyTorch and writes the model folder."""

import contextlib
import gc
import hashlib
import pathlib

import onnx
import torch
import transformers
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS
from transformers.models.sam2 import modeling_sam2

from python.exporters.common.finish import Checked, Report, finished_folder, trace
from python.exporters.common.model_folder import write_description
from python.exporters.samurai import attention, checkpoint, forms, graphs, peer

OPSET = 17
ATTENTION_INPUTS = ["image_embeddings", "memories", "object_pointers", "pointer_distances", "pointer_validity"]
NAMES = {
    "image_encoder": (["image"], ["image_embeddings", "high_res_features1", "high_res_features2"]),
    "prompt_encoder": (["points", "labels", "mask", "has_mask"], ["sparse_embedding", "sparse_validity", "dense_embedding"]),
    "mask_decoder": (["embeddings", "no_memory", "high_res_features1", "high_res_features2", "sparse_embedding", "sparse_validity",
                      "dense_embedding"], ["masks", "ious", "object_pointers", "object_score", "stability"]),
    "memory_encoder": (["image_embeddings", "mask", "object_score", "is_prompt"], ["memory"]),
    "memory_attention_masked": ([*ATTENTION_INPUTS, "memory_validity"], ["conditioned_embeddings"]),
} | {name: (ATTENTION_INPUTS, ["conditioned_embeddings"]) for name in forms.ATTENTIONS}
LAYOUTS = {"image": "N C H W", "points": "N P XY", "labels": "N P", "masks": "N tokens H W", "ious": "N tokens",
           "object_pointers": "", "memories": "slot C H W"}


def export(options, model=None) -> list[Checked]:
    """Writes the model folder; returns how near each graph came to PyTorch. Raises DifferenceError beyond a tolerance.

    @param model  used instead of what the options name: for tests
    """
    precision = "float16" if options.fp16 else "int8" if options.quantize_dynamic else "float32"
    tolerance = forms.TOLERANCES[precision]
    report = Report()
    if model is None:
        model = _model(options)
    weights = checkpoint.content_hash(model)
    source = peer.Peer(model)
    samples = peer.samples(source)
    with finished_folder(options.output) as work:
        entries = {}
        for name in options.components:
            path = work / f"{name}.onnx"
            _write(model, name, path, options, weights)
            report.add(forms.check(name, path, samples(name), tolerance, options.threads))
            entries[name] = _entry(path)
            gc.collect()
        write_description(work, _document(options, model, weights, entries, precision, report))
    return report.checked


def _model(options):
    if options.seed is not None:
        return checkpoint.seeded(checkpoint.configuration(options.size, options.image_size), options.seed)
    return checkpoint.load(options.checkpoint, options.size, options.image_size)


@contextlib.contextmanager
def _traced_as(model, layout: str, free_batch: bool):
    """The trunk with its position code as a constant, windows of one image in five axes and, for the CPU, the fused attention."""
    trunk = model.vision_encoder.backbone
    side = model.config.image_size // 4
    with torch.no_grad():
        code = trunk._get_pos_embed((side, side)).detach()
    before = trunk.config._attn_implementation
    trunk._get_pos_embed = lambda _: code
    windows = modeling_sam2.window_partition, modeling_sam2.window_unpartition
    if not free_batch:
        modeling_sam2.window_partition, modeling_sam2.window_unpartition = attention.to_windows, attention.from_windows
    if layout == "cpu":
        ALL_ATTENTION_FUNCTIONS.register("slipway", attention.trunk_attention)
        trunk.config._attn_implementation = "slipway"
    try:
        yield
    finally:
        trunk.config._attn_implementation = before
        modeling_sam2.window_partition, modeling_sam2.window_unpartition = windows
        del trunk._get_pos_embed


def module_of(model, name: str, layout: str):
    if name.startswith("memory_attention"):
        count = graphs.MEMORIES if name.endswith("masked") else int(name.rsplit("_", 1)[1])
        return graphs.MemoryAttention(model, count, layout)
    return {"image_encoder": graphs.ImageEncoder, "prompt_encoder": graphs.PromptEncoder, "mask_decoder": graphs.MaskDecoder,
            "memory_encoder": graphs.MemoryEncoder}[name](model)


def shapes(model, name: str) -> list[list[int]]:
    config = model.config
    size, channels, memory = config.image_size, config.memory_attention_hidden_size, config.memory_encoder_output_channels
    side, points = size // 16, graphs.PROMPT_POINTS
    embedding, mask = [1, channels, side, side], [1, 1, size // 4, size // 4]
    if name.startswith("memory_attention"):
        masked = name.endswith("masked")
        count = graphs.MEMORIES if masked else int(name.rsplit("_", 1)[1])
        pointers = graphs.POINTERS
        result = [embedding, [count, memory, side, side], [pointers, channels], [pointers], [pointers]]
        return result + [[graphs.MEMORIES]] if masked else result
    return {
        "image_encoder": [[1, 3, size, size]],
        "prompt_encoder": [[1, points, 2], [1, points], mask, [1]],
        "mask_decoder": [embedding, [1], [1, channels // 8, size // 4, size // 4], [1, channels // 4, size // 8, size // 8],
                         [1, points, channels], [1, points], embedding],
        "memory_encoder": [embedding, mask, [1, 1], [1]],
    }[name]


def _write(model, name: str, path: pathlib.Path, options, weights: str) -> None:
    inputs, outputs = NAMES[name]
    arguments = tuple(torch.zeros(shape) for shape in shapes(model, name))
    axes = {}
    if options.dynamic_batch and name == "image_encoder":
        axes = {value: {0: "batch"} for value in inputs + outputs}
    module = module_of(model, name, options.layout).eval()
    with _traced_as(model, options.layout, free_batch=bool(axes)):
        trace(module, arguments, path, inputs, outputs, OPSET, dynamic_axes=axes, do_constant_folding=True)
    del module
    forms.lower(path, name, options, free_batch=bool(axes))
    proto = onnx.load(path)
    proto.producer_name, proto.doc_string = "slipway", f"{name} of SAM 2.1 video, {options.layout} layout"
    for each in proto.graph.node:
        each.doc_string = ""
    used = {node.domain for node in proto.graph.node}
    for each in [each for each in proto.opset_import if each.domain and each.domain not in used]:
        proto.opset_import.remove(each)
    onnx.helper.set_model_props(proto, {"slipway.model_id": weights[:16], "slipway.component": name})
    onnx.checker.check_model(proto)
    onnx.save(proto, path)


def _tensor(value) -> dict:
    shape = [each.dim_value or -1 for each in value.type.tensor_type.shape.dim]
    layout = LAYOUTS.get(value.name) or ("N C H W" if len(shape) == 4 else "")
    return {"name": value.name, "dtype": "float32", "shape": shape} | ({"layout": layout} if layout else {})


def _entry(path: pathlib.Path) -> dict:
    proto = onnx.load(path, load_external_data=False)
    return {"file": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "inputs": [_tensor(each) for each in proto.graph.input], "outputs": [_tensor(each) for each in proto.graph.output]}


def _numbers(tensor) -> list[float]:
    return [float(f"{value:.9g}") for value in tensor.detach().flatten().tolist()]


def _document(options, model, weights: str, entries: dict, precision: str, report: Report) -> dict:
    config = model.config
    seeded = options.seed is not None
    name = options.name or (f"sam2.1-hiera-{options.size.replace('_', '-')}-seed-{options.seed}" if seeded else options.checkpoint.stem)
    return {
        "schema": 1,
        "name": name,
        "pipeline": "samurai",
        "graphs": entries,
        "constants": {
            "model_id": weights[:16],
            "image_size": config.image_size,
            "hidden_channels": config.memory_attention_hidden_size,
            "memory_channels": config.memory_encoder_output_channels,
            "prompt_points": graphs.PROMPT_POINTS,
            "memories": config.num_maskmem,
            "object_pointers": graphs.POINTERS,
            "absent_label": graphs.ABSENT,
            "no_object_logit": graphs.NO_OBJECT,
            "object_score_min": graphs.OBJECT_SCORE_MIN,
            "stability_threshold": config.mask_decoder_config.dynamic_multimask_stability_thresh,
            "motion_weight": checkpoint.MOTION_WEIGHTS.get(options.size, 0.25),
            "mask_downsample_weight": _numbers(model.mask_downsample.weight),
            "mask_downsample_bias": _numbers(model.mask_downsample.bias),
            "no_object_pointer": _numbers(model.no_object_pointer),
        },
        "size": options.size,
        "precision": precision,
        "layout": options.layout,
        "source": f"transformers {transformers.__version__} Sam2VideoModel, " + (
            f"weights drawn from seed {options.seed}" if seeded else f"checkpoint {options.checkpoint.name}"),
        "licence": "Apache-2.0 (transformers); " + ("seeded weights are free" if seeded else "weights: as their publisher says"),
        "weights_sha256": weights,
        "tolerances": {"relative_max": forms.TOLERANCES[precision]},
        "checked": {"against": f"PyTorch {torch.__version__}",
                    "relative_max": {each.name: float(f"{each.max_abs:.3g}") for each in report.checked}},
    }
