"""YOLOv8n and drone: `slipway drone` beside ONNX Runtime's Python package with OpenCV, and `ultralytics`; all from decoded pixels.

A turn is the median of runs on one image. `ultralytics` gets the decoded array, not the file: as it comes, and with its threads set.
Goals: YOLOv8n end to end at most 1.05 times the bare session run; the run of the w8a8 network at least 1.9 times as fast as float's, with
the same objects; detection and segmentation in one process at most 1.05 times the sum of both networks alone. Two providers at once
need a second one with cores of its own. Needs the networks and images of SLIPWAY_TEST_DATA and `tools/setup.sh torch`, in whose environment
it restarts itself. The segmenter with real weights is ESPNetv2; FFNet-40S has seeded weights: its time is right and its map means nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]
from bench_command import DATA, TORCH_PYTHON, make_parser, restart_with  # noqa: E402

restart_with(TORCH_PYTHON, "torch")
import cv2  # noqa: E402
import numpy as np  # noqa: E402
import onnxruntime  # noqa: E402
import ultralytics  # noqa: E402
from bench_row import Contender, Rows, median_ms, by_turns  # noqa: E402
from operations import gflop_of  # noqa: E402
from PIL import Image  # noqa: E402

from python.exporters import ffnet_40s  # noqa: E402
from python.reference.face_det_lite.postprocess import box_iou  # noqa: E402
from python.reference.yolov8 import preprocess  # noqa: E402
from python.tools import quantize_yolov8  # noqa: E402

YOLOV8N = DATA / "models/detect/yolov8n_fp32_dequantised.onnx"
ESPNETV2 = DATA / "models/segment/espnetv2_s2_cityscapes_512x1024.onnx"
CALIBRATION = {"sam2_truck.jpg", "dlib_horses.jpg", "dlib_voc_2007_007763.jpg", "dlib_voc_2008_001322.jpg", "fr_obama-720p.jpg",
               "sahi_terrain2.png"}
MOST_END_TO_END, LEAST_SPEEDUP, MOST_OF_SUM = 1.05, 1.9, 1.05
RUNS, FEW = 10, 3
STAGES = ("decoded pixels in memory, 810×1080", "boxes, classes, scores")
SEGMENTERS = {"espnetv2": "ESPNetv2", "ffnet_40s": "FFNet-40S, seeded"}


def numpy_end_to_end(session: onnxruntime.InferenceSession, image: np.ndarray):
    """What a Python user writes: OpenCV letterboxes, NumPy and OpenCV decode."""
    def run() -> int:
        height, width = image.shape[:2]
        scale = min(640 / height, 640 / width)
        resized = cv2.resize(image, (int(width * scale), int(height * scale)))
        canvas = np.full((640, 640, 3), 114, np.uint8)
        canvas[: resized.shape[0], : resized.shape[1]] = resized
        tensor = np.ascontiguousarray(canvas.transpose(2, 0, 1)[None], dtype=np.float32) / 255
        rows = session.run(None, {session.get_inputs()[0].name: tensor})[0][0].T
        scores = rows[:, 4:].max(1)
        kept = scores >= 0.45
        boxes, scores, classes = rows[kept, :4], scores[kept], rows[kept, 4:].argmax(1)
        corners = np.concatenate([boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, 2:]], 1)
        return len(cv2.dnn.NMSBoxesBatched(corners.tolist(), scores.tolist(), classes.tolist(), 0.45, 0.7))
    return run


def slipway(options: argparse.Namespace, detector: pathlib.Path, images: list[pathlib.Path], runs: int,
            segmenter: pathlib.Path | None = None) -> list[dict]:
    command = [options.build / "slipway", "drone", *images, "--detector", detector, "--threads", str(options.threads), "--json",
               "--bench", str(runs)]
    if segmenter:
        command += ["--segmenter", segmenter] + (["--normalize", "imagenet"] if segmenter == ESPNETV2 else [])
    done = subprocess.run(command, capture_output=True, check=True)
    return [line for line in map(json.loads, done.stdout.splitlines()) if line["schema"] == "drone/1"]


def same_objects(one: list[dict], other: list[dict]) -> dict[str, int]:
    """Objects of the first, how many the second has too (same class, IoU above 0.5); those that only one has and is sure of."""
    def missing(here: dict, there: dict) -> list[dict]:
        return [each for each in here["objects"] if not any(
            each["class"] == candidate["class"] and box_iou(np.array(each["box"]), np.array(candidate["box"])) > 0.5
            for candidate in there["objects"])]

    lost = [each for left, right in zip(one, other) for each in missing(left, right)]
    extra = [each for left, right in zip(one, other) for each in missing(right, left)]
    return {"float": sum(len(line["objects"]) for line in one), "not_in_w8a8": len(lost), "only_in_w8a8": len(extra),
            "not_in_w8a8_above_0.6": sum(each["score"] >= 0.6 for each in lost),
            "only_in_w8a8_above_0.6": sum(each["score"] >= 0.6 for each in extra)}


def make_models(folder: pathlib.Path, everything: list[pathlib.Path]) -> dict[str, pathlib.Path]:
    """The segmenters; w8a8 networks lie in the folder."""
    tested = [str(path) for path in everything if path.name not in CALIBRATION]
    if not (folder / "yolov8n-w8a8/w8a8_cpu/model.yaml").is_file():
        quantize_yolov8.main(["--model", str(YOLOV8N), "--output", str(folder / "yolov8n-w8a8"), "--calibration",
                              *[str(path) for path in everything if path.name in CALIBRATION], "--test", *tested])
    seeded = folder / "ffnet_40s"
    if not (seeded / "model.yaml").is_file() and ffnet_40s.main(["--seed", "1", "--output", str(seeded)]) != 0:
        raise RuntimeError("FFNet-40S could not be exported")
    return {"espnetv2": ESPNETV2, "ffnet_40s": seeded}


def session_of(model: pathlib.Path, threads: int):
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = threads
    file = next(model.glob("*.onnx")) if model.is_dir() else model
    session = onnxruntime.InferenceSession(str(file), settings, providers=["CPUExecutionProvider"])
    [value] = session.get_inputs()
    feed = {value.name: np.random.default_rng(1).uniform(0, 1, value.shape).astype(np.float32)}
    return session, lambda: session.run(None, feed)


def of_ultralytics(image: np.ndarray, threads: int):
    """Its predictor on the decoded array (blue first, as it wants them). threads 0: as it comes."""
    if threads:
        original = onnxruntime.InferenceSession

        def with_threads(path, sess_options=None, **rest):
            settings = sess_options or onnxruntime.SessionOptions()
            settings.intra_op_num_threads = threads
            return original(path, settings, **rest)
        onnxruntime.InferenceSession = with_threads
    predictor = ultralytics.YOLO(str(YOLOV8N), task="detect")
    pixels = np.ascontiguousarray(image[:, :, ::-1])
    predictor.predict(pixels, conf=0.45, device="cpu", verbose=False)  # makes its session
    if threads:
        onnxruntime.InferenceSession = original
    return lambda: predictor.predict(pixels, conf=0.45, device="cpu", verbose=False)


def total_of(line: dict, stage: str = "total") -> float:
    return line["bench"][stage]["median_us"] / 1e3


def measure_detector(options, rows: Rows, path: pathlib.Path, seconds: float) -> None:
    image = np.asarray(Image.open(path).convert("RGB"))
    session, _ = session_of(YOLOV8N, options.threads)
    tensor, _ = preprocess.image_to_tensor(image, 640, 640)
    numpy_call, settled = numpy_end_to_end(session, image), "default and best" if options.threads == os.cpu_count() else "best"
    default, best = of_ultralytics(image, 0), of_ultralytics(image, options.threads)
    samples = by_turns({
        "ours": lambda: total_of(slipway(options, YOLOV8N, [path], RUNS)[0]),
        "bare": lambda: median_ms(lambda: session.run(None, {"images": tensor}), RUNS),
        "numpy": lambda: median_ms(numpy_call, RUNS),
        "default": lambda: median_ms(default, RUNS),
        "best": lambda: median_ms(best, RUNS)}, seconds, options.rounds)
    ours = Contender("slipway drone, cpu", "best", options.threads, samples=samples["ours"])
    rows.write("yolov8n", "YOLOv8n, a picture to boxes", STAGES, "ms", ours,
               [Contender("ONNX Runtime, Python with OpenCV and NumPy", "default and best", options.threads, samples=samples["numpy"]),
                Contender("ultralytics", "default", os.cpu_count(), samples=samples["default"]),
                Contender("ultralytics", "best", options.threads, samples=samples["best"])],
               goal={"of": "ratio", "least": 1.0}, gflop=gflop_of(YOLOV8N), facts={"threads of ONNX Runtime's session by default": settled},
               not_run=[{"name": "ultralytics on its OpenVINO export", "reason": "its package asks for another OpenVINO; OpenVINO itself stands at the network"}])
    rows.write("yolov8n.bare", "YOLOv8n end to end in parts of a bare session's run", STAGES, "times",
               Contender("slipway drone, cpu", "best", options.threads, samples=[a / b for a, b in zip(samples["ours"], samples["bare"])]),
               goal={"of": "value", "most": MOST_END_TO_END}, facts={"bare session ms": float(np.median(samples["bare"]))})


def measure_w8a8(options, rows: Rows, model: pathlib.Path, path: pathlib.Path, tested: list[pathlib.Path], seconds: float) -> None:
    samples = by_turns({"float": lambda: total_of(slipway(options, YOLOV8N, [path], RUNS)[0], "inference"),
                          "w8a8": lambda: total_of(slipway(options, model, [path], RUNS)[0], "inference")}, seconds, options.rounds)
    objects = same_objects(slipway(options, YOLOV8N, tested, 1), slipway(options, model, tested, 1))
    rows.write("yolov8n.w8a8", "YOLOv8n, w8a8 for CPUs: times as fast as our float", ("the input tensor", "the head"), "x",
               Contender("slipway drone, cpu", "best", options.threads, "int8", [a / b for a, b in zip(samples["float"], samples["w8a8"])]),
               goal={"of": "value", "least": LEAST_SPEEDUP},
               facts={"w8a8 ms": float(np.median(samples["w8a8"])), "float ms": float(np.median(samples["float"])),
                      **{key.replace("_", " "): f"{value}" for key, value in objects.items()}, "pictures": f"{len(tested)}, not used for calibration"})


def measure_fused(options, rows: Rows, name: str, segmenter: pathlib.Path, path: pathlib.Path, seconds: float) -> None:
    _, detect = session_of(YOLOV8N, options.threads)
    _, segment = session_of(segmenter, options.threads)
    samples = by_turns({
        "fused": lambda: total_of(slipway(options, YOLOV8N, [path], FEW, segmenter)[0]),
        "detector": lambda: median_ms(detect, FEW),
        "segmenter": lambda: median_ms(segment, FEW),
        "both": lambda: median_ms(lambda: (detect(), segment()), FEW)}, seconds, options.rounds)
    alone = [a + b for a, b in zip(samples["detector"], samples["segmenter"])]
    rows.write(f"drone.{name}", f"YOLOv8n and {SEGMENTERS[name]} in one process, in parts of both networks alone", STAGES, "times",
               Contender("slipway drone, cpu", "best", options.threads, samples=[a / b for a, b in zip(samples["fused"], alone)]),
               goal={"of": "value", "most": MOST_OF_SUM},
               facts={"fused ms": float(np.median(samples["fused"])), "both alone ms": float(np.median(alone)),
                      "two sessions of one Python process in turn, in parts of it": float(np.median([a / b for a, b in zip(samples["both"], alone)])),
                      "two providers at once": "no second one with cores of its own is here"})


def main() -> int:
    options = make_parser(__doc__).parse_args()
    if not YOLOV8N.is_file():
        print(f"drone.py: no test data at {DATA}; SLIPWAY_TEST_DATA names its place", file=sys.stderr)
        return 1
    everything = sorted((DATA / "images").glob("*/*.*"))
    tested = [path for path in everything if path.name not in CALIBRATION]
    segmenters = make_models(options.models, everything)
    if options.prepare:
        return 0
    rows = Rows(options.output, options.rows)
    path = DATA / "images/street/bus.jpg"
    if rows.wants("yolov8n", "yolov8n.bare"):
        measure_detector(options, rows, path, options.seconds / 3)
    if rows.wants("yolov8n.w8a8"):
        measure_w8a8(options, rows, options.models / "yolov8n-w8a8/w8a8_cpu", path, tested, options.seconds / 6)
    for name, segmenter in segmenters.items():
        if rows.wants(f"drone.{name}"):
            measure_fused(options, rows, name, segmenter, path, options.seconds / 4)
    return 0


if __name__ == "__main__":
    sys.exit(main())
