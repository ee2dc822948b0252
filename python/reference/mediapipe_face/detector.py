"""The detector: image to tensor, tensor to faces."""

from __future__ import annotations

import dataclasses

import numpy as np

from python.reference.mediapipe_face.constants import DetectorConstants
from python.reference.mediapipe_face.sampling import Letterbox, letterbox, to_range


@dataclasses.dataclass(frozen=True)
class Face:
    """Pixels of the image, x right, y down."""

    box: np.ndarray  # [4]: left, top, right, bottom
    keypoints: np.ndarray  # [6, 2]
    score: float


def preprocess(image: np.ndarray, constants: DetectorConstants) -> tuple[np.ndarray, Letterbox]:
    """uint8 [H, W, 3] RGB to float32 [1, size, size, 3]."""
    square, box = letterbox(image, constants.size)
    return to_range(square, constants.input_range)[None], box


def make_anchors(constants: DetectorConstants) -> np.ndarray:
    """Centres [N, 2] in 0 … 1, row by row, all anchors of a cell together, finest map first. Sizes are all 1."""
    maps = []
    for stride, per_cell in zip(constants.strides, constants.anchors_per_cell):
        cells = constants.size // stride
        centres = (np.arange(cells) + 0.5) / cells
        columns, rows = np.meshgrid(centres, centres)
        maps.append(np.repeat(np.stack([columns.ravel(), rows.ravel()], axis=1), per_cell, axis=0))
    return np.concatenate(maps).astype(np.float32)


def decode_boxes(regressors: np.ndarray, constants: DetectorConstants) -> tuple[np.ndarray, np.ndarray]:
    """regressors [1, N, 4 + 2·K]: (x, y) pairs in input pixels: centre and size, then K key points (six of a face).

    Centre and key points are relative to the anchor. Returns boxes [N, 4] and key points [N, K, 2] in input pixels.
    """
    pairs = regressors[0].reshape(len(regressors[0]), -1, 2).astype(np.float64)
    anchors = make_anchors(constants) * constants.size
    centres, half = pairs[:, 0] + anchors, pairs[:, 1] / 2
    return np.concatenate([centres - half, centres + half], axis=1), pairs[:, 2:] + anchors[:, None]


def decode_scores(classificators: np.ndarray, constants: DetectorConstants) -> np.ndarray:
    """classificators [1, N, 1], logits, to [N] in 0 … 1."""
    logits = np.clip(classificators[0, :, 0].astype(np.float64), -constants.logit_limit, constants.logit_limit)
    return 1 / (1 + np.exp(-logits))


def box_iou(box: np.ndarray, others: np.ndarray) -> np.ndarray:
    """box [4] against [N, 4]; 0 where the union is empty."""
    low = np.maximum(box[:2], others[:, :2])
    high = np.minimum(box[2:], others[:, 2:])
    overlap = np.prod(np.maximum(high - low, 0), axis=1)
    areas = np.prod(np.maximum(others[:, 2:] - others[:, :2], 0), axis=1)
    union = np.prod(np.maximum(box[2:] - box[:2], 0)) + areas - overlap
    return np.divide(overlap, union, out=np.zeros_like(overlap), where=union > 0)


def suppress_weighted(boxes: np.ndarray, keypoints: np.ndarray, scores: np.ndarray, iou_max: float) -> list[Face]:
    """Best first: a face and everything that overlaps it by more than iou_max become their mean, weighted by score."""
    faces = []
    left = np.argsort(-scores, kind="stable")
    while len(left) > 0:
        best = left[0]
        merged = box_iou(boxes[best], boxes[left]) > iou_max
        merged[0] = True  # also a box without area stands for itself
        group = left[merged]
        weights = scores[group] / scores[group].sum()
        faces.append(Face(weights @ boxes[group], np.tensordot(weights, keypoints[group], axes=1), float(scores[best])))
        left = left[~merged]
    return faces


def postprocess(regressors: np.ndarray, classificators: np.ndarray, box: Letterbox,
                constants: DetectorConstants) -> list[Face]:
    """The network's outputs to faces in the image, best first."""
    boxes, keypoints = decode_boxes(regressors, constants)
    scores = decode_scores(classificators, constants)
    kept = scores >= constants.score_min
    faces = suppress_weighted(boxes[kept], keypoints[kept], scores[kept], constants.iou_max)
    return [Face(box.to_image(face.box.reshape(2, 2)).reshape(4), box.to_image(face.keypoints), face.score)
            for face in faces]
