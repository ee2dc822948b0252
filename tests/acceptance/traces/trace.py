"""Traces MediaPipe's face detector and landmark network with channel-last inputs, as the first user of the hub did:
`python tests/acceptance/traces/trace.py CACHE [DATA]` writes detector.pt and landmark.pt, and .npz with an input and what
PyTorch computes. Weights are those of the test data, seeded without it; the input is an image of it, noise without it."""

import pathlib
import sys
import warnings

import numpy as np
import torch
from PIL import Image
from torch import nn

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3]))

from python.exporters.mediapipe_torch import face_networks  # noqa: E402

# Network, its weights, its side, and where in the image skimage_astronaut.png the input lies: all of it, or the face.
NETWORKS = {"detector": ("back", "hollance_blazefaceback.pth", 256, (0, 0, 512, 512)),
            "landmark": ("landmark", "zmurez_blazeface_landmark.pth", 192, (145, 40, 305, 200))}


class ChannelsLast(nn.Module):
    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, image):
        return self.network(image.permute(0, 3, 1, 2))


def main() -> int:
    cache = pathlib.Path(sys.argv[1])
    data = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else None
    for name, (kind, weights, side, box) in NETWORKS.items():
        path = data / "models" / "face" / weights if data else None
        network = face_networks.build(face_networks.read_state(path), str(path))[1] if path else face_networks.seeded(kind, 1)
        if data:
            cropped = Image.open(data / "images/faces/skimage_astronaut.png").convert("RGB").crop(box).resize((side, side))
            image = torch.from_numpy(np.asarray(cropped, np.float32)[None] / 255)
        else:
            image = torch.rand(1, side, side, 3, generator=torch.Generator().manual_seed(2))
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            wrapped = ChannelsLast(network).eval()
            torch.jit.trace(wrapped, (image,)).save(str(cache / f"{name}.pt"))
            outputs = wrapped(image)
        np.savez(cache / f"{name}.npz", in_0=image.numpy(), **{f"out_{i}": each.numpy() for i, each in enumerate(outputs)})
    return 0


if __name__ == "__main__":
    sys.exit(main())
