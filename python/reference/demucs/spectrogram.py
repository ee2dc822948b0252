"""Writes tests/golden/demucs/stft_*.f32: spectrograms and waves as demucs' own functions compute them.

    python -m python.reference.demucs.spectrogram

Input is a linear congruential generator that C++ repeats: s = s * 1664525 + 1013904223 mod 2^32, value = the float with
mantissa s >> 9 in [1, 2), less one, times two, less one.
"""

import pathlib

import numpy as np
import torch
from demucs.htdemucs import HTDemucs

SEGMENT = 44100
FREQUENCY_STEP = 64
SAMPLE_STEP = 16
SOURCES = 4


def lcg(seed: int, count: int) -> np.ndarray:
    """The first `count` values after `seed`."""
    multiplier, increment = np.uint32(1664525), np.uint32(1013904223)
    state = np.empty(count, dtype=np.uint32)
    s = seed
    for i in range(count):
        s = (s * int(multiplier) + int(increment)) & 0xFFFFFFFF
        state[i] = s
    return (((state >> np.uint32(9)) | np.uint32(0x3F800000)).view(np.float32) - np.float32(1)) * np.float32(2) - np.float32(1)


def main() -> None:
    folder = pathlib.Path("tests/golden/demucs")
    folder.mkdir(parents=True, exist_ok=True)
    model = HTDemucs(["a"] * SOURCES)
    wave = torch.from_numpy(lcg(0x12345678, 2 * SEGMENT)).reshape(1, 2, SEGMENT)
    spectrogram = model._magnitude(model._spec(wave))[0]
    spectrogram[:, ::FREQUENCY_STEP].contiguous().numpy().tofile(folder / "stft_forward.f32")
    frames = spectrogram.shape[-1]
    bins = torch.from_numpy(lcg(0x87654321, SOURCES * 4 * 2048 * frames)).reshape(1, SOURCES, 4, 2048, frames)
    back = model._ispec(model._mask(None, bins), SEGMENT)[0]
    back[..., ::SAMPLE_STEP].contiguous().numpy().tofile(folder / "stft_inverse.f32")


if __name__ == "__main__":
    main()
