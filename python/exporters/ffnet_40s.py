"""Exports FFNet-40S (street scenes, Cityscapes' 19 classes) to a model folder.

    python -m python.exporters.ffnet_40s --checkpoint ffnet40S_dBBB_cityscapes_state_dict_quarts.pth --output DIR
    python -m python.exporters.ffnet_40s --seed 1 --output DIR

`image` [1, 3, H, W] in 0 … 1 (normalised inside), `mask` [1, 19, H/8, W/8] logits. Seeded weights have the network's shape
and cost and see nothing. Modules carry the names of the released state dictionary (Qualcomm-AI-research/FFNet,
BSD-3-Clause). The graph is run and compared with PyTorch before the folder is written; exit status 1 beyond the
tolerance. Needs tools/setup.sh torch.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path

import numpy as np

from python.exporters.common.batch import BATCH_HELP, axis, parse as parse_batch
from python.exporters.common.finish import finish_graph, run_export, trace
from python.exporters.common.model_folder import write_description
from python.exporters.common.unsupported import UnsupportedModelError
from python.reference.face_det_lite.golden import sample_image
from python.reference.segmentation.reading import IMAGENET_DEVIATION, IMAGENET_MEAN, image_to_tensor

LABELS = ["road", "sidewalk", "building", "wall", "fence", "pole", "traffic light", "traffic sign", "vegetation", "terrain", "sky",
          "person", "rider", "car", "truck", "bus", "train", "motorcycle", "bicycle"]
STAGES = [(64, 4), (128, 5), (192, 6), (320, 4)]  # channels and blocks; each halves the sides
ADAPTED, MERGED = [64, 128, 128, 256], [96, 96, 64, 32]  # channels of each scale after the backbone, and in the concatenation
OPSET, TOLERANCE = 17, 1e-4  # of the logits' range


def network():
    """FFNet-40S in PyTorch without weights: a slim ResNet, features merged from coarse to fine, a head at 1/8."""
    import torch
    from torch import nn

    def convolved(inputs: int, outputs: int, kernel: int) -> nn.Module:
        made = nn.Module()
        made.layers = nn.Sequential(nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False), nn.BatchNorm2d(outputs), nn.ReLU())
        made.forward = made.layers.forward
        return made

    class Block(nn.Module):
        def __init__(self, inputs: int, outputs: int, stride: int) -> None:
            super().__init__()
            self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
            self.bn1 = nn.BatchNorm2d(outputs)
            self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
            self.bn2 = nn.BatchNorm2d(outputs)
            if stride != 1 or inputs != outputs:
                self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))
            else:
                self.downsample = nn.Identity()

        def forward(self, x):
            return torch.relu(self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x))))) + self.downsample(x))

    class Backbone(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv0, self.bn0 = nn.Conv2d(3, 32, 3, 2, 1, bias=False), nn.BatchNorm2d(32)
            self.conv1, self.bn1 = nn.Conv2d(32, 64, 3, 2, 1, bias=False), nn.BatchNorm2d(64)
            inputs = 64
            for number, (channels, blocks) in enumerate(STAGES, start=1):
                setattr(self, f"layer{number}", nn.Sequential(
                    *[Block(inputs if i == 0 else channels, channels, 2 if i == 0 else 1) for i in range(blocks)]))
                inputs = channels

        def forward(self, x):
            x = torch.relu(self.bn1(self.conv1(torch.relu(self.bn0(self.conv0(x))))))
            scales = []
            for number in range(1, len(STAGES) + 1):
                x = getattr(self, f"layer{number}")(x)
                scales.append(x)
            return scales

    class Adapters(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.adapter_conv = nn.ModuleList(convolved(stage[0], outputs, 1) for stage, outputs in zip(STAGES, ADAPTED))

        def forward(self, scales):
            return [adapter(scale) for adapter, scale in zip(self.adapter_conv, scales)]

    class Merge(nn.Module):
        """Each scale gets the coarser one's features, then gives its own to the concatenation."""

        def __init__(self) -> None:
            super().__init__()
            # The released names count strides as if the stem did not halve once more.
            self.names = ["fam_4", "fam_8_sm", "fam_16_sm", "fam_32_sm"]
            for name, inputs, outputs in zip(self.names, ADAPTED, MERGED):
                setattr(self, name, convolved(inputs, outputs, 3))
            for stride, inputs, outputs in zip((8, 16, 32), ADAPTED[1:], ADAPTED):
                setattr(self, f"fam_{stride}_up", convolved(inputs, outputs, 1))

        def forward(self, scales):
            merged, x = [], scales[-1]
            for i in reversed(range(len(scales))):
                merged.insert(0, getattr(self, self.names[i])(x))
                if i > 0:
                    coarse = getattr(self, f"fam_{4 << i}_up")(x)
                    x = nn.functional.interpolate(coarse, scale_factor=2.0, mode="nearest") + scales[i - 1]
            return merged

    class Concatenation(nn.Module):
        def forward(self, scales):
            return torch.cat([scale if i == 0 else nn.functional.interpolate(scale, scale_factor=float(2**i), mode="nearest")
                              for i, scale in enumerate(scales)], 1)

    class Classes(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.last_layer = nn.Sequential(nn.Conv2d(sum(MERGED), 256, 3, 1, 1), nn.BatchNorm2d(256), nn.ReLU(),
                                            nn.Conv2d(256, len(LABELS), 3, 1, 1))

        def forward(self, x):
            return self.last_layer(x)

    class Head(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.Sequential(Adapters(), Merge(), Concatenation(), Classes())

        def forward(self, scales):
            return self.layers(scales)

    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1), persistent=False)
            self.register_buffer("deviation", torch.tensor(IMAGENET_DEVIATION).view(1, 3, 1, 1), persistent=False)
            self.backbone_model = Backbone()
            self.head = Head()

        def forward(self, image):
            return self.head(self.backbone_model((image - self.mean) / self.deviation))

    return Network().eval().requires_grad_(False)


