"""Where the weights come from: a file of the `demucs` package, a bag of them, or a seed."""

import hashlib
import pickle
import pathlib
from fractions import Fraction

import torch
import yaml
from demucs.htdemucs import HTDemucs
from demucs.states import load_model

from python.exporters.common.unsupported import UnsupportedModelError
from python.exporters.demucs import spectral
from python.exporters.demucs.network import Architecture

FOUR_STEMS = ("drums", "bass", "other", "vocals")
SIX_STEMS = (*FOUR_STEMS, "guitar", "piano")
RELEASED_SEGMENT = Fraction(39, 5)


def seeded(seed: int, sources: int) -> HTDemucs:
    """The released architecture with weights drawn from a seed."""
    torch.manual_seed(seed)
    model = HTDemucs(list(SIX_STEMS if sources == 6 else FOUR_STEMS), channels=48, bottom_channels=0 if sources == 6 else 512,
                     dconv_mode=3, t_layers=5, segment=RELEASED_SEGMENT)
    stir(model, seed)
    return model.eval()


def stir(model: HTDemucs, seed: int) -> None:
    """Draws layer scales and norms anew, so that every part of the network weighs in the output.

    Fresh layer scales are 1e-3 and 1e-4: a fault in a residual branch or in the transformer would hide below the tolerance.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith(".scale"):
                parameter.copy_(0.1 + 0.2 * torch.rand(parameter.shape, generator=generator))
            elif ".norm" in name or (".dconv.layers." in name and name.split(".")[-2] in ("1", "4")):
                base = 1.0 if name.endswith("weight") else 0.0
                parameter.copy_(base + 0.2 * (torch.rand(parameter.shape, generator=generator) - 0.5))


def load(path: pathlib.Path) -> HTDemucs:
    """A `.th` file as the package saves it: class, arguments and state (half precision in the released ones).

    Read without running what it pickles, but for the class it names.
    """
    try:
        with torch.serialization.safe_globals([HTDemucs, Fraction]):
            package = torch.load(path, map_location="cpu", weights_only=True)
        model = load_model(package)
    except FileNotFoundError:
        raise
    except (RuntimeError, KeyError, TypeError, EOFError, pickle.UnpicklingError) as error:
        raise UnsupportedModelError(f"{path}: expected a checkpoint as the demucs package saves it: {str(error).splitlines()[0]}") from error
    if not isinstance(model, HTDemucs):
        raise UnsupportedModelError(f"{path}: expected a checkpoint of HTDemucs, found {type(model).__name__}")
    return model.eval()


def load_bag(path: pathlib.Path) -> tuple[list[tuple[str, pathlib.Path]], list[list[float]] | None]:
    """The checkpoints and the weights per stem of a bag's `.yaml`; the files lie beside it, as the package names them."""
    bag = yaml.safe_load(path.read_text())
    files = []
    for signature in bag["models"]:
        found = sorted(path.parent.glob(f"{signature}*.th"))
        if len(found) != 1:
            raise UnsupportedModelError(f"{path}: expected one file {signature}*.th beside it, found {len(found)}")
        files.append((signature, found[0]))
    return files, bag.get("weights")


def architecture_of(model: HTDemucs) -> Architecture:
    """@raise UnsupportedModelError: an argument that the graph does not know, by name."""
    args, kwargs = model._init_args_kwargs
    if len(args) > 1:
        raise UnsupportedModelError("expected HTDemucs built from named arguments")
    expected = {
        "audio_channels": 2, "nfft": spectral.N_FFT, "cac": True, "rewrite": True, "multi_freqs": None, "kernel_size": 8,
        "stride": 4, "context_enc": 0, "t_emb": "sin", "t_norm_in": True,
        "t_norm_in_group": False, "t_group_norm": False, "t_norm_first": True, "t_norm_out": True, "t_gelu": True,
        "t_layer_scale": True, "t_sparse_self_attn": False, "t_sparse_cross_attn": False, "samplerate": 44100,
        "t_sin_random_shift": 0,
    }
    for name, value in expected.items():
        if kwargs.get(name, value) != value:
            raise UnsupportedModelError(f"{name}: expected {value}, found {kwargs[name]}: the exporter has no graph for it")
    depth = kwargs.get("depth", 4)
    if depth > 4 or kwargs.get("norm_starts", 4) < depth:
        raise UnsupportedModelError(f"depth {depth} with norm_starts {kwargs.get('norm_starts', 4)}: the exporter knows four layers without norms")
    if model.audio_channels != 2 or kwargs.get("channels_time") not in (None, kwargs.get("channels", 48)):
        raise UnsupportedModelError("expected stereo and equal channels in both branches")
    growth = kwargs.get("growth", 2)
    if growth != int(growth):
        raise UnsupportedModelError(f"growth: expected an integer, found {growth}")
    return Architecture(
        sources=tuple(model.sources), channels=model.channels, growth=int(growth), depth=depth, kernel=model.kernel_size,
        stride=model.stride, context=model.context, dconv_mode=kwargs.get("dconv_mode", 1),
        dconv_depth=kwargs.get("dconv_depth", 2), bottom_channels=model.bottom_channels or 0,
        layers=kwargs.get("t_layers", 5), heads=kwargs.get("t_heads", 8),
        freq_emb=float(kwargs.get("freq_emb", 0.2) or 0), emb_scale=float(kwargs.get("emb_scale", 10)),
        max_period=float(kwargs.get("t_max_period", 10000.0)), weight_pos_embed=float(kwargs.get("t_weight_pos_embed", 1.0)),
        cross_first=bool(kwargs.get("t_cross_first", False)))


def weights_of(model: HTDemucs) -> dict:
    return {name: value.double().numpy() for name, value in model.state_dict().items()}


def content_hash(model: HTDemucs) -> str:
    digest = hashlib.sha256()
    for name, value in sorted(model.state_dict().items()):
        digest.update(name.encode() + value.float().numpy().tobytes())
    return digest.hexdigest()
