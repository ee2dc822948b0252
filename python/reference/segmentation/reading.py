"""Image to tensor, logits to a map of classes."""

from __future__ import annotations

import numpy as np

from python.reference.face_det_lite.preprocess import Placement, choose_channel, interpolate, place

IMAGENET_MEAN, IMAGENET_DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def image_to_tensor(image: np.ndarray, width: int, height: int, mean: tuple[float, ...] = (0, 0, 0),
                    deviation: tuple[float, ...] = (1, 1, 1)) -> tuple[np.ndarray, Placement]:
    """uint8 [H, W, 3] RGB to float32 [1, 3, height, width], letterboxed (black), then (value - mean) / deviation."""
    placement = place(image.shape[1], image.shape[0], width, height, "letterbox")
    canvas = np.zeros((height, width, 3), np.float32)
    top, left = placement.pad_top, placement.pad_left
    canvas[top : top + placement.inner_height, left : left + placement.inner_width] = interpolate(
        choose_channel(image, "rgb"), placement.inner_width, placement.inner_height)
    tensor = (canvas - np.array(mean, np.float32)) / np.array(deviation, np.float32)
    return np.ascontiguousarray(tensor.transpose(2, 0, 1))[None].astype(np.float32), placement


def upsampled(logits: np.ndarray, width: int, height: int) -> np.ndarray:
    """[1, C, h, w] to [height, width, C], bilinear without corner alignment: the whole tensor, for comparison only."""
    return interpolate(logits[0].transpose(1, 2, 0).astype(np.float32), width, height)


def label_map(logits: np.ndarray, placement: Placement, width: int, height: int) -> np.ndarray:
    """uint8 [inner_height, inner_width]: the best class of each input pixel under the image."""
    labels = upsampled(logits, width, height).argmax(axis=2).astype(np.uint8)
    top, left = placement.pad_top, placement.pad_left
    return labels[top : top + placement.inner_height, left : left + placement.inner_width]


def to_image(labels: np.ndarray, width: int, height: int) -> np.ndarray:
    """The nearest label for every pixel of an image."""
    rows = (np.arange(height) * 2 + 1) * labels.shape[0] // (2 * height)
    columns = (np.arange(width) * 2 + 1) * labels.shape[1] // (2 * width)
    return labels[rows][:, columns]
