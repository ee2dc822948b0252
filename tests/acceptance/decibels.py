"""How near two arrays are: the measure of every acceptance suite."""

import math

import numpy as np


def decibels(expected: np.ndarray, given: np.ndarray) -> float:
    """Signal over error. -inf for another shape, or another set of NaN and infinities; inf for equal ones."""
    if expected.shape != given.shape:
        return -math.inf
    if expected.size == 0:
        return math.inf
    expected, given = expected.astype(np.float64), given.astype(np.float64)
    same = (expected == given) | (np.isnan(expected) & np.isnan(given))
    finite = np.isfinite(expected)
    if not np.isfinite(given[finite]).all() or not same[~finite].all():
        return -math.inf
    noise = float(np.sum((expected[finite] - given[finite]) ** 2))
    signal = float(np.sum(expected[finite] ** 2))
    if noise == 0:
        return math.inf
    return 10 * math.log10(signal / noise) if signal > 0 else -math.inf
