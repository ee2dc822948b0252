"""Writes tests/golden/samurai/prompts.npz: mask prompts at the network's size and at a quarter of it, as PyTorch 2.11.0 makes them for SAM 2,
and a plane enlarged as logits are.

    python -m python.reference.samurai.prompt_golden
"""

import pathlib

import numpy as np
import torch

SIDE = 64


def resized(mask: np.ndarray, side: int) -> np.ndarray:
    return torch.nn.functional.interpolate(torch.from_numpy(mask).float()[None, None], size=(side, side), mode="bilinear",
                                           align_corners=False, antialias=True)[0, 0].numpy()


def main() -> None:
    y, x = np.mgrid[:SIDE, :SIDE]
    shapes = {"disc": np.hypot(x - 30.3, y - 21.7) < 16, "small": np.hypot(x - 41.0, y - 39.5) < 4,
              "edge": (x < 9) | (y > 60), "noise": np.random.default_rng(11).random((SIDE, SIDE)) < 0.4}
    arrays = {}
    for name, shape in shapes.items():
        arrays[f"{name}.mask"], arrays[f"{name}.quarter"] = shape.astype(np.uint8), resized(shape, SIDE // 4)
    for name, (height, width) in {"wide": (90, 160), "tall": (150, 77), "small": (31, 40)}.items():
        y, x = np.mgrid[:height, :width]
        frame = (np.hypot((x - 0.4 * width) / width, (y - 0.55 * height) / height) < 0.27).astype(np.uint8)
        arrays[f"{name}_frame.mask"], arrays[f"{name}_frame.square"] = frame, resized(frame, SIDE)
    plane = np.random.default_rng(1).standard_normal((5, 7)).astype(np.float32)
    arrays["plane"] = plane
    arrays["plane.enlarged"] = torch.nn.functional.interpolate(torch.from_numpy(plane)[None, None], scale_factor=4, mode="bilinear",
                                                               align_corners=False)[0, 0].numpy()
    np.savez_compressed(pathlib.Path("tests/golden/samurai/prompts.npz"), **arrays)


if __name__ == "__main__":
    main()
