"""Writes tests/golden/demucs/small.*: what a small HTDemucs of PyTorch makes of noise, for the exporter's tests without PyTorch.

    .deps/venv-torch/bin/python -m python.reference.demucs.small_golden      # PyTorch 2.11.0, demucs 4.1.0

Weights are drawn by name and shape, so that only the names and shapes are stored. Rows of noise are two, the second one silent after
a third: silence shifts means and deviations apart. Of the stems every 16th sample is stored.
"""

import dataclasses
import json
import pathlib
import zlib

import numpy as np

from python.reference.demucs.noise import lcg

FOLDER = pathlib.Path("tests/golden/demucs")
SAMPLES = 8192
STEP = 16
SOURCES = (4, 6)


def draw(name: str, shape: list[int]) -> np.ndarray:
    """A weight that counts in the output, as checkpoint.stir() has them."""
    values = np.random.default_rng(zlib.crc32(name.encode())).uniform(-1, 1, shape)
    if name.endswith(".scale"):
        return 0.2 + 0.1 * values
    if len(shape) == 1:
        return 0.1 * values + (1 if name.endswith("weight") else 0)
    return values * np.sqrt(3 / np.prod(shape[1:]))


def weights_of(shapes: dict[str, list[int]]) -> dict[str, np.ndarray]:
    return {name: draw(name, shape).astype(np.float32).astype(np.float64) for name, shape in shapes.items()}


def mix() -> np.ndarray:
    """(2, 2, SAMPLES)"""
    noise = lcg(0x5EED, 2 * SAMPLES).reshape(2, SAMPLES) * np.array([[0.9], [0.6]], np.float32)
    ending = noise.copy()
    ending[:, SAMPLES // 3 :] = 0
    return np.stack([noise, ending])


def main() -> None:
    from fractions import Fraction

    import torch
    from demucs.htdemucs import HTDemucs

    from python.exporters.demucs import checkpoint

    torch.backends.mha.set_fastpath_enabled(False)
    described, stems = {}, {}
    for sources in SOURCES:
        names = checkpoint.SIX_STEMS if sources == 6 else checkpoint.FOUR_STEMS
        model = HTDemucs(list(names), channels=8, bottom_channels=16, dconv_mode=3, t_layers=2, t_heads=2,
                         segment=Fraction(SAMPLES, 44100)).eval()
        shapes = {name: list(value.shape) for name, value in model.state_dict().items()}
        model.load_state_dict({name: torch.from_numpy(value).float() for name, value in weights_of(shapes).items()})
        with torch.no_grad():
            made = torch.cat([model(row[None]) for row in torch.from_numpy(mix())]).numpy()
        stems[str(sources)] = made[..., ::STEP]
        described[str(sources)] = {"architecture": dataclasses.asdict(checkpoint.architecture_of(model)), "shapes": shapes}
        print(f"{sources} stems, largest {np.abs(made).max():.2f}")
    (FOLDER / "small.json").write_text(json.dumps(described, separators=(",", ":")) + "\n")
    np.savez_compressed(FOLDER / "small.npz", **stems)


if __name__ == "__main__":
    main()
