"""Noise that C++ repeats (`lcg` of src/media/testing/golden.hpp): s = s * 1664525 + 1013904223 mod 2^32, value = the float with
mantissa s >> 9 in [1, 2), less one, times two, less one."""

import numpy as np


def lcg(seed: int, count: int) -> np.ndarray:
    """The first `count` values after `seed`."""
    multiplier, increment = np.uint32(1664525), np.uint32(1013904223)
    state = np.empty(count, dtype=np.uint32)
    s = seed
    for i in range(count):
        s = (s * int(multiplier) + int(increment)) & 0xFFFFFFFF
        state[i] = s
    return (((state >> np.uint32(9)) | np.uint32(0x3F800000)).view(np.float32) - np.float32(1)) * np.float32(2) - np.float32(1)
