"""The spectrogram of htdemucs and its inverse as real matrix products: no complex types, at most four dimensions.

A transform of 4096 points is done in two steps of 64 (Cooley and Tukey); the twiddle factors, the window and the scale
are folded into the constant matrices. Index n of time is n1 + 64 n2, index k of frequency is k1 + 64 k2 with k2 < 32
(the last bin is dropped). The tables are computed in double precision.

Framing (HTDemucs._spec): frame t starts at sample 1024 t - 1536 of the segment, which is continued by reflection. The
extra reflection of torch.stft(center=True) lies in frames that _spec drops, and inside the segment four windows always
overlap, so that the envelope of the inverse (HTDemucs._ispec) is the constant 1.5.
"""

import math

import numpy as np

from python.exporters.demucs.graph_builder import GraphBuilder

N_FFT = 4096
HOP = 1024
PAD = HOP // 2 * 3
POINTS = 64
BINS = N_FFT // 2
ENVELOPE = 1.5

_window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(N_FFT) / N_FFT)
_i = np.arange(POINTS)


def frames_of(samples: int) -> int:
    return math.ceil(samples / HOP)


def _forward_tables() -> tuple[np.ndarray, np.ndarray]:
    """Over n2 for each n1: [n1, (k1, re|im), n2]; over n1 for each k1: [k1, (re|im, k2), (re|im, n1)]."""
    angle = -2 * np.pi * np.outer(_i, _i) / POINTS  # [k1, n2]
    first = np.stack([np.cos(angle), np.sin(angle)], axis=1).reshape(1, 2 * POINTS, POINTS)
    window = _window.reshape(POINTS, POINTS).T  # [n1, n2]
    first = first * window[:, None, :] / math.sqrt(N_FFT)
    k1, k2, n1 = np.meshgrid(_i, np.arange(POINTS // 2), _i, indexing="ij")
    angle = -2 * np.pi * (k1 * n1 / N_FFT + k2 * n1 / POINTS)
    c, s = np.cos(angle), np.sin(angle)
    second = np.concatenate([np.concatenate([c, -s], axis=2), np.concatenate([s, c], axis=2)], axis=1)
    return first, second


def _inverse_tables() -> tuple[np.ndarray, np.ndarray]:
    """Over k2: [(n1, re|im), (re|im, k2)]; over k1 for each n1: [n1, n2, (re|im, k1)]."""
    angle = 2 * np.pi * np.outer(_i, np.arange(POINTS // 2)) / POINTS  # [n1, k2]
    c, s = np.cos(angle), np.sin(angle)
    first = np.stack([np.concatenate([c, -s], axis=1), np.concatenate([s, c], axis=1)], axis=1)
    first = first.reshape(2 * POINTS, POINTS)
    n1, n2, k1 = np.meshgrid(_i, _i, _i, indexing="ij")
    angle = 2 * np.pi * (k1 * n1 / N_FFT + k1 * n2 / POINTS)
    second = np.concatenate([np.cos(angle), -np.sin(angle)], axis=2)
    window = _window.reshape(POINTS, POINTS).T  # [n1, n2]
    # Bins 1 … 2047 stand for themselves and their mirror; the inverse of normalized=True multiplies by sqrt(4096).
    second = second * window[:, :, None] * 2 * math.sqrt(N_FFT) / N_FFT / ENVELOPE
    return first, second


def spectrogram(b: GraphBuilder, mix: str, samples: int) -> str:
    """(B, 2, N) -> (B, 4, 2048, frames): left real, left imaginary, right real, right imaginary."""
    frames = frames_of(samples)
    with b.scope("stft"):
        right = PAD + frames * HOP - samples
        x = b.op("Pad", mix, b.integers(0, 0, PAD, 0, 0, right), mode="reflect")
        # (channels, blocks, 16, 64): sample = 1024 block + 64 row + n1
        x = b.reshape(x, -1, frames + 3, HOP // POINTS, POINTS)
        x = b.op("Transpose", x, perm=[0, 3, 2, 1])  # (channels, n1, 16, blocks)
        quarters = [b.slice(x, 3, j, j + frames) for j in range(4)]
        x = b.op("Concat", *quarters, axis=2)  # (channels, n1, n2, frames)
        first, second = _forward_tables()
        x = b.op("MatMul", b.constant(first[None], "over_n2"), x)  # (channels, n1, (k1, re|im), frames)
        x = b.op("Transpose", x, perm=[0, 2, 1, 3])
        x = b.reshape(x, -1, POINTS, 2 * POINTS, frames)  # (channels, k1, (re|im, n1), frames)
        x = b.op("MatMul", b.constant(second[None], "over_n1"), x)  # (channels, k1, (re|im, k2), frames)
        x = b.op("Transpose", x, perm=[0, 2, 1, 3])
        return b.reshape(x, -1, 4, BINS, frames)


def waveform(b: GraphBuilder, z: str, sources: int, samples: int) -> str:
    """(B, S * 4, 2048, frames) -> (B, S, 2, N)."""
    frames = frames_of(samples)
    with b.scope("istft"):
        first, second = _inverse_tables()
        # The constant term is not mirrored: half of it; its imaginary part does not count.
        halves = np.ones((1, 2, BINS, 1))
        halves[:, 0, 0], halves[:, 1, 0] = 0.5, 0
        z = b.op("Mul", b.reshape(z, -1, 2, BINS, frames), b.constant(halves, "mirror"))
        z = b.reshape(z, -1, 1, POINTS, POINTS * frames)  # (channels, 1, (re|im, k2), (k1, frames))
        x = b.op("MatMul", b.constant(first[None, None], "over_k2"), z)  # (channels, 1, (n1, re|im), (k1, frames))
        x = b.reshape(x, -1, POINTS, 2 * POINTS, frames)  # (channels, n1, (re|im, k1), frames)
        x = b.op("MatMul", b.constant(second[None], "over_k1"), x)  # (channels, n1, n2, frames)
        rows = HOP // POINTS
        total = None
        for j in range(4):
            part = b.slice(x, 2, j * rows, (j + 1) * rows)
            part = b.op("Pad", part, b.integers(0, 0, 0, j, 0, 0, 0, 3 - j))
            total = part if total is None else b.op("Add", total, part)
        x = b.op("Transpose", total, perm=[0, 3, 2, 1])  # (channels, blocks, 16, 64)
        x = b.reshape(x, -1, sources, 2, (frames + 3) * HOP)
        return b.slice(x, 3, PAD, PAD + samples)
