"""The publisher's own checkpoints (`{"model": state}` in the names of the repository facebookresearch/sam2), told in the
names of `transformers`."""

import re

import torch

_ATTENTIONS = "self_attn|cross_attn_image|cross_attn_token_to_image|cross_attn_image_to_token|final_attn_token_to_image"
# Tried in this order, all of them on every name; what none changes has the same name in both.
_RENAMES = [(re.compile(pattern), replacement) for pattern, replacement in (
    (r"^maskmem_tpos_enc$", "memory_temporal_positional_encoding"),
    (r"^no_mem_embed$", "no_memory_embedding"),
    (r"^no_mem_pos_enc$", "no_memory_positional_encoding"),
    (r"^no_obj_ptr$", "no_object_pointer"),
    (r"^no_obj_embed_spatial$", "occlusion_spatial_embedding_parameter"),
    (r"^obj_ptr_proj\.", "object_pointer_proj."),
    (r"^obj_ptr_tpos_proj\.", "temporal_positional_encoding_projection_layer."),
    (r"^image_encoder\.trunk\.", "vision_encoder.backbone."),
    (r"\.patch_embed\.proj\.", ".patch_embed.projection."),
    (r"^image_encoder\.neck\.convs\.(\d+)\.conv\.", r"vision_encoder.neck.convs.\1."),
    (r"^sam_prompt_encoder\.pe_layer\.positional_encoding_gaussian_matrix$", "prompt_encoder.shared_embedding.positional_embedding"),
    (r"^sam_prompt_encoder\.", "prompt_encoder."),
    (r"^sam_mask_decoder\.", "mask_decoder."),
    (r"^memory_encoder\.pix_feat_proj\.", "memory_encoder.feature_projection."),
    (r"^memory_encoder\.out_proj\.", "memory_encoder.projection."),
    (r"^memory_encoder\.fuser\.", "memory_encoder.memory_fuser."),
    (r"^(memory_encoder\.memory_fuser\..*)\.gamma$", r"\1.scale"),
    (r"\.dwconv\.", ".depthwise_conv."),
    (r"\.pwconv([12])\.", r".pointwise_conv\1."),
    (rf"\.({_ATTENTIONS})\.out_proj\.", r".\1.o_proj."),
    (r"\.norm_final_attn\.", ".layer_norm_final_attn."),
    (r"\.norm(\d?)\.(weight|bias)$", r".layer_norm\1.\2"),
)]
# Layers that have a number in a row there and a name here.
_NAMED = {
    "prompt_encoder.mask_downscaling": ("prompt_encoder.mask_embed", {0: "conv1", 1: "layer_norm1", 3: "conv2", 4: "layer_norm2", 6: "conv3"}),
    "mask_decoder.output_upscaling": ("mask_decoder", {0: "upscale_conv1", 1: "upscale_layer_norm", 3: "upscale_conv2"}),
    "memory_encoder.mask_downsampler.encoder": (
        "memory_encoder.mask_downsampler",
        {12: "final_conv"} | {3 * k + step: f"layers.{k}.{part}" for k in range(4) for step, part in ((0, "conv"), (1, "layer_norm"))}),
}
# Perceptrons: their first layer is proj_in here, their last proj_out, and those between are counted from 0.
_PERCEPTRONS = re.compile(r"^(.*\.mlp|.*hypernetworks_mlps\.\d+|.*\.iou_prediction_head|.*\.pred_obj_score_head|object_pointer_proj)"
                          r"\.layers\.(\d+)\.(weight|bias)$")
_KINDS = re.compile(r"^sam_prompt_encoder\.point_embeddings\.(\d+)\.weight$")


def is_publishers(state: dict) -> bool:
    """True for a file as published; the state itself is below `model` there."""
    return isinstance(state.get("model"), dict)


def renamed(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The same tensors by the names of `transformers`; names that neither knows stay as they are."""
    result, last = {}, {}
    names = {}
    for name in state:
        new = name
        for pattern, replacement in _RENAMES:
            new = pattern.sub(replacement, new)
        names[name] = new
        if found := _PERCEPTRONS.match(new):
            last[found[1]] = max(last.get(found[1], 0), int(found[2]))
    for name, new in names.items():
        if found := _PERCEPTRONS.match(new):
            number = int(found[2])
            layer = "proj_in" if number == 0 else "proj_out" if number == last[found[1]] else f"layers.{number - 1}"
            new = f"{found[1]}.{layer}.{found[3]}"
        for row, (place, layers) in _NAMED.items():
            if found := re.match(rf"^{re.escape(row)}\.(\d+)\.(weight|bias)$", new):
                if int(found[1]) in layers:
                    new = f"{place}.{layers[int(found[1])]}.{found[2]}"
        if not _KINDS.match(name):
            result[new] = state[name]
    kinds = sorted((int(_KINDS.match(name)[1]), name) for name in state if _KINDS.match(name))
    if kinds:
        result["prompt_encoder.point_embed.weight"] = torch.cat([state[name] for _, name in kinds])
    directions = "prompt_encoder.shared_embedding.positional_embedding"
    if directions in result:
        result["shared_image_embedding.positional_embedding"] = result[directions]
    return result
