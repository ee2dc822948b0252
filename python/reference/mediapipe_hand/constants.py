"""What surrounds each network: sizes, value ranges, anchors, thresholds."""

from __future__ import annotations

import dataclasses

from python.reference.mediapipe_face.constants import DetectorConstants

# The lite and the full network have one signature.
PALM = DetectorConstants(
    size=192, strides=(8, 16), anchors_per_cell=(2, 6), score_min=0.5, input_range=(0.0, 1.0),
    keypoints=("wrist", "index_mcp", "middle_mcp", "ring_mcp", "little_mcp", "thumb_cmc", "thumb_mcp"))


@dataclasses.dataclass(frozen=True)
class LandmarkConstants:
    size: int = 224
    input_range: tuple[float, float] = (0.0, 1.0)
    landmark_count: int = 21
    presence_min: float = 0.5
    depth_divisor: float = 0.4  # z of the network is 0.4 times what is shown
    # From a palm: the line from the wrist to the root of the middle finger points up.
    palm_keypoints: tuple[int, int] = (0, 2)
    palm_shift: float = -0.5  # heights, downwards
    palm_scale: float = 2.6
    # From the landmarks of the frame before: all but the outer joints of the fingers.
    stable: tuple[int, ...] = (0, 1, 2, 3, 5, 6, 9, 10, 13, 14, 17, 18)
    wrist: int = 0
    roots: tuple[int, int, int] = (5, 9, 13)  # of index, middle and ring finger
    hand_shift: float = -0.1
    hand_scale: float = 2.0


LANDMARK = LandmarkConstants()
