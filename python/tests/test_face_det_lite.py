"""`slipway face-det-lite` against the NumPy reading of the rules and ONNX Runtime's Python package."""

from __future__ import annotations

import io
import re
from functools import partial
from pathlib import Path

import numpy as np
import onnx
import pytest
from PIL import Image

from python.reference.face_det_lite import constants, postprocess, preprocess
from python.tests.commands import DATA, GOLDEN, block_image, exact_session, needs_slipway, read_image, run_json
from python.tools import quantize_face_det_lite
from python.tools.comparison import assert_close
from python.tools.quantize import integers_at_border

MODEL = DATA / "models/face/face_det_lite.onnx"
TINY = GOLDEN / "face_det_lite/tiny.onnx"

CALIBRATION = ("dlib_voc_2007_007763.jpg", "dlib_voc_2008_001322.jpg", "fr_obama-720p.jpg", "bus.jpg", "sam2_cars.jpg",
               "sahi_terrain2.png")

needs_data = pytest.mark.skipif(not MODEL.is_file(), reason=f"no test data at {DATA} (SLIPWAY_TEST_DATA names its place)")
pytestmark = needs_slipway


def sample_images() -> list[Path]:
    return sorted((DATA / "images").glob("*/*.*")) if DATA.is_dir() else []


find_faces = partial(run_json, "face-det-lite")


class Reading:
    """The rules in NumPy around the network in ONNX Runtime."""

    def __init__(self, model: Path, scales: dict[str, tuple[float, int]] | None = None) -> None:
        self.session = exact_session(model)
        self.input = self.session.get_inputs()[0]
        self.names = [output.name for output in self.session.get_outputs()]
        self.scales = scales or {}

    def faces(self, image: np.ndarray, channel: str = "luma", fit: str = "letterbox",
              iou_max: float | None = None) -> list[postprocess.Face]:
        height, width = self.input.shape[2:]
        tensor, placement = preprocess.image_to_tensor(image, channel, fit, width, height)
        if self.scales:
            tensor = preprocess.quantize(tensor, *self.scales[self.input.name], np.uint8)
        heads = self.session.run(self.names, {self.input.name: tensor})
        if self.scales:
            heads = [preprocess.dequantize(head, *self.scales[name]) for name, head in zip(self.names, heads)]
        return postprocess.postprocess(*heads, placement, iou_max=iou_max)


def assert_same(found: list[dict], expected: list[postprocess.Face], image: np.ndarray, what: str) -> None:
    height, width = image.shape[:2]
    assert len(found) == len(expected), what
    for face, other in zip(found, expected):
        assert (face["x"], face["y"], face["w"], face["h"]) == postprocess.app_box(other.box, width, height), what
        assert_close(face["box"], other.box, atol=0.02, err_msg=what)
        assert_close(face["landmarks"], other.landmarks, atol=0.02, err_msg=what)
        assert face["score"] == pytest.approx(float(other.score), abs=1e-4), what


@needs_data
@pytest.mark.parametrize("channel", ["luma", "blue"])
@pytest.mark.parametrize("fit", ["letterbox", "stretch"])
def test_equals_the_numpy_reading_to_the_pixel_on_every_image(channel: str, fit: str) -> None:
    status, lines, errors = find_faces(MODEL, *sample_images(), "--channel", channel, "--fit", fit)
    assert status == 0, errors
    reading = Reading(MODEL)
    assert [line["image"] for line in lines] == [str(path) for path in sample_images()]
    total = 0
    for line in lines:
        image = read_image(Path(line["image"]))
        assert (line["width"], line["height"]) == image.shape[1::-1]
        assert_same(line["faces"], reading.faces(image, channel, fit), image, line["image"])
        total += len(line["faces"])
    assert total > 40


@needs_data
def test_suppresses_as_the_evaluator_does_when_asked() -> None:
    # At a low threshold neighbouring cells of one face overlap; suppression has work there.
    path = DATA / "images/faces/dlib_bald_guys.jpg"
    _, [line], _ = find_faces(MODEL, path, "--nms", constants.EVALUATOR_IOU_MAX)
    image = read_image(path)
    assert_same(line["faces"], Reading(MODEL).faces(image, iou_max=constants.EVALUATOR_IOU_MAX), image, str(path))


