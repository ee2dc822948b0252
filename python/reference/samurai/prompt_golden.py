"""Writes tests/golden/samurai/prompts.npz: mask prompts, and a quarter of their sides as PyTorch shrinks them for SAM 2.

    python -m python.reference.samurai.prompt_golden
"""

import pathlib

import numpy as np
import torch

SIDE = 64


def quarter(mask: np.ndarray) -> np.ndarray:
    return torch.nn.functional.interpolate(torch.from_numpy(mask).float()[None, None], size=(SIDE // 4, SIDE // 4), mode="bilinear",
                                           align_corners=False, antialias=True)[0, 0].numpy()


def main() -> None:
    y, x = np.mgrid[:SIDE, :SIDE]
    shapes = {"disc": np.hypot(x - 30.3, y - 21.7) < 16, "small": np.hypot(x - 41.0, y - 39.5) < 4,
              "edge": (x < 9) | (y > 60), "noise": np.random.default_rng(11).random((SIDE, SIDE)) < 0.4}
    arrays = {}
    for name, shape in shapes.items():
        arrays[f"{name}.mask"], arrays[f"{name}.quarter"] = shape.astype(np.uint8), quarter(shape)
    np.savez_compressed(pathlib.Path("tests/golden/samurai/prompts.npz"), **arrays)


if __name__ == "__main__":
    main()
