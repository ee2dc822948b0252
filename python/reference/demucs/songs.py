"""Compares `slipway demucs` with the `demucs` package over songs: the same seeded weights, 1-second and full segments.

    python -m python.reference.demucs.songs --slipway build/release/slipway SONG...

For every song and length of segment: the stems' largest difference to PyTorch's, and whether batches give the bits of one
segment a run. Exit status 1 beyond 1e-5 of full scale or where bits differ. Takes minutes: it is no part of the tests.
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile
from fractions import Fraction

import numpy as np
import sphn
import torch
from demucs.apply import apply_model
from demucs.audio import AudioFile, convert_audio

from python.exporters.demucs import checkpoint

TOLERANCE = 1e-5
SEED = 1
RATE = 44100


def load(song: pathlib.Path, by_ffmpeg: bool) -> torch.Tensor:
    """demucs/api.py Separator._load_audio: sphn first; MP3 by its other way, ffmpeg, which decodes as slipway does."""
    if by_ffmpeg:
        return AudioFile(song).read(streams=0, samplerate=RATE, channels=2)
    data, rate = sphn.read(str(song))
    return convert_audio(torch.from_numpy(data), int(rate), RATE, 2)


def separate(model, wave: torch.Tensor) -> np.ndarray:
    """demucs/api.py Separator.separate_tensor"""
    reference = wave.mean(0)
    mean, deviation = reference.mean(), reference.std() + 1e-8
    with torch.no_grad():
        return (apply_model(model, ((wave - mean) / deviation)[None], shifts=0, overlap=0.25) * deviation + mean)[0].numpy()


def run(slipway: pathlib.Path, song: pathlib.Path, model: pathlib.Path, output: pathlib.Path, *options: str) -> list[bytes]:
    subprocess.run([slipway, "demucs", song, "--model", model, "--output", output, "--threads", "2", "--json", *options], check=True,
                   stdout=subprocess.DEVNULL)
    return [(output / f"{name}.wav").read_bytes() for name in checkpoint.FOUR_STEMS]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("songs", nargs="+", type=pathlib.Path)
    parser.add_argument("--slipway", type=pathlib.Path, default=pathlib.Path("build/release/slipway"))
    options = parser.parse_args()
    torch.set_num_threads(2)
    torch.backends.mha.set_fastpath_enabled(False)
    failed = False
    with tempfile.TemporaryDirectory(prefix="slipway-songs-") as name:
        folder = pathlib.Path(name)
        for samples, batch in ((44100, 50), (343980, 3)):
            subprocess.run([sys.executable, "-m", "python.exporters.demucs", "--seed", str(SEED), "--segment-samples", str(samples),
                            "--batch", "dynamic", "--output", str(folder / "model"), "--threads", "2"], check=True)
            model = checkpoint.seeded(SEED, 4)
            model.segment, model.use_train_segment = Fraction(samples, RATE), True
            for song in options.songs:
                one = run(options.slipway, song, folder / "model", folder / "one")
                many = run(options.slipway, song, folder / "model", folder / "many", "--mode", "batch", "--batch", str(batch))
                stems = np.stack([sphn.read(str(folder / "one" / f"{s}.wav"))[0] for s in checkpoint.FOUR_STEMS])
                reference = separate(model, load(song, by_ffmpeg=song.suffix == ".mp3"))
                if stems.shape != reference.shape:
                    print(f"{song.name}: {stems.shape[-1]} samples, demucs gives {reference.shape[-1]}")
                    failed = True
                    continue
                difference = np.abs(stems - reference).max()
                is_equal = one == many
                failed |= not (difference <= TOLERANCE and is_equal)
                print(f"{song.name}, segments of {samples}: max |difference| {difference:.2e} of stems up to {np.abs(reference).max():.2f}; "
                      f"batches of {batch} {'bit-equal' if is_equal else 'DIFFER'}", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
