"""What surrounds each network: sizes, value ranges, anchors, thresholds."""

from __future__ import annotations

import dataclasses

from python.reference.mediapipe_face.constants import DetectorConstants

PERSON = DetectorConstants(
    size=224, strides=(8, 16, 32), anchors_per_cell=(2, 2, 6), score_min=0.5, input_range=(-1.0, 1.0),
    keypoints=("middle_of_hips", "circle_of_body", "middle_of_shoulders", "circle_of_head"))


@dataclasses.dataclass(frozen=True)
class LandmarkConstants:
    size: int = 256
    input_range: tuple[float, float] = (0.0, 1.0)
    landmark_count: int = 33
    auxiliary_count: int = 2  # the circle around the body in the next frame: its middle and a point on it
    network_landmarks: int = 39
    columns: int = 5  # x, y, z, visibility, presence
    presence_min: float = 0.5
    region_scale: float = 1.25
    heatmap_size: int = 64
    heatmap_reach: int = 4  # cells, as the package 0.10.21 does (its graph says a kernel of 7)
    heatmap_min: float = 0.5


LANDMARK = LandmarkConstants()