def load(checkpoint: Path | None, seed: int):
    """The network with a checkpoint's weights, or seeded ones that keep the size of activations."""
    import torch
    from torch import nn

    torch.manual_seed(seed)
    model = network()
    if checkpoint is not None:
        model.load_state_dict(torch.load(checkpoint, map_location="cpu", weights_only=True))
        return model
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1)
            nn.init.normal_(module.bias, 0, 0.2)
    return model


def compare(model, path: Path, size: tuple[int, int]) -> float:
    """Largest difference from PyTorch over two images, relative to the logits' range."""
    import onnxruntime
    import torch

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    worst = 0.0
    for seed in range(2):
        tensor, _ = image_to_tensor(sample_image(300, 200, seed), size[1], size[0])
        expected = model(torch.from_numpy(tensor)).numpy()
        [found] = session.run(["mask"], {"image": tensor})
        worst = max(worst, float(np.abs(expected - found).max() / np.ptp(expected)))
    return worst


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m python.exporters.ffnet_40s", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--checkpoint", type=Path, metavar="F", help="a state dictionary as released")
    source.add_argument("--seed", type=int, metavar="N", help="random weights")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="the model folder")
    parser.add_argument("--batch", type=parse_batch, default=1, help=BATCH_HELP)
    parser.add_argument("--size", type=int, nargs=2, default=(1024, 2048), metavar=("H", "W"), help="of the input, multiples of 64")
    result = parser.parse_args(arguments)
    if any(side < 64 or side % 64 for side in result.size):
        parser.error(f"--size: expected multiples of 64, found {result.size[0]} {result.size[1]}")
    return result


def export(options: argparse.Namespace) -> None:
    import torch

    if options.checkpoint and not options.checkpoint.is_file():
        raise UnsupportedModelError(f"{options.checkpoint}: no such file")
    try:
        model = load(options.checkpoint, options.seed or 0)
    except Exception as error:  # torch.load raises whatever the bytes provoke; strict loading names the keys
        raise UnsupportedModelError(f"{options.checkpoint} is no state dictionary of FFNet-40S: {error}") from error
    height, width = options.size
    options.output.mkdir(parents=True, exist_ok=True)
    path = options.output / "segmenter.onnx"
    trace(model, (torch.zeros(1, 3, height, width),), path, ["image"], ["mask"], OPSET)
    finish_graph(path, {"mask": compare(model, path, (height, width))}, TOLERANCE, options.batch, " of its range")
    source = {"seed": options.seed} if options.checkpoint is None else {
        "checkpoint": options.checkpoint.name, "sha256": hashlib.sha256(options.checkpoint.read_bytes()).hexdigest()}
    write_description(options.output, {
        "schema": 1, "name": "ffnet_40s",
        "description": "FFNet-40S" + ("" if options.checkpoint else ", seeded random weights: for shape and speed, it sees nothing"),
        "licence": "BSD-3-Clause", "source": source, "parameters": sum(value.numel() for value in model.parameters()), "labels": LABELS,
        "graphs": {"segmenter": {"file": path.name,
                                 "inputs": [{"name": "image", "shape": [axis(options.batch), 3, height, width], "dtype": "float32", "layout": "NCHW",
                                             "colour": "RGB", "range": [0, 1]}],
                                 "outputs": [{"name": "mask", "shape": [axis(options.batch), len(LABELS), height // 8, width // 8], "dtype": "float32"}]}},
        "pre": {"fit": "letterbox", "resampling": "bilinear"},
        "tolerances": {"float32": {"max_relative_to_range": TOLERANCE}},
    })


def main(arguments: list[str] | None = None) -> int:
    options = parse(arguments)
    return run_export(lambda: export(options), options.output)


if __name__ == "__main__":
    sys.exit(main())
