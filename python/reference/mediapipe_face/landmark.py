"""The landmark network: a face to a turned square region, the region to a tensor, the tensor to 468 points."""

from __future__ import annotations

import dataclasses

import numpy as np

from python.reference.mediapipe_face.constants import LandmarkConstants
from python.reference.mediapipe_face.detector import Face
from python.reference.mediapipe_face.sampling import Affine, to_range, warp


@dataclasses.dataclass(frozen=True)
class Region:
    """A square in the image, turned clockwise (x right, y down) by `angle` radians."""

    centre: np.ndarray  # [2]
    side: float
    angle: float

    def affine(self, size: int) -> Affine:
        """From pixels of the crop of size × size to pixels of the image."""
        cosine, sine = np.cos(self.angle), np.sin(self.angle)
        matrix = np.array([[cosine, -sine], [sine, cosine]]) * (self.side / size)
        return Affine(matrix, self.centre - matrix @ np.array([size / 2, size / 2]))


def face_region(face: Face, constants: LandmarkConstants) -> Region:
    """A square around the box's centre: its longer side times region_scale, turned until the eyes are level."""
    start, end = (face.keypoints[index] for index in constants.region_keypoints)
    angle = np.arctan2(end[1] - start[1], end[0] - start[0])
    width, height = face.box[2:] - face.box[:2]
    return Region((face.box[:2] + face.box[2:]) / 2, float(max(width, height)) * constants.region_scale, float(angle))


def preprocess(image: np.ndarray, region: Region, constants: LandmarkConstants) -> np.ndarray:
    """uint8 [H, W, 3] RGB to float32 [1, size, size, 3]; beyond the image its edge goes on."""
    crop = warp(image, region.affine(constants.size), constants.size, constants.size, "replicate")
    return to_range(crop, constants.input_range)[None]


@dataclasses.dataclass(frozen=True)
class Landmarks:
    points: np.ndarray  # [468, 3]: x, y in pixels of the image, z in the same unit, negative towards the viewer
    score: float  # that there is a face


def postprocess(landmarks: np.ndarray, face_flag: np.ndarray, region: Region, constants: LandmarkConstants) -> Landmarks:
    """landmarks [..., 1404] in pixels of the crop, face_flag: one logit."""
    points = landmarks.reshape(-1, 3).astype(np.float64)
    if len(points) != constants.landmark_count:
        raise ValueError(f"landmarks: expected {constants.landmark_count} points, found {len(points)}")
    placed = region.affine(constants.size).apply(points[:, :2])
    depth = points[:, 2:] * (region.side / constants.size)
    return Landmarks(np.concatenate([placed, depth], axis=1), float(1 / (1 + np.exp(-face_flag.reshape(-1)[0]))))
