"""Which candidate mask is taken, and which earlier frames a frame sees. Frames are counted from the prompt's, which is 0."""

from __future__ import annotations

import dataclasses

import numpy as np

from python.reference.samurai import constants as c
from python.reference.samurai import kalman


@dataclasses.dataclass
class Kept:
    """What the rules remember of a tracked frame."""

    iou: float
    object_score: float
    motion: float | None


class Rules:
    def __init__(self, motion_weight: float = c.MOTION_WEIGHT):
        self._motion_weight = motion_weight
        self.mean: np.ndarray | None = None
        self.covariance: np.ndarray | None = None
        self.stable = 0
        self._kept: list[Kept] = []

    @property
    def frame(self) -> int:
        """The frame that comes next."""
        return len(self._kept)

    def memory(self) -> list[tuple[int, int]]:
        """(slot, frame): slot 0 the prompt's frame, slots … 6 the newest of the others; nothing on the prompt's frame."""
        t = self.frame
        if t == 0:
            return []
        good: list[int] = []
        # Frame 1 is never asked: the published loop ends at 2.
        for frame in range(t - 1, 1, -1):
            kept = self._kept[frame]
            if (kept.iou > c.MEMORY_IOU and kept.object_score > c.MEMORY_OBJECT_SCORE
                    and (kept.motion is None or kept.motion > c.MEMORY_MOTION)):
                good.insert(0, frame)
            if len(good) >= c.POINTERS - 1:
                break
        if t - 1 not in good:
            good.append(t - 1)
        newest = good[-(c.SLOTS - 1):]
        first = c.SLOTS - len(newest)
        # After the prompt alone, the frame before is the prompt's, which has its own slot.
        return [(0, 0)] + [(first + k, frame) for k, frame in enumerate(newest) if frame != 0]

    def pointers(self) -> list[tuple[int, int]]:
        """(distance, frame): the prompt's, then the frames before this one, newest first, good or not."""
        t = self.frame
        if t == 0:
            return []
        return [(t, 0)] + [(distance, t - distance) for distance in range(1, min(c.POINTERS, t))]

    def step(self, boxes, ious, object_score: float) -> dict:
        """One frame: candidates in the order of the decoder's tokens, one or three; returns the decision."""
        memory, pointers = self.memory(), self.pointers()
        # In single precision, as the original: what is equal there must be equal here.
        ious = np.asarray(ious, dtype=np.float32)
        choice, motion = (0, None) if len(ious) == 1 else self._choose(boxes, ious)
        self._kept.append(Kept(float(ious[choice]), float(object_score), motion))
        return {
            "choice": choice, "kf_score": motion, "stable": self.stable,
            "mean": None if self.mean is None else self.mean.tolist(),
            "cov_diag": None if self.covariance is None else np.diag(self.covariance).tolist(),
            "memory": [list(each) for each in memory], "pointers": [list(each) for each in pointers],
        }

    def _choose(self, boxes, ious) -> tuple[int, float | None]:
        best = int(np.argmax(ious))
        if self.mean is None or self.stable == 0:
            self.mean, self.covariance = kalman.initiate(kalman.state_of(boxes[best]))
            self.stable += 1
            return best, None
        self.mean, self.covariance = kalman.predict(self.mean, self.covariance)
        if self.stable < c.STABLE_FRAMES:
            if ious[best] > np.float32(c.STABLE_IOU):
                self._update(boxes[best])
                self.stable += 1
            else:
                self.stable = 0
            return best, None
        predicted = kalman.box_of(self.mean)
        motion = np.array([kalman.overlap(predicted, np.asarray(box, dtype=np.float64)) for box in boxes])
        best = int(np.argmax(self._motion_weight * motion + np.float32(1 - self._motion_weight) * ious))
        if ious[best] < np.float32(c.STABLE_IOU):
            self.stable = 0
        else:
            self._update(boxes[best])
        return best, float(motion[best])

    def _update(self, box) -> None:
        self.mean, self.covariance = kalman.update(self.mean, self.covariance, kalman.state_of(box))


def replay(frames: list[dict], motion_weight: float = c.MOTION_WEIGHT) -> list[dict]:
    rules = Rules(motion_weight)
    return [{"frame": each["frame"], **rules.step(each["boxes"], each["ious"], each["object_score"])} for each in frames]
