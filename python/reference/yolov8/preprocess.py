"""Image to tensor."""

from __future__ import annotations

import numpy as np

from python.reference.face_det_lite.preprocess import Placement, choose_channel, interpolate, place


def image_to_tensor(image: np.ndarray, width: int, height: int, padding: int = 0) -> tuple[np.ndarray, Placement]:
    """uint8 [H, W, 3] RGB to float32 [1, 3, height, width] in 0 … 1; the rest is `padding`, black or Ultralytics' grey 114."""
    placement = place(image.shape[1], image.shape[0], width, height, "letterbox")
    values = choose_channel(image, "rgb")
    tensor = np.full((height, width, 3), np.float32(padding) * (np.float32(1) / np.float32(255)), np.float32)
    top, left = placement.pad_top, placement.pad_left
    tensor[top : top + placement.inner_height, left : left + placement.inner_width] = interpolate(
        values, placement.inner_width, placement.inner_height)
    return np.ascontiguousarray(tensor.transpose(2, 0, 1))[None], placement
