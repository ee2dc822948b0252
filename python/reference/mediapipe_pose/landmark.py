"""The landmark network: a circle around a body to a turned square region, the tensors to 33 points."""

from __future__ import annotations

import dataclasses

import numpy as np

from python.reference.mediapipe_face.landmark import Region
from python.reference.mediapipe_hand.landmark import preprocess, rotation, upright_angle
from python.reference.mediapipe_pose.constants import LandmarkConstants

__all__ = ["Pose", "circle_region", "postprocess", "preprocess", "refine"]


def circle_region(middle: np.ndarray, around: np.ndarray, scale: float) -> Region:
    """A square around the circle, turned until `around` lies above `middle`."""
    return Region(np.asarray(middle, float), 2 * float(np.hypot(*(np.asarray(around) - middle))) * scale, upright_angle(middle, around))


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-logits.astype(np.float64)))


def refine(points: np.ndarray, heatmap: np.ndarray, constants: LandmarkConstants) -> np.ndarray:
    """points [K, 2] in cells, heatmap [64, 64, ≥K] of logits: each point to the weighted middle of the cells around it."""
    refined, size, reach = points.copy(), constants.heatmap_size, constants.heatmap_reach
    for index, (x, y) in enumerate(points):
        if not (0 <= x < size and 0 <= y < size):
            continue
        rows, columns = (np.arange(max(0, int(at) - reach), min(size, int(at) + reach + 1)) for at in (y, x))
        weights = _sigmoid(heatmap[np.ix_(rows, columns)][..., index])
        if weights.max() >= constants.heatmap_min:
            refined[index] = [(weights.sum(axis=0) @ columns) / weights.sum(), (weights.sum(axis=1) @ rows) / weights.sum()]
    return refined


@dataclasses.dataclass(frozen=True)
class Pose:
    points: np.ndarray  # [33, 3]: x, y in pixels of the image, z in the same unit, negative towards the viewer
    visibility: np.ndarray  # [33]
    auxiliary: np.ndarray  # [2, 2]
    world: np.ndarray  # [33, 3]: metres, about the hips' middle
    presence: float


def postprocess(outputs: list[np.ndarray], region: Region, constants: LandmarkConstants) -> Pose:
    """outputs: landmarks [1, 195] in pixels of the crop, presence [1, 1], heatmap [1, 64, 64, 39], world landmarks [1, 117]."""
    landmarks, presence, heatmap, world = outputs
    rows = landmarks.reshape(constants.network_landmarks, constants.columns).astype(np.float64)
    rows = rows[: constants.landmark_count + constants.auxiliary_count]
    cell = constants.size / constants.heatmap_size
    placed = region.affine(constants.size).apply(refine(rows[:, :2] / cell, heatmap[0], constants) * cell)
    depth = rows[:, 2:3] * (region.side / constants.size)
    metres = world.reshape(-1, 3)[: constants.landmark_count].astype(np.float64)
    metres = np.concatenate([metres[:, :2] @ rotation(region.angle).T, metres[:, 2:]], axis=1)
    count = constants.landmark_count
    return Pose(np.concatenate([placed, depth], axis=1)[:count], _sigmoid(rows[:count, 3]), placed[count:], metres,
                float(presence.reshape(-1)[0]))
