"""Writes tests/golden/demucs/scipy_*.f32 and tests/golden/media/scipy_44100.f32: transforms and resampling by SciPy, which
shares no code with PyTorch, Demucs or soxr.

    PYTHONPATH=.deps/original-samurai .deps/venv-torch/bin/python -m python.reference.demucs.scipy_golden
"""

import pathlib

import numpy as np
from scipy import signal

from python.reference.demucs.noise import lcg

SEGMENT, POINTS, HOP = 50001, 4096, 1024  # no whole number of hops
BEFORE = HOP // 2 * 3  # samples of the first frame that lie before the segment
FREQUENCY_STEP, SAMPLE_STEP = 64, 16
TONES, FROM_HZ, TO_HZ = 40, 8000, 44100


def forward() -> np.ndarray:
    """[channel][re | im][bin][frame] of two channels of noise."""
    wave = lcg(0x2468ACE0, 2 * SEGMENT).reshape(2, SEGMENT).astype(np.float64)
    frames = -(-SEGMENT // HOP)
    continued = np.pad(wave, ((0, 0), (BEFORE, (frames - 1) * HOP + POINTS - BEFORE - SEGMENT)), mode="reflect")
    _, _, bins = signal.stft(continued, window="hann", nperseg=POINTS, noverlap=POINTS - HOP, boundary=None, padded=False)
    bins *= POINTS / 2 / np.sqrt(POINTS)  # SciPy divides by the window's sum, torch's normalized=True by the root of its length
    return np.stack([bins.real, bins.imag], 1)[:, :, : POINTS // 2]


def inverse() -> np.ndarray:
    """Waves of two channels whose bins are noise: no spectrogram of anything, so that overlapping frames disagree."""
    frames = -(-SEGMENT // HOP)
    parts = lcg(0x13579BDF, 4 * POINTS // 2 * frames).reshape(2, 2, POINTS // 2, frames).astype(np.float64)
    bins = np.pad(parts[:, 0] + 1j * parts[:, 1], ((0, 0), (0, 1), (2, 2)))  # no highest bin; silence before and after
    _, wave = signal.istft(bins * np.sqrt(POINTS) / (POINTS / 2), window="hann", nperseg=POINTS, noverlap=POINTS - HOP, boundary=False)
    start = POINTS // 2 + BEFORE
    return wave[:, start : start + SEGMENT]


def tones() -> np.ndarray:
    """A second of tones of whole hertz, well below half of either rate: what any exact resampler gives back."""
    phases, hertz = lcg(0x0F1E2D3C, TONES).astype(np.float64), 1 + 80 * np.arange(TONES)
    time = np.arange(FROM_HZ) / FROM_HZ
    return np.sin(2 * np.pi * hertz[:, None] * time + np.pi * phases[:, None]).sum(0) / TONES


def main() -> None:
    folder = pathlib.Path("tests/golden/demucs")
    forward().reshape(-1, forward().shape[-1])[::FREQUENCY_STEP].astype(np.float32).tofile(folder / "scipy_stft.f32")
    inverse()[:, ::SAMPLE_STEP].astype(np.float32).tofile(folder / "scipy_istft.f32")
    signal.resample(tones(), TO_HZ)[::SAMPLE_STEP].astype(np.float32).tofile("tests/golden/media/scipy_44100.f32")


if __name__ == "__main__":
    main()