@pytest.fixture(scope="session")
def w8a8(tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("w8a8")
    calibration = [str(path) for path in sample_images() if path.name in CALIBRATION]
    tested = [str(path) for path in sample_images() if path.name not in CALIBRATION]
    assert len(calibration) == len(CALIBRATION)
    assert quantize_face_det_lite.main(["--model", str(MODEL), "--output", str(output), "--calibration", *calibration, "--test",
                                        *tested]) == 0
    return output


@needs_data
def test_w8a8_with_integers_at_its_border_equals_the_numpy_reading(w8a8: Path) -> None:
    tested = [path for path in sample_images() if path.name not in CALIBRATION]
    status, lines, errors = find_faces(w8a8 / "w8a8", *tested)
    assert status == 0, errors
    reading = Reading(w8a8 / "w8a8/model.onnx", integers_at_border(onnx.load(w8a8 / "qdq.onnx")))
    for line in lines:
        image = read_image(Path(line["image"]))
        assert_same(line["faces"], reading.faces(image), image, line["image"])


@needs_data
def test_the_w8a8_layout_for_cpus_gives_equal_bits(w8a8: Path) -> None:
    image = np.random.default_rng(2).integers(0, 256, (1, 1, constants.HEIGHT, constants.WIDTH)).astype(np.uint8)
    plain, laid_out = (exact_session(w8a8 / name / "model.onnx") for name in ("w8a8", "w8a8_cpu"))
    assert any(node.op_type == "SpaceToDepth" for node in onnx.load(w8a8 / "w8a8_cpu/model.onnx").graph.node)
    for one, other in zip(plain.run(None, {"input": image}), laid_out.run(None, {"input": image})):
        np.testing.assert_array_equal(one, other)


@needs_data
def test_w8a8_finds_the_faces_of_the_float_model(w8a8: Path) -> None:
    tested = [path for path in sample_images() if path.name not in CALIBRATION]
    _, float_lines, _ = find_faces(MODEL, *tested)
    _, lines, _ = find_faces(w8a8 / "qdq.onnx", *tested)
    found = extra = total = 0
    for one, other in zip(float_lines, lines):
        boxes = [np.array(face["box"]) for face in one["faces"]]
        others = [np.array(face["box"]) for face in other["faces"]]
        total += len(boxes)
        found += sum(any(postprocess.box_iou(box, candidate) > 0.5 for candidate in others) for box in boxes)
        extra += sum(all(postprocess.box_iou(box, candidate) <= 0.5 for box in boxes) for candidate in others)
    assert total >= 30
    assert found >= 0.95 * total and extra <= 0.05 * total, f"{found} of {total} faces, {extra} more"


@needs_data
def test_w8a8_on_the_npu_emulator_is_within_a_quantum_of_the_cpu(w8a8: Path) -> None:
    path = DATA / "images/faces/zidane.jpg"
    status, lines, errors = find_faces(w8a8 / "w8a8", path, "--provider", "qnn", "--soc", 57, "--htp-arch", 75)
    if status == 3:
        pytest.skip("the QNN provider is not here: " + errors)
    assert status == 0, errors
    [npu], (_, [cpu], _) = lines, find_faces(w8a8 / "w8a8", path)
    assert npu["placement"]["is_emulated"] and npu["timing_ms"]["inference"] is None
    scale, _ = integers_at_border(onnx.load(w8a8 / "qdq.onnx"))["bbox"]
    quantum = scale * constants.STRIDE / 0.5  # of the box head, in pixels of this image, which is halved
    assert len(npu["faces"]) == len(cpu["faces"]) == 2
    for one, other in zip(npu["faces"], cpu["faces"]):
        assert_close(one["box"], other["box"], atol=1.01 * quantum)
        assert one["score"] == pytest.approx(other["score"], abs=0.02)


# What follows needs no data: a small network and generated images.


def encoded(image: Image.Image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format=kind, **options)
    return buffer.getvalue()


def test_unusual_images_give_what_the_reading_gives(tmp_path: Path) -> None:
    image, exif = block_image(300, 200), Image.Exif()
    exif[0x0112] = 6
    files = {
        "grey.png": encoded(image.convert("L"), "PNG"), "palette.png": encoded(image.quantize(40), "PNG"),
        "cmyk.jpg": encoded(image.convert("CMYK"), "JPEG"), "turned.jpg": encoded(image, "JPEG", exif=exif),
        "animated.gif": encoded(image.quantize(40), "GIF", save_all=True, append_images=[block_image(300, 200).quantize(9)]),
        "one_pixel.png": encoded(block_image(1, 1), "PNG"), "long.png": encoded(block_image(20000, 40), "PNG"),
        "tall.webp": encoded(block_image(40, 16000), "WEBP", lossless=True), "black.png": encoded(Image.new("RGB", (64, 64)), "PNG"),
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    status, lines, errors = find_faces(TINY, tmp_path)
    assert status == 0, errors
    assert len(lines) == len(files)
    reading = Reading(TINY)
    for line in lines:
        shown = read_image(Path(line["image"]))
        assert_same(line["faces"], reading.faces(shown), shown, line["image"])
    assert {Path(line["image"]).name: len(line["faces"]) for line in lines}["black.png"] == 0


def test_the_model_may_be_the_first_word_or_an_option_anywhere(tmp_path: Path) -> None:
    image = tmp_path / "grey.png"
    Image.new("RGB", (32, 32), (90, 90, 90)).save(image)
    for words in ([TINY, image], ["--model", TINY, image], [image, "--model", TINY]):
        status, lines, message = find_faces(*words)
        assert (status, lines[0]["image"]) == (0, str(image)), message
    status, _, message = find_faces(TINY)
    assert status != 0
    assert "at least one input" in message


def test_one_bad_image_does_not_end_the_run(tmp_path: Path) -> None:
    good = encoded(block_image(300, 200), "JPEG")
    (tmp_path / "a.jpg").write_bytes(good)
    (tmp_path / "b.jpg").write_bytes(good[: len(good) // 2])
    (tmp_path / "c.png").write_bytes(b"not a picture")
    (tmp_path / "d.jpg").write_bytes(good)
    status, lines, errors = find_faces(TINY, tmp_path)
    assert status == 1
    assert [Path(line["image"]).name for line in lines if "faces" in line] == ["a.jpg", "d.jpg"]
    assert [line["error"]["code"] for line in lines if "image" in line and "error" in line] == ["data_loss", "invalid_argument"]
    assert "b.jpg" in errors and "c.png" in errors


def test_a_video_that_was_cut_off_says_how_much_is_missing(tmp_path: Path) -> None:
    frames = b"".join(encoded(block_image(96 + 2 * (number % 5), 64), "JPEG") for number in range(50))
    status, _, errors = find_faces(TINY, "-", "--output", tmp_path / "whole.mkv", input=frames)  # 25 frames a second
    assert status == 0, errors
    whole = (tmp_path / "whole.mkv").read_bytes()
    (tmp_path / "cut.mkv").write_bytes(whole[: len(whole) * 6 // 10])
    status, lines, _ = find_faces(TINY, tmp_path / "whole.mkv")
    assert status == 0 and len(lines) == 50
    status, lines, errors = find_faces(TINY, tmp_path / "cut.mkv")
    kept = sum("faces" in line for line in lines)
    assert status == 1 and 0 < kept < 50
    missing = float(re.search(r"cut\.mkv: it breaks off: ([0-9.]+) of the 2\.00 s", errors)[1])
    assert abs(missing - (2 - kept / 25)) < 0.1


def test_an_image_over_the_limit_is_refused_by_its_header(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(encoded(block_image(300, 200), "PNG"))
    status, lines, errors = find_faces(TINY, tmp_path, "--max-pixels", 59999)
    assert status == 1 and lines[0]["error"]["code"] == "resource_exhausted"
    assert "300x200" in errors


def test_overlays_and_a_stream_on_standard_input(tmp_path: Path) -> None:
    first, second = encoded(block_image(300, 200), "JPEG"), encoded(block_image(200, 240), "JPEG")
    (tmp_path / "a.jpg").write_bytes(first)
    status, [line], _ = find_faces(TINY, tmp_path / "a.jpg", "--output", tmp_path / "drawn.png")
    assert status == 0
    drawn, plain = read_image(tmp_path / "drawn.png").astype(int), read_image(tmp_path / "a.jpg").astype(int)
    assert drawn.shape == plain.shape and line["faces"]
    assert (np.abs(drawn - plain).max(axis=2) > 0).mean() > 0.01
    status, lines, errors = find_faces(TINY, "-", input=first + second + first)  # changes its size on the way
    assert status == 0, errors
    assert [(line["frame"], line["width"]) for line in lines] == [(0, 300), (1, 200), (2, 300)]
    status, _, errors = find_faces(TINY, tmp_path / "a.jpg", "--output", tmp_path / "a.jpg")
    assert status == 2 and "written over" in errors


def test_bench_gives_percentiles_of_each_stage(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(encoded(block_image(300, 200), "JPEG"))
    status, [line], _ = find_faces(TINY, tmp_path / "a.jpg", "--bench", 7)
    assert status == 0
    assert [line["bench"][stage]["count"] for stage in ("pre", "inference", "post")] == [7, 7, 7]
    assert 0 < line["bench"]["inference"]["min_us"] <= line["bench"]["inference"]["p99_us"]


def test_a_model_that_does_not_fit_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(encoded(block_image(300, 200), "JPEG"))
    status, lines, errors = find_faces(GOLDEN / "models/conv.onnx", tmp_path / "a.jpg")
    assert status == 1 and "conv.onnx" in errors and "expected a grey picture" in errors
