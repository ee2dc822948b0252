"""Writes tests/golden/demucs/tiny*: a small HTDemucs as model folders, and stems that the `demucs` package computes with it.

    python -m python.reference.demucs.tiny_model

The song is noise of the generator in spectrogram.py, the right side quieter than the left; goldens hold every 16th sample
of [stem][channel][sample].
"""

import argparse
import pathlib
import random
import tempfile
from fractions import Fraction

import numpy as np
import torch
from demucs.apply import BagOfModels, apply_model
from demucs.htdemucs import HTDemucs

from python.exporters.demucs import checkpoint, export
from python.reference.demucs.noise import lcg

FOLDER = pathlib.Path("tests/golden/demucs")
SEGMENT = 8192
FRAMES = 30001
STEP = 16
OFFSETS = (17, 22050, 9000)


def tiny() -> HTDemucs:
    torch.manual_seed(5)
    model = HTDemucs(list(checkpoint.FOUR_STEMS), channels=8, bottom_channels=16, dconv_mode=3, t_layers=3, t_heads=2,
                     segment=Fraction(SEGMENT, 44100))
    checkpoint.stir(model, 5)
    return model.eval()


def song() -> torch.Tensor:
    wave = torch.from_numpy(lcg(0xC0FFEE, 2 * FRAMES)).reshape(2, FRAMES)
    # Written and read as float WAV, so that C++ starts from the same bits.
    return wave * torch.tensor([[0.5], [0.25]])


def separate(model, shifts: int) -> np.ndarray:
    """demucs/api.py Separator.separate_tensor"""
    wave = song()
    reference = wave.mean(0)
    mean, deviation = reference.mean(), reference.std() + 1e-8
    drawn = iter(OFFSETS)
    random.randint = lambda low, high: next(drawn)
    out = apply_model(model, ((wave - mean) / deviation)[None], shifts=shifts, split=True, overlap=0.25)
    return (out * deviation + mean)[0].numpy()


def main() -> None:
    torch.backends.mha.set_fastpath_enabled(False)
    model = tiny()
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "tiny.th"
        args, kwargs = model._init_args_kwargs
        torch.save({"klass": HTDemucs, "args": args, "kwargs": kwargs, "state": model.state_dict()}, file)
        for name, form in {"tiny": {"batch": "dynamic"}, "tiny_whole": {"istft": "inside", "layout": "portable"}}.items():
            options = {"checkpoint": file, "seed": None, "name": name, "segment_samples": SEGMENT, "sources": 4, "stft": "outside",
                       "istft": "outside", "layout": "cpu", "batch": "1", "fp16": False, "threads": 0, "output": FOLDER / name}
            export.export(argparse.Namespace(**(options | form)))
    separate(model, 0)[..., ::STEP].tofile(FOLDER / "tiny_stems.f32")
    separate(model, len(OFFSETS))[..., ::STEP].tofile(FOLDER / "tiny_stems_shifted.f32")
    weights = [[1.0, 0.25, 0.0, 2.0], [1.0, 0.75, 1.0, 1.0]]
    separate(BagOfModels([model, model], weights), 1)[..., ::STEP].tofile(FOLDER / "tiny_stems_bag.f32")


if __name__ == "__main__":
    main()
