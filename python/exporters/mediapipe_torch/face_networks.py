"""The face networks of MediaPipe in PyTorch, shaped as the state dicts of BlazeFace-PyTorch and MediaPipePyTorch are.

Which network a state dict belongs to is told by its keys and shapes; nothing of the file but tensors is read.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

LANDMARKS = 468


class UnknownStateError(Exception):
    """A file that holds none of these networks; the message names what differs."""


class Block(nn.Module):
    """A depthwise and a pointwise convolution beside a shortcut that is pooled and padded to fit."""

    def __init__(self, channels: int, to_channels: int, stride: int = 1, parametric: bool = False) -> None:
        super().__init__()
        self.stride, self.more = stride, to_channels - channels
        self.convs = nn.Sequential(nn.Conv2d(channels, channels, 3, stride, 0 if stride == 2 else 1, groups=channels),
                                   nn.Conv2d(channels, to_channels, 1))
        self.act = nn.PReLU(to_channels) if parametric else nn.ReLU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        shortcut, inner = x, x
        if self.stride == 2:
            shortcut, inner = functional.max_pool2d(x, 2, 2), functional.pad(x, (0, 2, 0, 2))
        if self.more > 0:
            shortcut = functional.pad(shortcut, (0, 0, 0, 0, 0, self.more))
        return self.act(self.convs(inner) + shortcut)


class Halving(nn.Module):
    """A convolution that halves, and what it makes of the image's edge."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.convs = nn.Sequential(nn.Conv2d(channels, channels, 3, 2, 0, groups=channels), nn.Conv2d(channels, channels, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.relu(self.convs(functional.pad(x, (0, 2, 0, 2))))


def _blocks(widths: list[tuple[int, int]], parametric: bool = False) -> list[Block]:
    """(channels, stride) of what each block gives, the first entry being what the first block takes."""
    return [Block(before[0], width, stride, parametric) for before, (width, stride) in zip(widths, widths[1:])]


