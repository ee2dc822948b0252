"""The comparison with goldens: what it lets pass, and what NumPy's would."""

import numpy as np
import pytest

from python.tools.comparison import assert_close


def test_values_within_the_bound_are_close():
    assert_close([1.0, 2.0], np.array([1.0, 2.05], np.float32), atol=0.1)
    assert_close(3, 3.0)


@pytest.mark.parametrize(("found", "expected", "says"), [
    ([np.nan], [np.nan], "(?i)nan"),
    ([], [], "nothing to compare"),
    (np.zeros((0, 4)), np.zeros((0, 4)), "nothing to compare"),
    (1.0, [1.0, 1.0], "expected \\[2\\]"),
    ([[1.0], [1.0]], [[1.0, 1.0], [1.0, 1.0]], "found \\[2, 1\\]"),
    ([1.0, np.inf], [1.0, 2.0], "(?i)inf|mismatch"),
    ([1.0], [1.2], "(?i)mismatch|not equal"),
], ids=["nan", "empty", "no rows", "a number for an array", "a column for a matrix", "inf", "beyond"])
def test_what_compares_nothing_or_something_else_fails(found, expected, says):
    with pytest.raises(AssertionError, match=says):
        assert_close(found, expected, atol=0.1)
