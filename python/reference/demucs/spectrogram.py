"""Writes tests/golden/demucs/stft_*.f32: spectrograms and waves as demucs' own functions compute them.

    python -m python.reference.demucs.spectrogram
"""

import pathlib

import torch
from demucs.htdemucs import HTDemucs

from python.reference.demucs.noise import lcg

SEGMENT = 44100
FREQUENCY_STEP = 64
SAMPLE_STEP = 16
SOURCES = 4


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