class Detector(nn.Module):
    """Two feature maps of the same halved image, each with 2 or 6 anchors a cell."""

    def __init__(self, fine: int) -> None:
        super().__init__()
        self.classifier_8, self.classifier_16 = nn.Conv2d(fine, 2, 1), nn.Conv2d(96, 6, 1)
        self.regressor_8, self.regressor_16 = nn.Conv2d(fine, 32, 1), nn.Conv2d(96, 96, 1)

    def features(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        raise NotImplementedError

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        fine, coarse = self.features(functional.pad(image, (1, 2, 1, 2)))
        rows = [[head.permute(0, 2, 3, 1).reshape(1, -1, width) for head in heads]
                for width, heads in ((16, (self.regressor_8(fine), self.regressor_16(coarse))),
                                     (1, (self.classifier_8(fine), self.classifier_16(coarse))))]
        return torch.cat(rows[0], 1), torch.cat(rows[1], 1)


class FrontDetector(Detector):
    """128×128, the short range."""

    def __init__(self) -> None:
        super().__init__(88)
        widths = [(24, 1), (24, 1), (28, 1), (32, 2), (36, 1), (42, 1), (48, 2), (56, 1), (64, 1), (72, 1), (80, 1), (88, 1)]
        self.backbone1 = nn.Sequential(nn.Conv2d(3, 24, 5, 2), nn.ReLU(), *_blocks(widths))
        self.backbone2 = nn.Sequential(*_blocks([(88, 1), (96, 2), (96, 1), (96, 1), (96, 1), (96, 1)]))

    def features(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        fine = self.backbone1(x)
        return fine, self.backbone2(fine)


class BackDetector(Detector):
    """256×256, the network of Qualcomm's package."""

    def __init__(self) -> None:
        super().__init__(96)
        widths = [(24, 1), *[(24, 1)] * 7, (24, 2), *[(24, 1)] * 7, (48, 2), *[(48, 1)] * 7, (96, 2), *[(96, 1)] * 7]
        self.backbone = nn.Sequential(nn.Conv2d(3, 24, 5, 2), nn.ReLU(), *_blocks(widths))
        self.final = Halving(96)

    def features(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        fine = self.backbone(x)
        return fine, self.final(fine)


class Landmark(nn.Module):
    """192×192 to 468 points in fractions of the crop, and the probability of a face."""

    def __init__(self) -> None:
        super().__init__()
        widths = [(16, 1), (16, 1), (16, 1), (32, 2), (32, 1), (32, 1), (64, 2), (64, 1), (64, 1), (128, 2), (128, 1), (128, 1),
                  (128, 2), (128, 1), (128, 1)]
        self.backbone1 = nn.Sequential(nn.Conv2d(3, 16, 3, 2), nn.PReLU(16), *_blocks(widths, parametric=True))
        self.backbone2a = nn.Sequential(*_blocks([(128, 1), (128, 2), (128, 1), (128, 1)], parametric=True), nn.Conv2d(128, 32, 1),
                                        nn.PReLU(32), Block(32, 32, parametric=True), nn.Conv2d(32, 3 * LANDMARKS, 3))
        self.backbone2b = nn.Sequential(Block(128, 128, 2, parametric=True), nn.Conv2d(128, 32, 1), nn.PReLU(32),
                                        Block(32, 32, parametric=True), nn.Conv2d(32, 1, 3))

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        features = self.backbone1(functional.pad(image, (0, 1, 0, 1)))
        points = self.backbone2a(features).reshape(1, LANDMARKS, 3) / image.shape[-1]
        return torch.sigmoid(self.backbone2b(features)).reshape(1), points


NETWORKS: dict[str, type[nn.Module]] = {"front": FrontDetector, "back": BackDetector, "landmark": Landmark}
SIZES = {"front": 128, "back": 256, "landmark": 192}
OUTPUTS = {"front": ["regressors", "classificators"], "back": ["box_coords", "box_scores"], "landmark": ["scores", "landmarks"]}


def read_state(path: Path) -> dict[str, torch.Tensor]:
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise
    except Exception as error:  # noqa: BLE001 - torch raises what its pickles meet
        raise UnknownStateError(f"{path}: not a PyTorch state dict: {error}") from error
    if not isinstance(state, dict) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise UnknownStateError(f"{path}: expected a dict of tensors, found {type(state).__name__}")
    return {name: value.float() for name, value in state.items()}


def build(state: dict[str, torch.Tensor], where: str) -> tuple[str, nn.Module]:
    """The network whose tensors have these names and shapes, with them."""
    nearest = ""
    for name, network in NETWORKS.items():
        module = network()
        wanted = {key: tuple(value.shape) for key, value in module.state_dict().items()}
        given = {key: tuple(value.shape) for key, value in state.items()}
        if wanted == given:
            module.load_state_dict(state)
            return name, module.eval()
        common = set(wanted) & set(given)
        other = next((f"{key}: expected {wanted[key]}, found {given[key]}" for key in sorted(common) if wanted[key] != given[key]), None)
        if len(common) > len(wanted) / 2:
            missing, more = sorted(set(wanted) - set(given)), sorted(set(given) - set(wanted))
            nearest = f"; nearest is {name}: " + (other or f"missing {missing[:2]}, beyond it {more[:2]}")
    raise UnknownStateError(f"{where}: {len(state)} tensors of no face network known here ({', '.join(NETWORKS)}){nearest}")


def seeded(name: str, seed: int) -> nn.Module:
    """Weights from a seed: right for shapes and speed, blind to faces."""
    torch.manual_seed(seed)
    return NETWORKS[name]().eval()


class _InLayout(nn.Module):
    def __init__(self, network: nn.Module, layout: str) -> None:
        super().__init__()
        self.network, self.layout = network, layout

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.network(image.permute(0, 3, 1, 2) if self.layout == "nhwc" else image)


def export(name: str, module: nn.Module, path: Path, layout: str) -> float:
    """Writes an ONNX file; returns the largest difference of ONNX Runtime from PyTorch on a random image, by the output's range."""
    import onnxruntime

    size = SIZES[name]
    image = torch.rand((1, size, size, 3) if layout == "nhwc" else (1, 3, size, size), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        torch.onnx.export(_InLayout(module, layout).eval(), (image,), str(path), input_names=["image"], output_names=OUTPUTS[name],
                          opset_version=17, dynamo=False)
        expected = [value.numpy() for value in module(image.permute(0, 3, 1, 2) if layout == "nhwc" else image)]
    found = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"]).run(OUTPUTS[name], {"image": image.numpy()})
    # A probability by itself has the range 0 … 1, however small it is here.
    ranges = [1.0 if a.size == 1 else max(a.max() - a.min(), abs(a).max(), 1e-12) for a in expected]
    return max(float(abs(a - b).max() / extent) for a, b, extent in zip(expected, found, ranges))
