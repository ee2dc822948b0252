"""What surrounds each network: sizes, value ranges, anchors, thresholds."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class DetectorConstants:
    size: int  # width and height of the input
    strides: tuple[int, ...]  # feature map strides, finest first
    anchors_per_cell: tuple[int, ...]
    score_min: float
    input_range: tuple[float, float] = (-1.0, 1.0)
    logit_limit: float = 100.0  # logits are clamped to ± this before the sigmoid
    iou_max: float = 0.3
    keypoints: tuple[str, ...] = ("right_eye", "left_eye", "nose", "mouth", "right_ear", "left_ear")

    @property
    def anchor_count(self) -> int:
        return sum((self.size // stride) ** 2 * per for stride, per in zip(self.strides, self.anchors_per_cell))


@dataclasses.dataclass(frozen=True)
class LandmarkConstants:
    size: int = 192
    input_range: tuple[float, float] = (0.0, 1.0)
    landmark_count: int = 468
    flag_min: float = 0.5
    region_scale: float = 1.5  # of the box's longer side
    # The region is turned so that the line from the first to the second of these key points is level.
    region_keypoints: tuple[int, int] = (0, 1)


SHORT_RANGE = DetectorConstants(size=128, strides=(8, 16), anchors_per_cell=(2, 6), score_min=0.5)
FULL_RANGE = DetectorConstants(size=192, strides=(4,), anchors_per_cell=(1,), score_min=0.6)
# The 256-pixel network of Qualcomm's package and MediaPipePyTorch.
BACK = DetectorConstants(size=256, strides=(16, 32), anchors_per_cell=(2, 6), score_min=0.5, input_range=(0.0, 1.0))
LANDMARK = LandmarkConstants()
