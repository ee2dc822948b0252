"""SAM 2.1 in PyTorch's automatic bf16, part by part: the peer of `slipway samurai --precision bf16 --float32 PART`."""

import torch
from torch.utils import _pytree

PARTS = ("image_encoder", "mask_decoder", "memory_attention", "memory_encoder")


def _modules(model) -> dict[str, list[torch.nn.Module]]:
    return {"image_encoder": [model.vision_encoder, model.mask_decoder.conv_s0, model.mask_decoder.conv_s1],
            "mask_decoder": [model.mask_decoder, model.object_pointer_proj], "memory_attention": [model.memory_attention],
            "memory_encoder": [model.memory_encoder]}


def _floats(tree):
    return _pytree.tree_map(lambda value: value.float() if isinstance(value, torch.Tensor) and value.is_floating_point() else value, tree)


def lower(model, float32: list[str]) -> None:
    """Runs every part under torch.autocast but those of `float32`; between parts everything is float32, which loses nothing."""
    for part, modules in _modules(model).items():
        if part in float32:
            continue
        for module in modules:
            module.forward = _lowered(module.forward)


def _lowered(forward):
    def run(*arguments, **named):
        with torch.autocast("cpu", torch.bfloat16):
            return _floats(forward(*arguments, **named))
    return run
