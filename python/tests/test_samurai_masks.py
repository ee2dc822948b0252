"""Masks of the first frame, as tools write them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

REPOSITORY = Path(__file__).resolve().parents[2]
SLIPWAY = Path(os.environ.get("SLIPWAY_BUILD", REPOSITORY / "build/release")) / "slipway"
MODEL = REPOSITORY / "tests/golden/samurai/tiny"

pytestmark = pytest.mark.skipif(not SLIPWAY.is_file(), reason=f"{SLIPWAY} is not built")


def mask_png(form: str, folder: Path) -> Path:
    """A block of 20 × 30 pixels, written in one of the ways that tools have."""
    inside = np.zeros((80, 96), np.uint8)
    inside[20:50, 20:40] = 1
    path = folder / f"{form}.png"
    palette = [0, 0, 0, 128, 0, 0, 0, 128, 0]
    if form.startswith("palette"):
        image = Image.fromarray(inside * (2 if form == "palette of index 2" else 1), "P")
        image.putpalette([0, 0, 0, 0, 0, 0] if form == "palette all black" else palette)
        if form == "palette on white":
            image.putpalette([255, 255, 255, 0, 0, 0])
        image.save(path)
    elif form == "alpha":
        white = np.full((80, 96, 4), 255, np.uint8)
        white[..., 3] = inside * 255
        Image.fromarray(white).save(path)
    elif form == "grey and alpha":
        Image.fromarray(np.stack([np.full_like(inside, 200), inside * 255], -1), "LA").save(path)
    elif form == "black with alpha":
        Image.fromarray(np.stack([inside * 0, inside * 0, inside * 0, inside * 255], -1)).save(path)
    elif form == "opaque alpha":
        Image.fromarray(np.stack([inside, inside, inside, np.full_like(inside, 255)], -1)).save(path)
    elif form == "16 bits":
        Image.fromarray(inside.astype(np.uint16)).save(path)
    elif form == "one bit":
        Image.fromarray(inside * 255).convert("1").save(path)
    elif form == "colour":
        Image.fromarray(np.stack([inside * 0, inside * 3, inside * 0], -1)).save(path)
    else:
        Image.fromarray(inside * int(form)).save(path)
    return path


FORMS = ["1", "2", "127", "255", "palette", "palette of index 2", "palette all black", "palette on white", "alpha", "grey and alpha", "black with alpha", "opaque alpha", "16 bits", "one bit", "colour"]


@pytest.mark.parametrize("form", FORMS)
def test_a_mask_is_any_non_zero_and_what_was_understood_is_said(form: str, tmp_path: Path) -> None:
    (tmp_path / "frames").mkdir()
    for i in range(2):
        Image.fromarray(np.random.default_rng(i).integers(0, 255, (80, 96, 3), np.uint8)).save(tmp_path / f"frames/{i}.png")
    mask = mask_png(form, tmp_path)
    done = subprocess.run([str(SLIPWAY), "samurai", "--model", str(MODEL), "--mask", str(mask), str(tmp_path / "frames"), "--json"], check=False, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr.decode()
    assert f"{mask}: 600 of 7680 pixels are the object, in the box 20,20,20,30" in done.stderr.decode()
