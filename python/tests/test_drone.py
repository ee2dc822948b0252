"""`slipway drone` against the NumPy readings of YOLOv8 and segmentation and ONNX Runtime's Python package."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from PIL import Image, ImageOps

from python.reference.face_det_lite.postprocess import box_iou
from python.reference.segmentation import reading
from python.reference.yolov8 import postprocess, preprocess
from python.tests.commands import DATA, GOLDEN, block_image, needs_slipway, read_image, run_json, slipway
from python.tools.comparison import assert_close

YOLOV8N = DATA / "models/detect/yolov8n_fp32_dequantised.onnx"
ESPNETV2 = DATA / "models/segment/espnetv2_s2_cityscapes_512x1024.onnx"  # stands in for FFNet-40S, whose weights are not here
TINY = GOLDEN / "yolov8/tiny.onnx"
TINY_SEGMENTER = GOLDEN / "segmentation/tiny.onnx"

needs_data = pytest.mark.skipif(not YOLOV8N.is_file(), reason=f"no test data at {DATA} (SLIPWAY_TEST_DATA names its place)")
pytestmark = needs_slipway


def watch(*words: object) -> tuple[int, list[dict], dict, str]:
    """Exit status, a line a frame, the report, standard error."""
    status, lines, errors = run_json("drone", *words)
    report = next((line for line in lines if line["schema"] == "drone-report/1"), {})
    return status, [line for line in lines if line["schema"] == "drone/1" and "image" in line], report, errors


@needs_data
@pytest.mark.parametrize("padding", ["black", "grey"])
def test_objects_equal_the_numpy_reading_on_every_image(padding: str) -> None:
    images = sorted((DATA / "images").glob("*/*.*"))
    status, lines, _, errors = watch(*images, "--detector", YOLOV8N, "--padding", padding)
    assert status == 0, errors
    session = onnxruntime.InferenceSession(str(YOLOV8N), providers=["CPUExecutionProvider"])
    total = 0
    for path, line in zip(images, lines, strict=True):
        image = read_image(path)
        height, width = image.shape[:2]
        tensor, placement = preprocess.image_to_tensor(image, 640, 640, 114 if padding == "grey" else 0)
        heads = postprocess.read_joined(session.run(None, {"images": tensor})[0])
        expected = postprocess.postprocess(heads, placement, width, height)
        assert [each["class_id"] for each in line["objects"]] == [each.class_id for each in expected], path.name
        for found, other in zip(line["objects"], expected):
            assert_close(found["box"], other.box, atol=0.05, err_msg=path.name)
            assert found["score"] == pytest.approx(float(other.score), abs=1e-3), path.name
        total += len(expected)
    assert total > 60


@needs_data
def test_known_images_have_their_known_objects() -> None:
    _, [line], _, _ = watch(DATA / "images/street/bus.jpg", "--detector", YOLOV8N)
    assert [each["class"] for each in line["objects"]].count("person") == 3
    assert [each["class"] for each in line["objects"]].count("bus") == 1
    _, [line], _, _ = watch(DATA / "images/street/bus.jpg", "--detector", YOLOV8N, "--classes", "bus")
    assert [each["class"] for each in line["objects"]] == ["bus"]


@needs_data
def test_fusion_on_real_weights_says_what_is_in_the_image() -> None:
    path = DATA / "images/aerial/sahi_small-vehicles1.jpeg"
    status, [line], report, errors = watch(path, "--detector", YOLOV8N, "--segmenter", ESPNETV2, "--normalize", "imagenet")
    assert status == 0, errors
    cars = [each for each in line["objects"] if each["class"] == "car"]
    assert len(cars) >= 10 and all(each["under"]["surface"] == "road" for each in cars)
    assert 0.2 * line["height"] < line["horizon"] < 0.45 * line["height"]
    nearest, farthest = max(cars, key=lambda car: car["box"][3]), min(cars, key=lambda car: car["box"][3])
    assert nearest["distance"]["class"] == "middle" and farthest["distance"]["class"] == "far"
    assert len(line["sectors"]) == 9 and line["segmentation_age_frames"] == 0
    assert report["fallbacks"] == [] and report["detector"]["provider"] == "cpu"
    # Shares under an object, from the reading's own map.
    session = onnxruntime.InferenceSession(str(ESPNETV2), providers=["CPUExecutionProvider"])
    image = read_image(path)
    tensor, placement = reading.image_to_tensor(image, 1024, 512, reading.IMAGENET_MEAN, reading.IMAGENET_DEVIATION)
    labels = reading.to_image(reading.label_map(session.run(None, {"image": tensor})[0], placement, 1024, 512),
                                line["width"], line["height"])
    for car in cars:
        x1, y1, x2, y2 = car["box"]
        strip = labels[round(y2) : round(y2 + max(0.15 * (y2 - y1), 0.02 * line["height"])), round(x1) : round(x2)]
        assert car["under"]["shares"].get("road", 0) == pytest.approx((strip == 0).mean(), abs=0.15)


@needs_data
def test_both_w8a8_models_find_the_objects_of_the_float_model(tmp_path: Path) -> None:
    from python.tools import quantize_yolov8

    street = sorted((DATA / "images/street").glob("*.*"))
    tested = [DATA / "images/street/bus.jpg", DATA / "images/aerial/sahi_small-vehicles1.jpeg"]
    calibration = [path for path in street if path not in tested][:1] + [DATA / "images/aerial/sahi_terrain2.png"]
    assert quantize_yolov8.main(["--model", str(YOLOV8N), "--output", str(tmp_path), "--calibration", *map(str, calibration), "--test",
                                 *map(str, tested)]) == 0
    _, expected, _, _ = watch(*tested, "--detector", YOLOV8N)
    for name in ("w8a8", "w8a8_cpu"):
        status, lines, report, errors = watch(*tested, "--detector", tmp_path / name)
        assert status == 0, errors
        assert "CPUExecutionProvider" in report["detector"]["placement"]["nodes_per_provider"]
        sure = [(one, each) for one, line in enumerate(expected) for each in line["objects"] if each["score"] >= 0.6]
        assert len(sure) >= 8
        for one, each in sure:
            assert any(each["class"] == other["class"] and box_iou(np.array(each["box"]), np.array(other["box"])) > 0.7
                       for other in lines[one]["objects"]), (name, each)
    with pytest.raises(Exception, match="slipway"):  # an operator that the package lacks, by its domain
        onnxruntime.InferenceSession(str(tmp_path / "w8a8_cpu/model.onnx"), providers=["CPUExecutionProvider"])


# What follows needs no data: small networks and generated images.


def test_odd_images_and_a_bad_one(tmp_path: Path) -> None:
    block_image(300, 200).save(tmp_path / "a.png")
    (tmp_path / "b.jpg").write_bytes(b"not a picture")
    block_image(1, 1).save(tmp_path / "c.png")
    block_image(20000, 30).save(tmp_path / "d.png")
    status, lines, report, errors = watch(tmp_path, "--detector", TINY, "--segmenter", TINY_SEGMENTER)
    assert status == 1 and "b.jpg" in errors
    assert ["error" in line for line in lines] == [False, True, False, False]
    assert report["frames"] == 3


def test_a_stream_has_tracks_and_a_video_of_the_same_length(tmp_path: Path) -> None:
    for i in range(6):
        block_image(320, 240).save(tmp_path / f"{i}.jpg", quality=90)
    stream = b"".join((tmp_path / f"{i}.jpg").read_bytes() for i in range(6))
    status, lines, errors = run_json("drone", "-", "--detector", TINY, "--segmenter", TINY_SEGMENTER, "-o", tmp_path / "seen.mp4", input=stream)
    assert status == 0, errors
    frames = [line for line in lines if line["schema"] == "drone/1"]
    assert [line["frame"] for line in frames] == list(range(6))
    assert {each["track"] for each in frames[1]["objects"]} == {each["track"] for each in frames[5]["objects"]}
    assert (tmp_path / "seen.mp4").stat().st_size > 1000


def without_times(lines: list[dict]) -> list[dict]:
    return [{key: value for key, value in line.items() if key not in ("timing_ms", "bench")} for line in lines]


def test_batches_say_what_single_frames_say(tmp_path: Path) -> None:
    """Images, one of them unreadable, around a video: batches of 3 of which none is of both, the last ones incomplete."""
    for name in "abcde":
        block_image(300 + 20 * ord(name) % 7, 200).rotate(ord(name)).save(tmp_path / f"{name}.png")
    (tmp_path / "b.png").write_bytes(b"not a picture")
    (tmp_path / "d.mjpeg").write_bytes(stream(tmp_path, [(64, 48)] * 4 + [(320, 100)] * 3))
    (tmp_path / "part.jpg").unlink()
    batch_of = {key: GOLDEN / f"{key}/tiny_batch.onnx" for key in ("yolov8", "segmentation")}
    status, expected, one, _ = watch(tmp_path, "--detector", TINY, "--segmenter", TINY_SEGMENTER, "-o", tmp_path / "one")
    assert status == 1 and one["frames"] == 4 + 7
    for batch in (3, 50):
        status, found, report, errors = watch(tmp_path, "--detector", batch_of["yolov8"], "--segmenter", batch_of["segmentation"],
                                                "--batch", batch, "-o", tmp_path / f"of{batch}")
        assert status == 1 and "b.png" in errors
        for line in found + expected:
            line.pop("output", None)  # each run has a folder of its own
        assert without_times(found) == without_times(expected)
        assert (report["frames"], report["objects"]) == (one["frames"], one["objects"])
        for drawn in (tmp_path / "one").glob("*.png"):
            assert (tmp_path / f"of{batch}" / drawn.name).read_bytes() == drawn.read_bytes()
    _, [line], _, _ = watch(tmp_path / "a.png", "--detector", batch_of["yolov8"], "--batch", 2, "--bench", 2)
    assert line["bench"]["total"]["count"] == 2


def test_a_batch_that_cannot_be_is_an_error(tmp_path: Path) -> None:
    block_image(300, 200).save(tmp_path / "a.png")
    status, _, _, errors = watch(tmp_path / "a.png", "--detector", TINY, "--batch", 4)
    assert status == 1 and "expected a batch of 4 or a dynamic one, found float32[1,3,64,96]" in errors
    batched = GOLDEN / "yolov8/tiny_batch.onnx"
    status, _, _, errors = watch(tmp_path / "a.png", "--detector", batched, "--batch", 4, "--budget-ms", 30)
    assert status == 1 and "a batch of 4 with a budget of 30 ms" in errors


def test_a_provider_that_is_not_here_is_replaced_and_reported(tmp_path: Path) -> None:
    block_image(300, 200).save(tmp_path / "a.png")
    status, lines, report, errors = watch(tmp_path / "a.png", "--detector", TINY, "--segmenter", TINY_SEGMENTER,
                                            "--detector-provider", "coreml")
    assert status == 0 and lines[0]["objects"]
    [fallback] = report["fallbacks"]
    assert (fallback["network"], fallback["cause"], fallback["from"], fallback["to"]) == ("detector", "load", "coreml", "cpu")
    assert report["detector"]["provider"] == "cpu" and "coreml" in errors
    status, _, _, errors = watch(tmp_path / "a.png", "--detector", TINY, "--detector-provider", "coreml", "--no-standby")
    assert status == 3 and "coreml" in errors


def test_an_emulators_time_is_shown_nowhere(tmp_path: Path) -> None:
    block_image(300, 200).save(tmp_path / "noise.png")
    done = slipway("drone", tmp_path / "noise.png", "--detector", TINY.with_name("tiny_quantised.onnx"), "--bench=2",
                   "--detector-provider", "qnn", "--soc", "57", "--htp-arch", "75", text=True)
    assert done.returncode == 0, done.stderr
    assert "HTP emulator" in done.stdout
    assert not re.search(r"[\d.]+ (ms|us|µs|s)\b", done.stdout), done.stdout


def test_a_model_that_does_not_fit_is_refused_by_name(tmp_path: Path) -> None:
    block_image(300, 200).save(tmp_path / "a.png")
    status, _, _, errors = watch(tmp_path / "a.png", "--detector", TINY_SEGMENTER)
    assert status == 1 and "tiny.onnx" in errors and "'mask'" in errors
    status, _, _, errors = watch(tmp_path / "a.png", "--detector", TINY, "--classes", "dragon")
    assert status == 2 and "dragon" in errors


def test_images_of_every_kind(tmp_path: Path) -> None:
    """CMYK, 16 bits, palettes, animations, turned by EXIF: those that media has goldens of."""
    folder = GOLDEN / "media"
    status, lines, _, errors = watch(folder, "--detector", TINY, "--segmenter", TINY_SEGMENTER)
    assert status == 0, errors
    sizes = {Path(line["image"]).name: (line["width"], line["height"]) for line in lines}
    assert len(sizes) > 25
    for name, size in sizes.items():
        assert size == ImageOps.exif_transpose(Image.open(folder / name)).size, name


def stream(tmp_path: Path, sizes: list[tuple[int, int]]) -> bytes:
    parts = []
    for width, height in sizes:
        block_image(width, height).save(tmp_path / "part.jpg", quality=90)
        parts.append((tmp_path / "part.jpg").read_bytes())
    return b"".join(parts)


def test_a_video_that_changes_its_size(tmp_path: Path) -> None:
    video = tmp_path / "changing.mjpeg"
    video.write_bytes(stream(tmp_path, [(64, 48)] * 3 + [(320, 100)] * 3 + [(64, 48)] * 2))
    status, lines, report, errors = watch(video, "--detector", TINY, "--segmenter", TINY_SEGMENTER, "-o", tmp_path / "seen.mp4")
    assert status == 0, errors
    assert [line["width"] for line in lines] == [64] * 3 + [320] * 3 + [64] * 2 and report["frames"] == 8
    assert all(each["box"][2] <= line["width"] for line in lines for each in line["objects"])
    assert (tmp_path / "seen.mp4").stat().st_size > 500


def test_a_video_that_breaks_off_gives_the_frames_before_the_break(tmp_path: Path) -> None:
    made = slipway("drone", "-", "--detector", TINY, "-o", tmp_path / "whole.mkv", input=stream(tmp_path, [(96, 64)] * 300))
    assert made.returncode == 0, made.stderr
    whole = (tmp_path / "whole.mkv").read_bytes()
    (tmp_path / "cut.mkv").write_bytes(whole[: len(whole) * 2 // 3])
    status, lines, report, errors = watch(tmp_path / "cut.mkv", "--detector", TINY, "--segmenter", TINY_SEGMENTER, "-o", tmp_path / "seen.mp4")
    good = [line for line in lines if "error" not in line]
    assert 0 < len(good) < 300 and report["frames"] == len(good)
    assert status == int(any("error" in line for line in lines)), errors
    assert (tmp_path / "seen.mp4").stat().st_size > 500


def test_nothing_at_all_and_things_at_the_border(tmp_path: Path) -> None:
    Image.new("RGB", (200, 100)).save(tmp_path / "black.png")
    _, [line], _, _ = watch(tmp_path / "black.png", "--detector", TINY, "--segmenter", TINY_SEGMENTER, "--score-min", 0.999)
    assert line["objects"] == [] and line["horizon"] is None and line["free_heading"]["sectors"] == [0, 8]
    block_image(200, 100).save(tmp_path / "noise.png")
    _, [line], _, _ = watch(tmp_path / "noise.png", "--detector", TINY, "--segmenter", TINY_SEGMENTER, "--score-min", 0.01, "--iou-max", 1)
    boxes = np.array([each["box"] for each in line["objects"]])
    assert len(boxes) > 20 and boxes[:, :2].min() == 0 and boxes[:, 2].max() == 200 and boxes[:, 3].max() == 100
    assert all(0 <= each["free_space"] <= 1 for each in line["objects"])


def test_a_segmenter_that_does_not_fit_is_refused_by_the_name_of_its_tensor(tmp_path: Path) -> None:
    block_image(300, 200).save(tmp_path / "a.png")
    status, _, _, errors = watch(tmp_path / "a.png", "--detector", TINY, "--segmenter", TINY)
    assert status == 1 and "'output0'" in errors and "expected one map of classes" in errors
    grey = GOLDEN / "face_det_lite/tiny.onnx"
    status, _, _, errors = watch(tmp_path / "a.png", "--detector", grey)
    assert status == 1 and "'input'" in errors and "[1, 3, H, W]" in errors


def test_the_quantiser_knows_the_tail_and_keeps_the_images_apart(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    from python.tools import quantize_yolov8

    model = onnx.load(TINY)
    for number, node in enumerate(model.graph.node):
        node.name = f"{node.op_type}_{number}"
    tail = quantize_yolov8.tail_of(model.graph)
    assert {name.split("_")[0] for name in tail} == {"Concat", "Reshape", "Add", "Sigmoid"}  # what follows the convolutions
    for i in range(2):
        block_image(300 + i, 200).save(tmp_path / f"{i}.png")
    images = [str(tmp_path / f"{i}.png") for i in range(2)]
    assert quantize_yolov8.main(["--model", str(TINY), "--output", str(tmp_path), "--calibration", *images, "--test", images[1]]) == 1
    assert "1.png" in capsys.readouterr().err
