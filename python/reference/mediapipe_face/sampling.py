"""Picture geometry: sampling a turned rectangle, and the letterbox that a square network sees."""

from __future__ import annotations

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Affine:
    """Maps output pixels to source pixels: source = matrix · output + offset, pixel centres at integers + 0.5."""

    matrix: np.ndarray  # [2, 2]
    offset: np.ndarray  # [2]

    def apply(self, points: np.ndarray) -> np.ndarray:
        """points [N, 2] as (x, y)."""
        return points @ self.matrix.T + self.offset


def sample_bilinear(picture: np.ndarray, affine: Affine, width: int, height: int, outside: str) -> np.ndarray:
    """Samples uint8 [H, W, C] at each output pixel's centre; float32 [height, width, C] in 0 … 255.

    outside: "zero" takes black beyond the picture, "replicate" the nearest edge pixel. No antialias.
    """
    columns, rows = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    positions = affine.apply(np.stack([columns.ravel(), rows.ravel()], axis=1)) - 0.5
    floor = np.floor(positions).astype(np.int64)
    fraction = (positions - floor)[:, :, None]
    result = np.zeros((width * height, picture.shape[2]))
    for step_x in (0, 1):
        for step_y in (0, 1):
            x, y = floor[:, 0] + step_x, floor[:, 1] + step_y
            weight = (fraction[:, 0] if step_x else 1 - fraction[:, 0]) * (fraction[:, 1] if step_y else 1 - fraction[:, 1])
            inside = (x >= 0) & (x < picture.shape[1]) & (y >= 0) & (y < picture.shape[0])
            values = picture[np.clip(y, 0, picture.shape[0] - 1), np.clip(x, 0, picture.shape[1] - 1)]
            if outside == "zero":
                values = values * inside[:, None]
            result += weight * values
    return result.reshape(height, width, -1).astype(np.float32)


@dataclasses.dataclass(frozen=True)
class Letterbox:
    """How a picture lies in a square: picture = (square - pad) / scale."""

    scale: float
    pad_left: int
    pad_top: int
    width: int  # of the picture inside the square
    height: int

    def to_picture(self, points: np.ndarray) -> np.ndarray:
        """points [..., 2] in pixels of the square."""
        return (points - np.array([self.pad_left, self.pad_top])) / self.scale


def letterbox(picture: np.ndarray, size: int) -> tuple[np.ndarray, Letterbox]:
    """Fits uint8 [H, W, 3] into [size, size, 3] without changing its proportions; the rest is black.

    scale = min(size / H, size / W); sides round down; the odd padding pixel goes right and below. Returns float32 in
    0 … 255.
    """
    height, width = picture.shape[:2]
    scale = min(size / height, size / width)
    inner_height, inner_width = int(height * scale), int(width * scale)
    affine = Affine(np.diag([width / inner_width, height / inner_height]), np.zeros(2))
    # Inside the picture's own edge nothing is mixed with the black border.
    inner = sample_bilinear(picture, affine, inner_width, inner_height, "replicate")
    box = Letterbox(scale, (size - inner_width) // 2, (size - inner_height) // 2, inner_width, inner_height)
    square = np.zeros((size, size, 3), dtype=np.float32)
    square[box.pad_top : box.pad_top + inner_height, box.pad_left : box.pad_left + inner_width] = inner
    return square, box


def to_range(pixels: np.ndarray, value_range: tuple[float, float]) -> np.ndarray:
    """0 … 255 to the network's range."""
    low, high = value_range
    return (pixels / 255.0 * (high - low) + low).astype(np.float32)
