"""Where the weights come from: the publisher's own file, a folder or state file of the `transformers` package, or a seed."""

import hashlib
import pathlib

import torch
from transformers import Sam2HieraDetConfig, Sam2VideoConfig, Sam2VideoModel, Sam2VisionConfig

from python.exporters.common.unsupported import UnsupportedModelError
from python.exporters.samurai import publisher
from python.exporters.samurai.forms import SIZES


class Refused(UnsupportedModelError):
    """What was asked cannot be exported; the message says what was expected and what was found."""


# SAMURAI's share of motion in the choice of a mask, by configuration.
MOTION_WEIGHTS = {"large": 0.15}


def configuration(size: str, image_size: int) -> Sam2VideoConfig:
    trunk = dict(SIZES[size])
    width, heads = trunk["hidden_size"], trunk["num_attention_heads"]
    return assemble(trunk | {"embed_dim_per_stage": [width << k for k in range(4)],
                             "num_attention_heads_per_stage": [heads << k for k in range(4)]}, image_size)


def assemble(trunk: dict, image_size: int, hidden: int = 256, memory: int = 64, heads: int = 8, mlp: int = 2048) -> Sam2VideoConfig:
    """A configuration from the trunk's; the defaults are those of all released sizes."""
    vision = Sam2VisionConfig(
        backbone_config=Sam2HieraDetConfig(image_size=[image_size, image_size], **trunk),
        backbone_channel_list=trunk["embed_dim_per_stage"][::-1], fpn_hidden_size=hidden,
        backbone_feature_sizes=[[image_size // stride] * 2 for stride in (4, 8, 16)])
    config = Sam2VideoConfig(
        vision_config=vision, image_size=image_size,
        prompt_encoder_config={"image_size": image_size, "hidden_size": hidden},
        mask_decoder_config={"hidden_size": hidden, "mlp_dim": mlp, "num_attention_heads": heads, "iou_head_hidden_dim": hidden},
        memory_attention_hidden_size=hidden, memory_attention_feed_forward_hidden_size=mlp,
        memory_attention_rope_feat_sizes=[image_size // 16] * 2, memory_encoder_hidden_size=hidden,
        memory_encoder_output_channels=memory, mask_downsampler_embed_dim=hidden, memory_fuser_embed_dim=hidden,
        memory_fuser_intermediate_dim=4 * hidden)
    config._attn_implementation = "sdpa"
    return config


def seeded(config: Sam2VideoConfig, seed: int) -> Sam2VideoModel:
    """The architecture with every parameter drawn from the seed, in double precision and then rounded.

    Fresh parameters of the package leave memory codes, layer scales and no-object values at zero: a fault there would not
    show. Widths are chosen so that features stay near one and masks have both signs.
    """
    model = Sam2VideoModel(config).eval()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in sorted(model.named_parameters()):
            draw = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
            if "norm" in name:
                value = 0.1 * draw + (1.0 if name.endswith("weight") else 0.0)
            elif name.endswith(".scale"):
                value = 0.3 + 0.1 * draw
            elif name.endswith("bias"):
                value = 0.1 * draw
            elif parameter.dim() >= 2 and name.endswith("weight") and "embed.weight" not in name and "token" not in name:
                transposed = "upscale_conv" in name
                inputs = parameter.shape[0] if transposed else parameter[0].numel()
                value = draw / inputs**0.5
            else:
                value = 0.3 * draw
            parameter.copy_(value)
        # Mostly present; seeds decide when it is not.
        model.mask_decoder.pred_obj_score_head.proj_out.bias.fill_(1.5)
        for name, buffer in sorted(model.named_buffers()):
            if name.endswith("positional_embedding"):
                shared = torch.randn(buffer.shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
                buffer.copy_(shared)
    return model


def load(path: pathlib.Path, size: str, image_size: int) -> Sam2VideoModel:
    """The publisher's `.pt`, a folder as `save_pretrained` writes it, or one file of its state (`.safetensors`, `.bin`, `.pt`)."""
    file = path
    if path.is_dir():
        file = next((path / name for name in ("model.safetensors", "pytorch_model.bin") if (path / name).exists()), None)
        if file is None:
            raise Refused(f"{path}: expected model.safetensors or pytorch_model.bin in the folder, found neither")
    if not file.exists():
        raise Refused(f"{file}: no such file")
    try:
        if file.suffix == ".safetensors":
            from safetensors.torch import load_file
            state = load_file(str(file))
        else:
            state = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:
        raise Refused(f"{file}: expected a state of SAM 2.1 video, the publisher's or that of `transformers`; {error}") from error
    is_publishers = isinstance(state, dict) and publisher.is_publishers(state)
    if is_publishers:
        state = state["model"]
    if not isinstance(state, dict) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise Refused(f"{file}: expected a state of SAM 2.1 video, a mapping from names to tensors; found {type(state).__name__}")
    if is_publishers:
        state = publisher.renamed(state)
    model = Sam2VideoModel(configuration(size, image_size)).eval()
    own = model.state_dict()
    wrong = [f"{name} {list(state[name].shape)}, expected {list(own[name].shape)}" for name in own
             if name in state and state[name].shape != own[name].shape]
    absent = [name for name in own if name not in state]
    if wrong or absent:
        raise Refused(f"{file}: does not fit size {size}: " + (f"shape of {wrong[0]}" if wrong else f"{absent[0]} is missing")
                      + f" ({len(wrong)} other shapes, {len(absent)} missing); give the --size of the checkpoint")
    model.load_state_dict({name: state[name].float() for name in own})
    return model


def content_hash(model: Sam2VideoModel) -> str:
    digest = hashlib.sha256()
    for name, value in sorted(model.state_dict().items()):
        digest.update(name.encode() + value.float().numpy().tobytes())
    return digest.hexdigest()
