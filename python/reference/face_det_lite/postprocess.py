"""Heads to faces."""

from __future__ import annotations

import dataclasses

import numpy as np

from python.reference.face_det_lite.constants import GROWTH, MOST_PEAKS, SCORE_MIN, STRIDE
from python.reference.face_det_lite.preprocess import Placement


@dataclasses.dataclass(frozen=True)
class Face:
    box: np.ndarray  # [4]: left, top, right, bottom as decoded
    landmarks: np.ndarray  # [5, 2]
    score: np.float32


def sigmoid(values: np.ndarray) -> np.ndarray:
    return np.float32(1) / (np.float32(1) + np.exp(-values.astype(np.float32)))


def find_peaks(heatmap: np.ndarray, score_min: float = SCORE_MIN) -> tuple[np.ndarray, np.ndarray]:
    """heatmap [H, W], logits. Cells (flat index) that equal the maximum of their 3×3 neighbours, best first, and scores.

    Equal scores: the lower index first.
    """
    scores = sigmoid(heatmap)
    padded = np.pad(scores, 1, constant_values=-np.inf)
    height, width = scores.shape
    pooled = np.max([padded[y : y + height, x : x + width] for y in range(3) for x in range(3)], axis=0)
    peaks = np.where(scores == pooled, scores, 0).ravel()
    order = np.argsort(-peaks, kind="stable")[:MOST_PEAKS]
    order = order[peaks[order] >= np.float32(score_min)]
    return order, peaks[order]


def decode_faces(heatmap: np.ndarray, box: np.ndarray, landmark: np.ndarray, score_min: float = SCORE_MIN) -> list[Face]:
    """heatmap [1, 1, H, W] logits, box [1, 4, H, W], landmark [1, 10, H, W], in cells. Faces in input pixels."""
    faces = []
    for index, score in zip(*find_peaks(heatmap[0, 0], score_min)):
        cy, cx = divmod(int(index), heatmap.shape[3])
        b = box[0, :, cy, cx].astype(np.float64)
        l = landmark[0, :, cy, cx].astype(np.float64)
        corners = np.array([cx - b[0], cy - b[1], cx + b[2], cy + b[3]]) * STRIDE
        low, high = np.minimum(corners[:2], corners[2:]), np.maximum(corners[:2], corners[2:])
        points = np.stack([(l[:5] + cx) * STRIDE, (l[5:] + cy) * STRIDE], axis=1)
        faces.append(Face(np.concatenate([low, high]), points, score))
    return faces


def box_iou(a: np.ndarray, b: np.ndarray) -> float:
    """Without the extra pixel; 0 where the union is empty."""
    overlap = np.prod(np.maximum(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0))
    union = np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2]) - overlap
    return float(overlap / union) if union > 0 else 0.0


def suppress(faces: list[Face], iou_max: float) -> list[Face]:
    """Greedy, best first: a face that overlaps a kept one by more than iou_max goes."""
    kept: list[Face] = []
    for face in faces:
        if all(box_iou(other.box, face.box) <= iou_max for other in kept):
            kept.append(face)
    return kept


def to_image(face: Face, placement: Placement) -> Face:
    scale = np.array([placement.scale_x, placement.scale_y])
    pad = np.array([placement.pad_left, placement.pad_top])
    box = ((face.box.reshape(2, 2) - pad) / scale).reshape(4)
    return Face(box, (face.landmarks - pad) / scale, face.score)


def app_box(box: np.ndarray, width: int, height: int) -> tuple[int, int, int, int]:
    """What the reference app reports of a decoded box: whole pixels left, top, width, height.

    A corner outside the image is clipped; sides keep their length. Then each side grows by 5 %, but only when the
    grown box lies wholly inside.
    """
    left, top = int(box[0]), int(box[1])
    w, h = box[2] - box[0] + 1, box[3] - box[1] + 1
    right, bottom = int(box[0] + w), int(box[1] + h)
    w, h = int(w), int(h)
    if left < 0 or top < 0 or right >= width or bottom >= height:
        left, top = max(left, 0), max(top, 0)
    grown_left, grown_top = left - int(w * GROWTH), top - int(h * GROWTH)
    grown_w, grown_h = int(w * (1 + 2 * GROWTH)), int(h * (1 + 2 * GROWTH))
    if grown_left >= 0 and grown_top >= 0 and grown_left + grown_w - 1 < width and grown_top + grown_h - 1 < height:
        return grown_left, grown_top, grown_w, grown_h
    return left, top, w, h


def postprocess(heatmap: np.ndarray, box: np.ndarray, landmark: np.ndarray, placement: Placement,
                score_min: float = SCORE_MIN, iou_max: float | None = None) -> list[Face]:
    """The network's outputs to faces in image pixels, best first."""
    faces = decode_faces(heatmap, box, landmark, score_min)
    if iou_max is not None:
        faces = suppress(faces, iou_max)
    return [to_image(face, placement) for face in faces]
