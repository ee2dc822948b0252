"""Image to tensor."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from python.reference.face_det_lite.constants import HEIGHT, LUMA, LUMA_UNIT, WIDTH


@dataclasses.dataclass(frozen=True)
class Placement:
    """Where an image lies in the input: image = (input - pad) / scale."""

    scale_x: float
    scale_y: float
    pad_left: int
    pad_top: int
    inner_width: int
    inner_height: int


def place(width: int, height: int, to_width: int, to_height: int, fit: str) -> Placement:
    """fit: "letterbox" keeps the proportions, "stretch" does not."""
    if fit == "stretch":
        return Placement(to_width / width, to_height / height, 0, 0, to_width, to_height)
    scale = min(to_height / height, to_width / width)
    inner_width, inner_height = max(1, math.floor(width * scale)), max(1, math.floor(height * scale))
    return Placement(scale, scale, (to_width - inner_width) // 2, (to_height - inner_height) // 2, inner_width, inner_height)


def choose_channel(image: np.ndarray, channel: str) -> np.ndarray:
    """uint8 [H, W, 3] RGB to float32 [H, W, C] in 0 … 1. channel: "luma", "blue" or "rgb".

    The order of the float32 operations is part of the reading: quantised inputs turn a difference of one rounding into a
    difference of one step.
    """
    to_unit = np.float32(1) / np.float32(255)
    values = image.astype(np.float32)
    if channel == "luma":  # the weights have four digits: in whole numbers the sum is exact
        sums = image.astype(np.int32) @ np.rint(np.array(LUMA) * LUMA_UNIT).astype(np.int32)
        return (sums.astype(np.float32) * (to_unit / np.float32(LUMA_UNIT)))[:, :, None]
    return (values[:, :, 2:] if channel == "blue" else values) * to_unit


def interpolate(values: np.ndarray, width: int, height: int) -> np.ndarray:
    """Bilinear without corner alignment and without antialias; float32 [H, W, C] to [height, width, C]."""

    def taps(source: int, target: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        position = np.maximum((np.arange(target) + 0.5) * (source / target) - 0.5, 0)
        first = np.minimum(position.astype(np.int64), source - 1)
        second = np.minimum(first + 1, source - 1)
        return first, second, (position - first).astype(np.float32)

    upper, lower, weight = taps(values.shape[0], height)
    rows = values[upper] * (1 - weight)[:, None, None] + values[lower] * weight[:, None, None]
    left, right, weight = taps(values.shape[1], width)
    return rows[:, left] * (1 - weight)[None, :, None] + rows[:, right] * weight[None, :, None]


def image_to_tensor(image: np.ndarray, channel: str = "luma", fit: str = "letterbox", width: int = WIDTH,
                    height: int = HEIGHT) -> tuple[np.ndarray, Placement]:
    """uint8 [H, W, 3] RGB to float32 [1, C, height, width]; padding is black."""
    placement = place(image.shape[1], image.shape[0], width, height, fit)
    values = choose_channel(image, channel)
    tensor = np.zeros((height, width, values.shape[2]), np.float32)
    top, left = placement.pad_top, placement.pad_left
    inner = interpolate(values, placement.inner_width, placement.inner_height)
    tensor[top : top + placement.inner_height, left : left + placement.inner_width] = inner
    return np.ascontiguousarray(tensor.transpose(2, 0, 1))[None], placement


def quantize(values: np.ndarray, scale: float, zero_point: int, dtype: np.dtype) -> np.ndarray:
    """As ONNX's QuantizeLinear: halves go to even, then saturate."""
    limits = np.iinfo(dtype)
    return np.clip(np.rint(values / np.float32(scale)) + zero_point, limits.min, limits.max).astype(dtype)


def dequantize(stored: np.ndarray, scale: float, zero_point: int) -> np.ndarray:
    return (stored.astype(np.float32) - np.float32(zero_point)) * np.float32(scale)
