"""One-Euro smoothing of landmarks, as MediaPipe's FaceLandmarker sets it."""

from __future__ import annotations

import dataclasses

import numpy as np


@dataclasses.dataclass
class OneEuro:
    min_cutoff: float = 0.05
    beta: float = 80.0
    derivative_cutoff: float = 1.0
    last_time: float | None = None

    def apply(self, time: float, value_scale: float, values: np.ndarray) -> np.ndarray:
        """values [N] of this time, which is later than the last; returns the smoothed ones."""
        if self.last_time is None:
            self.raw, self.smoothed, self.speed = values.copy(), values.copy(), np.zeros_like(values)
        else:
            step = time - self.last_time
            self.speed += _alpha(self.derivative_cutoff, step) * ((values - self.raw) * value_scale / step - self.speed)
            self.smoothed += _alpha(self.min_cutoff + self.beta * np.abs(self.speed), step) * (values - self.smoothed)
            self.raw = values.copy()
        self.last_time = time
        return self.smoothed.copy()


def _alpha(cutoff: np.ndarray | float, step: float) -> np.ndarray | float:
    return 1 / (1 + 1 / (2 * np.pi * cutoff * step))
