"""The motion filter: centre x, y, aspect (width / height), height, and the four velocities; one frame is one unit of time."""

import numpy as np

from python.reference.samurai import constants as c

_STEP = np.eye(8)
_STEP[:4, 4:] = np.eye(4)


def state_of(box) -> np.ndarray:
    """[x0, y0, x1, y1] to [x, y, aspect, height]; a box without height counts as one pixel high."""
    x0, y0, x1, y1 = (float(v) for v in box)
    height = y1 - y0
    if height == 0:
        height = 1.0
    return np.array([(x0 + x1) / 2, (y0 + y1) / 2, (x1 - x0) / height, height])


def box_of(mean) -> np.ndarray:
    x, y, aspect, height = mean[:4]
    half = aspect * height / 2
    return np.array([x - half, y - height / 2, x + half, y + height / 2])


def overlap(predicted, candidate) -> float:
    """Intersection over union of boxes without width of an edge; 0 for the box of an empty mask."""
    if not np.any(candidate):
        return 0.0
    width = max(0.0, min(predicted[2], candidate[2]) - max(predicted[0], candidate[0]))
    height = max(0.0, min(predicted[3], candidate[3]) - max(predicted[1], candidate[1]))
    shared = width * height
    union = ((predicted[2] - predicted[0]) * (predicted[3] - predicted[1])
             + (candidate[2] - candidate[0]) * (candidate[3] - candidate[1]) - shared)
    return shared / union if union != 0 else 0.0


def _squares(height: float, position: float, aspect: float, velocity: float | None = None, aspect_velocity: float = 0.0):
    deviations = [position * height, position * height, aspect, position * height]
    if velocity is not None:
        deviations += [velocity * height, velocity * height, aspect_velocity, velocity * height]
    return np.diag(np.square(deviations))


def initiate(measured) -> tuple[np.ndarray, np.ndarray]:
    covariance = _squares(measured[3], 2 * c.POSITION_NOISE, c.ASPECT_NOISE, 10 * c.VELOCITY_NOISE, c.ASPECT_VELOCITY_NOISE)
    return np.concatenate([measured, np.zeros(4)]), covariance


def predict(mean, covariance) -> tuple[np.ndarray, np.ndarray]:
    noise = _squares(mean[3], c.POSITION_NOISE, c.ASPECT_NOISE, c.VELOCITY_NOISE, c.ASPECT_VELOCITY_NOISE)
    return _STEP @ mean, _STEP @ covariance @ _STEP.T + noise


def update(mean, covariance, measured) -> tuple[np.ndarray, np.ndarray]:
    spread = covariance[:4, :4] + _squares(mean[3], c.POSITION_NOISE, c.ASPECT_MEASUREMENT_NOISE)
    gain = np.linalg.solve(spread, covariance[:4, :]).T
    return mean + gain @ (measured - mean[:4]), covariance - gain @ spread @ gain.T
