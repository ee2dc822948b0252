"""Comparing what a test found with its golden: the one way that cannot pass by comparing nothing."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def assert_close(found: ArrayLike, expected: ArrayLike, rtol: float = 1e-7, atol: float = 0.0, err_msg: str = "") -> None:
    """np.testing.assert_allclose, where NaN equals nothing, shapes are the same and there is something to compare.

    NumPy's own takes NaN for NaN, a single number for a whole array, and two empty arrays for equal.
    """
    one, other = np.asarray(found, dtype=np.float64), np.asarray(expected, dtype=np.float64)
    assert one.shape == other.shape, f"{err_msg} found {list(one.shape)}, expected {list(other.shape)}".strip()
    assert one.size > 0, f"{err_msg} nothing to compare: {list(one.shape)}".strip()
    np.testing.assert_allclose(one, other, rtol=rtol, atol=atol, equal_nan=False, err_msg=err_msg)
