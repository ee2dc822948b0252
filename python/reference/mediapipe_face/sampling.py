"""Image geometry: sampling a turned rectangle, and the letterbox that a square network sees, with OpenCV's rounding."""

from __future__ import annotations

import dataclasses

import numpy as np

_BITS = 5  # positions are multiples of 1/32 pixel


@dataclasses.dataclass(frozen=True)
class Affine:
    """Maps output pixels to source pixels: source = matrix · output + offset, both counted without the half pixel."""

    matrix: np.ndarray  # [2, 2]
    offset: np.ndarray  # [2]

    def apply(self, points: np.ndarray) -> np.ndarray:
        """points [N, 2] as (x, y)."""
        return points @ self.matrix.T + self.offset


def warp(image: np.ndarray, affine: Affine, width: int, height: int, outside: str) -> np.ndarray:
    """Samples uint8 [H, W, C] at each output pixel; uint8 [height, width, C], as cv2.warpPerspective does.

    outside: "zero" takes black beyond the image, "replicate" the nearest edge pixel. No antialias.
    """
    columns, rows = np.meshgrid(np.arange(width, dtype=np.float64), np.arange(height, dtype=np.float64))
    fine = np.rint(affine.apply(np.stack([columns.ravel(), rows.ravel()], axis=1)) * (1 << _BITS)).astype(np.int64)
    whole, part = fine >> _BITS, fine & ((1 << _BITS) - 1)
    total = np.full((width * height, image.shape[2]), 1 << (2 * _BITS - 1), np.int64)
    for step_x in (0, 1):
        for step_y in (0, 1):
            x, y = whole[:, 0] + step_x, whole[:, 1] + step_y
            weight = (part[:, 0] if step_x else (1 << _BITS) - part[:, 0]) * (part[:, 1] if step_y else (1 << _BITS) - part[:, 1])
            values = image[np.clip(y, 0, image.shape[0] - 1), np.clip(x, 0, image.shape[1] - 1)].astype(np.int64)
            if outside == "zero":
                inside = (x >= 0) & (x < image.shape[1]) & (y >= 0) & (y < image.shape[0])
                values = values * inside[:, None]
            total += weight[:, None] * values
    return (total >> (2 * _BITS)).astype(np.uint8).reshape(height, width, -1)


@dataclasses.dataclass(frozen=True)
class Letterbox:
    """How an image lies in a square: image = square · scale + offset."""

    scale: float  # image pixels a pixel of the square
    offset: np.ndarray  # [2]

    def to_image(self, points: np.ndarray) -> np.ndarray:
        """points [..., 2] in pixels of the square."""
        return points * self.scale + self.offset


def letterbox(image: np.ndarray, size: int) -> tuple[np.ndarray, Letterbox]:
    """Samples the smallest centred square that holds uint8 [H, W, 3] into uint8 [size, size, 3]; the rest is black."""
    height, width = image.shape[:2]
    side = max(height, width)
    box = Letterbox(side / size, np.array([(width - side) / 2, (height - side) / 2]))
    return warp(image, Affine(np.eye(2) * box.scale, box.offset), size, size, "zero"), box


def to_range(pixels: np.ndarray, value_range: tuple[float, float]) -> np.ndarray:
    """0 … 255 to the network's range."""
    low, high = value_range
    return (pixels / 255.0 * (high - low) + low).astype(np.float32)
