"""The measures of DAVIS and LaSOT against numbers worked out by hand, and the scripts over small folders of their layouts."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from python.tests.commands import SAMURAI, SLIPWAY, needs_slipway
from python.tools import track_davis, track_lasot
from python.tools.track_measures import box_overlaps, contour, contour_measure, precision, region_overlap, success_auc, thickened



def square(left: int, side: int = 10, size: int = 40) -> np.ndarray:
    mask = np.zeros((size, size), np.uint8)
    mask[10:10 + side, left:left + side] = 1
    return mask


def test_region_overlap_is_intersection_over_union():
    assert region_overlap(square(10), square(10)) == 1
    assert region_overlap(square(10), square(15)) == pytest.approx(50 / 150)
    assert region_overlap(square(10), square(25)) == 0
    assert region_overlap(np.zeros((3, 3)), np.zeros((3, 3))) == 1


def test_the_contour_lies_where_a_right_or_lower_neighbour_differs():
    mask = np.zeros((4, 4), np.uint8)
    mask[1, 1] = 1
    assert contour(mask).astype(int).tolist() == [[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]
    assert not contour(np.ones((4, 4))).any()


def test_thickening_reaches_a_disc():
    point = np.zeros((7, 7), bool)
    point[3, 3] = True
    y, x = np.mgrid[:7, :7]
    for radius in (0, 1, 2, 3):
        assert (thickened(point, radius) == ((x - 3) ** 2 + (y - 3) ** 2 <= radius ** 2)).all()
    corner = np.zeros((3, 3), bool)
    corner[0, 0] = True
    assert thickened(corner, 1).astype(int).tolist() == [[1, 1, 0], [1, 0, 0], [0, 0, 0]]


def test_contours_agree_within_the_tolerance_and_not_beyond():
    # A 40 x 40 image: 0.008 of its diagonal is 0.45, so one pixel is allowed.
    assert contour_measure(square(10), square(11)) == 1
    assert contour_measure(square(10), square(30)) == 0
    assert contour_measure(square(10), np.zeros((40, 40))) == 0
    # Moved by five: of 40 contour pixels a side the upper and lower run overlap by 6 columns, 5 + 1 of the tolerance.
    a, b = contour(square(10)), contour(square(15))
    assert (a.sum(), b.sum()) == (40, 40)
    # Rows 9 and 19, columns 9 … 19, and columns 9 and 19 between them; the other square's run from 14 to 24.
    # Near: on each of the two rows columns 13 … 19 (7), on column 19 one pixel below and above a row: 2 more; on none of column 9.
    assert contour_measure(square(10), square(15)) == pytest.approx(16 / 40)


def test_box_overlaps_success_and_precision():
    truth = np.array([[0, 0, 10, 10]] * 4, float)
    ours = np.array([[0, 0, 10, 10], [5, 0, 10, 10], [30, 0, 10, 10], [0, 0, 0, 0]], float)
    overlaps = box_overlaps(ours, truth)
    assert overlaps.tolist() == pytest.approx([1, 1 / 3, 0, 0])
    # IoU 1 is above 20 of 21 thresholds (not above 1), 1/3 above 0, 0.05 … 0.30: 7; 0 above none.
    assert success_auc(overlaps) == pytest.approx((20 + 7) / 21 / 4)
    # Centres 0, 5 and 30 pixels apart; the last one is nowhere although its corner is near.
    assert precision(ours, truth) == pytest.approx(2 / 4)


def davis(folder: Path, frames: list[np.ndarray], name: str = "square") -> Path:
    (folder / "ImageSets/2017").mkdir(parents=True)
    (folder / "ImageSets/2017/val.txt").write_text(name + "\n")
    for kind in ("JPEGImages", "Annotations"):
        (folder / kind / "480p" / name).mkdir(parents=True)
    for number, frame in enumerate(frames):
        Image.fromarray(frame).save(folder / f"Annotations/480p/{name}/{number:05}.png")
    return folder


def lines_of(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines()]


def test_davis_counts_neither_the_first_nor_the_last_frame(tmp_path, capsys):
    two = square(5) + 2 * square(25)
    data = davis(tmp_path / "davis", [two, two, two, two])
    results = tmp_path / "results/square"
    results.mkdir(parents=True)
    nothing = np.zeros_like(two)
    for number, frame in enumerate([nothing, square(5), square(5) + 2 * square(26), nothing]):
        Image.fromarray(frame.astype(np.uint8)).save(results / f"{number:05}.png")
    assert track_davis.main(["--data", str(data), "--results", str(tmp_path / "results"), "--score-only"]) == 0
    one, other, mean = lines_of(capsys.readouterr().out)
    assert (one["object"], one["J"], one["F"]) == (1, 1, 1)
    # Object 2: not found on frame 1; on frame 2 moved by one pixel: 90 of 110 pixels, contours within the tolerance.
    assert other["J"] == pytest.approx((0 + 90 / 110) / 2)
    assert other["F"] == pytest.approx(0.5)
    assert mean["J&F"] == pytest.approx(((1 + other["J"]) / 2 + (1 + 0.5) / 2) / 2)


def test_lasot_leaves_out_frames_without_the_object(tmp_path, capsys):
    folder = tmp_path / "lasot/cat/cat-1"
    folder.mkdir(parents=True)
    (folder / "groundtruth.txt").write_text("0,0,10,10\n" * 5)
    (folder / "full_occlusion.txt").write_text("0,0,0,0,1")
    (folder / "out_of_view.txt").write_text("0,0,0,1,0")
    (tmp_path / "results").mkdir()
    (tmp_path / "results/cat-1.txt").write_text("0,0,10,10\n5,0,10,10\n0,0,0,0\n0,0,10,10\n0,0,10,10\n")
    assert track_lasot.main(["--data", str(tmp_path / "lasot"), "--results", str(tmp_path / "results"), "--score-only"]) == 0
    one, mean = lines_of(capsys.readouterr().out)
    assert one == {"sequence": "cat-1", "frames": 3, "auc": pytest.approx((20 + 7) / 21 / 3), "precision": pytest.approx(2 / 3)}
    assert mean["auc"] == one["auc"]
    (folder / "out_of_view.txt").write_text("0,0")
    with pytest.raises(SystemExit, match="2 marks, but groundtruth.txt has 5 lines"):
        track_lasot.main(["--data", str(tmp_path / "lasot"), "--results", str(tmp_path / "results"), "--score-only"])


# A tracker whose weights are drawn from a seed follows nothing; what counts here is that its answers arrive whole.
@needs_slipway
def test_both_scripts_run_the_tracker(tmp_path, capsys):
    images = np.fromfile(SAMURAI / "frames.u8", np.uint8).reshape(-1, 64, 64, 3)[:4]
    first = square(10, 20, 64) + 2 * square(40, 15, 64)
    data = davis(tmp_path / "davis", [first] * 4)
    sequence = tmp_path / "lasot/box/box-1"
    (sequence / "img").mkdir(parents=True)
    (sequence / "groundtruth.txt").write_text("10,14,24,26\n" * 4)
    for number, image in enumerate(images):
        Image.fromarray(image).save(data / f"JPEGImages/480p/square/{number:05}.jpg")
        Image.fromarray(image).save(sequence / f"img/{number + 1:08}.jpg")
    common = ["--model", str(SAMURAI), "--slipway", str(SLIPWAY)]
    assert track_davis.main(["--data", str(data), "--results", str(tmp_path / "masks"), *common]) == 0
    assert track_lasot.main(["--data", str(tmp_path / "lasot"), "--results", str(tmp_path / "boxes"), *common]) == 0
    printed = lines_of(capsys.readouterr().out)
    assert [row.get("object") for row in printed[:2]] == [1, 2]
    assert printed[3]["frames"] == 4
    # The first frame's masks are the prompts themselves.
    shown = np.array(Image.open(tmp_path / "masks/square/00000.png"))
    assert region_overlap(shown == 1, first == 1) > 0.8
    assert len((tmp_path / "boxes/box-1.txt").read_text().split()) == 4
