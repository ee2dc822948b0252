"""How well an object was followed: J and F of masks as DAVIS defines them, success and precision of boxes as LaSOT does."""

import numpy as np

SUCCESS_THRESHOLDS = np.arange(21) / 20
PRECISION_PIXELS = 20.0
BOUNDARY_SHARE = 0.008  # of the image's diagonal: how far two contours may lie apart


def region_overlap(ours: np.ndarray, truth: np.ndarray) -> float:
    """J: intersection over union of two masks; 1 when both are empty."""
    either = np.logical_or(ours, truth).sum()
    return 1.0 if either == 0 else float(np.logical_and(ours, truth).sum() / either)


def contour(mask: np.ndarray) -> np.ndarray:
    """Pixels that differ from their right, lower or lower right neighbour; beyond the edge everything is alike."""
    mask = mask.astype(bool)
    padded = np.pad(mask, ((0, 1), (0, 1)), mode="edge")
    return (mask ^ padded[:-1, 1:]) | (mask ^ padded[1:, :-1]) | (mask ^ padded[1:, 1:])


def thickened(lines: np.ndarray, radius: int) -> np.ndarray:
    """All pixels whose centre lies no farther than radius from one of `lines`."""
    height, width = lines.shape
    result = np.zeros_like(lines)
    for dy in range(-radius, radius + 1):
        reach = int(np.sqrt(radius * radius - dy * dy))
        counts = np.concatenate([np.zeros((height, 1), int), np.cumsum(lines, axis=1)], axis=1)
        columns = np.arange(width)
        wide = counts[:, np.minimum(columns + reach + 1, width)] > counts[:, np.maximum(columns - reach, 0)]
        rows = slice(max(0, dy), min(height, height + dy))
        result[rows] |= wide[max(0, -dy):min(height, height - dy)]
    return result


def contour_measure(ours: np.ndarray, truth: np.ndarray) -> float:
    """F: harmonic mean of the shares of each contour that lie near the other one."""
    radius = int(np.ceil(BOUNDARY_SHARE * np.hypot(*truth.shape)))
    a, b = contour(ours), contour(truth)
    if not a.any() and not b.any():
        return 1.0
    if not a.any() or not b.any():
        return 0.0
    precision = (a & thickened(b, radius)).sum() / a.sum()
    recall = (b & thickened(a, radius)).sum() / b.sum()
    return 0.0 if precision + recall == 0 else float(2 * precision * recall / (precision + recall))


def box_overlaps(ours: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """IoU of boxes [n, 4] x, y, w, h, row by row; 0 where there is nothing to overlap."""
    low = np.maximum(ours[:, :2], truth[:, :2])
    high = np.minimum(ours[:, :2] + ours[:, 2:], truth[:, :2] + truth[:, 2:])
    both = np.prod(np.clip(high - low, 0, None), axis=1)
    either = np.prod(ours[:, 2:], axis=1) + np.prod(truth[:, 2:], axis=1) - both
    return np.divide(both, either, out=np.zeros(len(both)), where=either > 0)


def success_auc(overlaps: np.ndarray) -> float:
    """Mean, over 21 thresholds from 0 to 1, of the share of frames whose IoU is above the threshold."""
    return float((overlaps[:, None] > SUCCESS_THRESHOLDS).mean())


def precision(ours: np.ndarray, truth: np.ndarray) -> float:
    """Share of frames whose box centres are at most 20 pixels apart; a box without area is nowhere."""
    distance = np.linalg.norm(ours[:, :2] + ours[:, 2:] / 2 - truth[:, :2] - truth[:, 2:] / 2, axis=1)
    return float(((distance <= PRECISION_PIXELS) & (np.prod(ours[:, 2:], axis=1) > 0)).mean())
