"""The landmark network: a palm or last frame's hand to a turned square region, the tensors to 21 points."""

from __future__ import annotations

import dataclasses

import numpy as np

from python.reference.mediapipe_face.detector import Face
from python.reference.mediapipe_face.landmark import Region
from python.reference.mediapipe_face.sampling import to_range, warp
from python.reference.mediapipe_hand.constants import LandmarkConstants


def rotation(angle: float) -> np.ndarray:
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def upright_angle(start: np.ndarray, end: np.ndarray) -> float:
    """How far the line from start to end is turned clockwise from straight up; in -pi … pi."""
    angle = np.pi / 2 + np.arctan2(end[1] - start[1], end[0] - start[0])
    return float(angle - 2 * np.pi * np.floor((angle + np.pi) / (2 * np.pi)))


def moved_square(centre: np.ndarray, size: np.ndarray, angle: float, down: float, scale: float) -> Region:
    return Region(centre + rotation(angle) @ np.array([0, down * size[1]]), float(size.max()) * scale, angle)


def palm_region(palm: Face, constants: LandmarkConstants) -> Region:
    start, end = (palm.keypoints[index] for index in constants.palm_keypoints)
    return moved_square((palm.box[:2] + palm.box[2:]) / 2, palm.box[2:] - palm.box[:2], upright_angle(start, end),
                        constants.palm_shift, constants.palm_scale)


def next_region(points: np.ndarray, constants: LandmarkConstants) -> Region:
    """points [21, ≥2] of this frame: where the hand is looked for in the next."""
    points = points[:, :2]
    index, middle, ring = points[list(constants.roots)]
    angle = upright_angle(points[constants.wrist], ((index + ring) / 2 + middle) / 2)
    stable = points[list(constants.stable)]
    about = (stable.min(axis=0) + stable.max(axis=0)) / 2
    turned = (stable - about) @ rotation(-angle).T
    low, high = turned.min(axis=0), turned.max(axis=0)
    return moved_square(about + rotation(angle) @ ((low + high) / 2), high - low, angle, constants.hand_shift, constants.hand_scale)


def preprocess(image: np.ndarray, region: Region, constants: LandmarkConstants) -> np.ndarray:
    """uint8 [H, W, 3] RGB to float32 [1, size, size, 3]; beyond the image its edge goes on."""
    crop = warp(image, region.affine(constants.size), constants.size, constants.size, "replicate")
    return to_range(crop, constants.input_range)[None]


@dataclasses.dataclass(frozen=True)
class Hand:
    points: np.ndarray  # [21, 3]: x, y in pixels of the image, z in the same unit, negative towards the viewer
    world: np.ndarray  # [21, 3]: metres, about the hand's middle
    presence: float
    left: float  # probability of a left hand, were the image mirrored (as MediaPipe counts)


def postprocess(outputs: list[np.ndarray], region: Region, constants: LandmarkConstants) -> Hand:
    """outputs: landmarks [1, 63] in pixels of the crop, presence [1, 1], handedness [1, 1], world landmarks [1, 63]."""
    landmarks, presence, left, world = outputs
    points = landmarks.reshape(constants.landmark_count, 3).astype(np.float64)
    depth = points[:, 2:] * (region.side / constants.size / constants.depth_divisor)
    metres = world.reshape(constants.landmark_count, 3).astype(np.float64)
    metres = np.concatenate([metres[:, :2] @ rotation(region.angle).T, metres[:, 2:]], axis=1)
    return Hand(np.concatenate([region.affine(constants.size).apply(points[:, :2]), depth], axis=1), metres,
                float(presence.reshape(-1)[0]), float(left.reshape(-1)[0]))
