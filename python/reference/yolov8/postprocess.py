"""Outputs to objects."""

from __future__ import annotations

import dataclasses

import numpy as np

from python.reference.face_det_lite.postprocess import box_iou
from python.reference.face_det_lite.preprocess import Placement

SCORE_MIN, IOU_MAX, MOST_OBJECTS = 0.45, 0.7, 300


@dataclasses.dataclass(frozen=True)
class Object:
    box: np.ndarray  # [4]: left, top, right, bottom in image pixels, clipped to it
    score: np.float32
    class_id: int
    anchor: int


@dataclasses.dataclass(frozen=True)
class Heads:
    """The outputs of any form, brought to one."""

    corners: np.ndarray  # [N, 4] in input pixels
    scores: np.ndarray  # [N], of the best class
    classes: np.ndarray  # [N]
    coefficients: np.ndarray | None = None  # [N, K]
    prototypes: np.ndarray | None = None  # [K, h, w]


def read_joined(output: np.ndarray, prototypes: np.ndarray | None = None) -> Heads:
    """output [1, 4 + classes (+ K), N]: centre, size, scores, mask coefficients."""
    mask_channels = 0 if prototypes is None else prototypes.shape[1]
    rows = output[0]
    end = rows.shape[0] - mask_channels
    return read_split(output[:, :4], output[:, 4:end], rows[end:].T if mask_channels else None, prototypes)


def read_split(boxes: np.ndarray, scores: np.ndarray, coefficients: np.ndarray | None = None,
               prototypes: np.ndarray | None = None) -> Heads:
    """boxes [1, 4, N] as centre and size, scores [1, classes, N]."""
    x, y, w, h = boxes[0].astype(np.float64)
    corners = np.stack([x - w / 2, y - h / 2, x + w / 2, y + h / 2], axis=1)
    return Heads(corners, scores[0].max(axis=0), scores[0].argmax(axis=0), coefficients,
                 None if prototypes is None else prototypes[0])


def read_chosen(boxes: np.ndarray, scores: np.ndarray, class_index: np.ndarray) -> Heads:
    """boxes [1, N, 4] as corners, scores [1, N], class_index [1, N]."""
    return Heads(boxes[0].astype(np.float64), scores[0], class_index[0].astype(np.int64))


def suppress(corners: np.ndarray, classes: np.ndarray, iou_max: float) -> list[int]:
    """Greedy, best first, within a class."""
    kept: list[int] = []
    for i in range(len(corners)):
        if all(classes[i] != classes[k] or box_iou(corners[k], corners[i]) <= iou_max for k in kept):
            kept.append(i)
    return kept


def postprocess(heads: Heads, placement: Placement, width: int, height: int, score_min: float = SCORE_MIN,
                iou_max: float = IOU_MAX) -> list[Object]:
    """Objects in an image of width × height, best first; equal scores: the lower anchor first."""
    [chosen] = np.nonzero((heads.scores >= np.float32(score_min)) & np.isfinite(heads.corners).all(axis=1))
    chosen = chosen[np.argsort(-heads.scores[chosen], kind="stable")]
    kept = suppress(heads.corners[chosen], heads.classes[chosen], iou_max)[:MOST_OBJECTS]
    scale, pad = np.array([placement.scale_x, placement.scale_y]), np.array([placement.pad_left, placement.pad_top])
    objects = []
    for anchor in chosen[kept]:
        box = ((heads.corners[anchor].reshape(2, 2) - pad) / scale).clip([0, 0], [width, height]).reshape(4)
        objects.append(Object(box, heads.scores[anchor], int(heads.classes[anchor]), int(anchor)))
    return objects


def mask(heads: Heads, found: Object, placement: Placement, input_width: int, input_height: int, width: int,
         height: int) -> np.ndarray:
    """bool [height, width]: pixels of the image that belong to the object.

    coefficients · prototypes is interpolated (bilinear, no corner alignment) where the pixel lies in the input; above 0
    is inside. Only pixels whose centre lies in the box count.
    """
    logits = np.tensordot(heads.coefficients[found.anchor], heads.prototypes, axes=1)

    def taps(count: int, scale: float, pad: int, side: int, cells: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        position = np.clip(((np.arange(count) + 0.5) * scale + pad) * cells / side - 0.5, 0, cells - 1)
        first = position.astype(np.int64)
        return first, np.minimum(first + 1, cells - 1), (position - first).astype(np.float32)

    top, bottom, weight_y = taps(height, placement.scale_y, placement.pad_top, input_height, logits.shape[0])
    left, right, weight_x = taps(width, placement.scale_x, placement.pad_left, input_width, logits.shape[1])
    upper = logits[top][:, left] * (1 - weight_x) + logits[top][:, right] * weight_x
    lower = logits[bottom][:, left] * (1 - weight_x) + logits[bottom][:, right] * weight_x
    values = upper * (1 - weight_y)[:, None] + lower * weight_y[:, None]
    x1, y1, x2, y2 = found.box
    centre_x, centre_y = np.arange(width) + 0.5, np.arange(height) + 0.5
    inside = ((centre_y >= y1) & (centre_y < y2))[:, None] & ((centre_x >= x1) & (centre_x < x2))
    return (values > 0) & inside
