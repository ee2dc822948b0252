"""Writes a torch.export archive of as many linear layers as wanted, with an input and what PyTorch computes from it:
`python tests/acceptance/large/export.py ARCHIVE LAYERS`."""

import pathlib
import sys

import numpy as np
import torch
from torch import nn

WIDTH = 4096


def main() -> int:
    archive, layers = pathlib.Path(sys.argv[1]), int(sys.argv[2])
    torch.manual_seed(0)
    network = nn.Sequential(*[part for _ in range(layers) for part in (nn.Linear(WIDTH, WIDTH), nn.Tanh())]).eval()
    x = torch.rand(1, 3, WIDTH)
    with torch.no_grad():
        program = torch.export.export(network, (x,), strict=False)
        np.savez(archive.with_suffix(".npz"), in_0=x.numpy(), out_0=network(x).numpy())
    torch.export.save(program, archive)
    return 0


if __name__ == "__main__":
    sys.exit(main())
