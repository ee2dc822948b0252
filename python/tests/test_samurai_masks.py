"""Masks of the first frame, as tools write them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from python.tests.commands import SAMURAI, needs_slipway, run_json, sample_image

pytestmark = needs_slipway


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
        sample_image(tmp_path / f"frames/{i}.png", i, (96, 80))
    mask = mask_png(form, tmp_path)
    status, _, errors = run_json("samurai", "--model", SAMURAI, "--mask", mask, tmp_path / "frames")
    assert status == 0, errors
    assert f"{mask}: 600 of 7680 pixels are the object, in the box 20,20,20,30" in errors


# Masks of a data set's palette (two objects, indices 1 and 2) and of zeros and ones, as they were reported.
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("davis.png", "38000 of 307200 pixels are the object, in the box 200,50,400,250"),
        ("m01.png", "30000 of 307200 pixels are the object, in the box 200,100,150,200"),
    ],
)
def test_masks_of_data_sets_are_masks(name: str, said: str, tmp_path: Path) -> None:
    mask = SAMURAI.parent / "masks" / name
    inside = np.array(Image.open(mask)) != 0
    rows, columns = np.nonzero(inside)
    box = f"{columns.min()},{rows.min()},{np.ptp(columns) + 1},{np.ptp(rows) + 1}"
    assert said == f"{inside.sum()} of {inside.size} pixels are the object, in the box {box}", "as NumPy counts them"
    status, _, errors = run_json("samurai", "--model", SAMURAI, "--mask", mask, sample_image(tmp_path / "frame.png", 1, (640, 480)))
    assert status == 0 and f"{mask}: {said}" in errors, errors


def test_a_mask_without_an_object_is_refused_by_its_name(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((80, 96), np.uint8)).save(tmp_path / "mask.png")
    status, _, errors = run_json("samurai", "--model", SAMURAI, "--mask", tmp_path / "mask.png", sample_image(tmp_path / "frame.png", 1, (96, 80)))
    assert status == 2 and "mask.png" in errors, errors
