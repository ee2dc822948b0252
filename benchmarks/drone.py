"""YOLOv8n and drone: `slipway drone` beside ONNX Runtime's Python package, NumPy with OpenCV, and `ultralytics`.

Rounds of all take turns on one machine with the same number of threads. A round counts with its median run, the table with
the median over rounds. Goals: YOLOv8n end to end at most 1.05 times the bare session run; the run of the w8a8 network at
least 1.9 times as fast as float's, with the same objects; detection and segmentation in one process at most 1.05 times the
sum of both networks alone. Two providers at once (goal: 1.1 times the slower one) need a second one that has cores of its own.
Needs the networks and pictures of SLIPWAY_TEST_DATA (or ../shared/data) and reports skipped without them; the peers with
OpenCV and `ultralytics` and FFNet-40S need the environment of `tools/setup.sh torch`, in which the script restarts itself.
The segmenter with real weights is ESPNetv2; FFNet-40S has seeded weights: its time is right and its map means nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
TORCH_PYTHON = pathlib.Path(os.environ.get("SLIPWAY_TORCH_PYTHON", ROOT / ".deps/venv-torch/bin/python"))
try:
    import cv2
    import ultralytics
except ImportError:
    cv2 = ultralytics = None
    if TORCH_PYTHON.exists() and not os.environ.get("SLIPWAY_BENCH_RESTARTED"):
        os.environ["SLIPWAY_BENCH_RESTARTED"] = "1"
        os.execv(TORCH_PYTHON, [str(TORCH_PYTHON), *sys.argv])

import numpy as np  # noqa: E402
import onnxruntime  # noqa: E402
from PIL import Image  # noqa: E402

from bench_command import make_parser, write_figures  # noqa: E402
from python.reference.face_det_lite.postprocess import box_iou  # noqa: E402
from python.reference.yolov8 import preprocess  # noqa: E402
from python.tools import quantize_yolov8  # noqa: E402

DATA = pathlib.Path(os.environ.get("SLIPWAY_TEST_DATA", ROOT.parent / "shared/data"))
YOLOV8N = DATA / "models/detect/yolov8n_fp32_dequantised.onnx"
ESPNETV2 = DATA / "models/segment/espnetv2_s2_cityscapes_512x1024.onnx"
CALIBRATION = {"sam2_truck.jpg", "dlib_horses.jpg", "dlib_voc_2007_007763.jpg", "dlib_voc_2008_001322.jpg", "fr_obama-720p.jpg",
               "sahi_terrain2.png"}
MOST_END_TO_END, LEAST_SPEEDUP, MOST_OF_SUM = 1.05, 1.9, 1.05


def timed(call, runs: int) -> float:
    """Median milliseconds of a call, after a pause and one warm-up: threads of a session that just ran spin on for a while."""
    time.sleep(0.5)
    call()
    spans = []
    for _ in range(runs):
        begin = time.perf_counter()
        call()
        spans.append((time.perf_counter() - begin) * 1e3)
    return statistics.median(spans)


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


def two_default_sessions(detect, segment, runs: int) -> tuple[float, float]:
    """Milliseconds of both networks of a Python process with ONNX Runtime's defaults: in turn, and in two threads."""
    def both() -> None:
        thread = threading.Thread(target=segment)
        thread.start()
        detect()
        thread.join()
    return timed(lambda: (detect(), segment()), runs), timed(both, runs)


def parse() -> argparse.Namespace:
    parser = make_parser(__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--runs", type=int, default=10, help="of YOLOv8n in a round; a third of it with a segmenter")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--models", type=pathlib.Path, help="a folder that keeps the made models for another run")
    return parser.parse_args()


def make_models(folder: pathlib.Path, everything: list[pathlib.Path]) -> dict[str, pathlib.Path]:
    """The w8a8 network and the segmenters there are."""
    tested = [str(path) for path in everything if path.name not in CALIBRATION]
    if not (folder / "w8a8_cpu/model.yaml").is_file():
        quantize_yolov8.main(["--model", str(YOLOV8N), "--output", str(folder), "--calibration",
                              *[str(path) for path in everything if path.name in CALIBRATION], "--test", *tested])
    segmenters = {"ESPNetv2": ESPNETV2}
    if ultralytics:
        from python.exporters import ffnet_40s

        if (folder / "ffnet_40s/model.yaml").is_file() or ffnet_40s.main(["--seed", "1", "--output", str(folder / "ffnet_40s")]) == 0:
            segmenters["FFNet-40S, seeded"] = folder / "ffnet_40s"
    else:
        print("OpenCV, ultralytics and FFNet-40S are left out: run tools/setup.sh torch")
    return segmenters


def session_of(model: pathlib.Path, threads: int) -> tuple[onnxruntime.InferenceSession, dict[str, np.ndarray]]:
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = threads
    file = next(model.glob("*.onnx")) if model.is_dir() else model
    session = onnxruntime.InferenceSession(str(file), settings, providers=["CPUExecutionProvider"])
    [value] = session.get_inputs()
    return session, {value.name: np.random.default_rng(1).uniform(0, 1, value.shape).astype(np.float32)}


def measure(options: argparse.Namespace, models: pathlib.Path, segmenters: dict[str, pathlib.Path]) -> dict[str, float]:
    """Milliseconds by name: medians over rounds."""
    path = DATA / "images/street/bus.jpg"
    image = np.asarray(Image.open(path).convert("RGB"))
    tensor, _ = preprocess.image_to_tensor(image, 640, 640)
    found: dict[str, list[float]] = {}
    few = max(3, options.runs // 3)

    def note(name: str, value: float) -> None:
        found.setdefault(name, []).append(value)

    def note_slipway(name: str, line: dict) -> None:
        for stage in ("pre", "inference", "post", "total"):
            note(f"{name}: {stage}", line["bench"][stage]["median_us"] / 1e3)

    yolo, _ = session_of(YOLOV8N, options.threads)
    bare = {"YOLOv8n": lambda: yolo.run(None, {"images": tensor})}
    for name, model in segmenters.items():
        session, feed = session_of(model, options.threads)
        bare[name] = lambda session=session, feed=feed: session.run(None, feed)
    peers = {}
    if ultralytics:
        peers["NumPy and OpenCV"] = numpy_end_to_end(yolo, image)
        predictor = ultralytics.YOLO(str(YOLOV8N), task="detect")
        peers["ultralytics"] = lambda: predictor.predict(str(path), conf=0.45, device="cpu", verbose=False)
    for _ in range(options.rounds):
        note("bare YOLOv8n", timed(bare["YOLOv8n"], options.runs))
        note_slipway("slipway float", slipway(options, YOLOV8N, [path], options.runs)[0])
        for name, call in peers.items():
            note(name, timed(call, options.runs))
        note_slipway("slipway w8a8", slipway(options, models / "w8a8_cpu", [path], options.runs)[0])
        for name, model in segmenters.items():
            note(f"bare {name}", timed(bare[name], few))
            note_slipway(f"slipway with {name}", slipway(options, YOLOV8N, [path], few, model)[0])
            in_turn, at_once = two_default_sessions(bare["YOLOv8n"], bare[name], few)
            note(f"Python with {name}, in turn", in_turn)
            note(f"Python with {name}, two threads", at_once)
    return {name: statistics.median(values) for name, values in found.items()}


def main() -> int:
    options = parse()
    if not YOLOV8N.is_file():
        print(f"skipped: no test data at {DATA}; SLIPWAY_TEST_DATA names its place")
        return 0
    everything = sorted((DATA / "images").glob("*/*.*"))
    tested = [path for path in everything if path.name not in CALIBRATION]
    with tempfile.TemporaryDirectory() as folder:
        models = options.models or pathlib.Path(folder)
        models.mkdir(parents=True, exist_ok=True)
        segmenters = make_models(models, everything)
        times = measure(options, models, segmenters)
        objects = same_objects(slipway(options, YOLOV8N, tested, 1), slipway(options, models / "w8a8_cpu", tested, 1))

    load = os.getloadavg()[0]
    print(f"load average {load:.1f}, {options.threads} threads, {options.rounds} rounds")
    for name, value in times.items():
        print(f"  {name:44}{value:>9.2f} ms")
    ratios: dict[str, float] = {}

    def judge(name: str, ratio: float, goal: float, wants_less: bool) -> None:
        ratios[name] = ratio
        reached = ratio <= goal if wants_less else ratio >= goal
        print(f"{name}: {ratio:.3f} (goal: {'at most' if wants_less else 'at least'} {goal}): {'reached' if reached else 'MISSED'}")

    judge("YOLOv8n end to end / bare session", times["slipway float: total"] / times["bare YOLOv8n"], MOST_END_TO_END, True)
    for name in ("NumPy and OpenCV", "ultralytics"):
        if name in times:
            ratios[name] = times[name] / times["bare YOLOv8n"]
            print(f"  {name} end to end / bare session: {ratios[name]:.3f}")
    judge("float / w8a8, the network's run", times["slipway float: inference"] / times["slipway w8a8: inference"], LEAST_SPEEDUP, False)
    ratios["float / w8a8, end to end"] = times["slipway float: total"] / times["slipway w8a8: total"]
    print(f"  end to end: {ratios['float / w8a8, end to end']:.3f}")
    print(f"  objects: {objects['float']} in float; {objects['not_in_w8a8']} of them not in w8a8 ({objects['not_in_w8a8_above_0.6']} with "
          f"a score of 0.6 or more), {objects['only_in_w8a8']} only there ({objects['only_in_w8a8_above_0.6']}), on {len(tested)} pictures "
          "not used for calibration")
    for name in segmenters:
        alone = times["bare YOLOv8n"] + times[f"bare {name}"]
        judge(f"YOLOv8n with {name}, fused / sum of both bare", times[f"slipway with {name}: total"] / alone, MOST_OF_SUM, True)
        for way in ("in turn", "two threads"):
            ratios[f"Python with {name}, {way}"] = times[f"Python with {name}, {way}"] / alone
            print(f"  Python, two default sessions {way}: {ratios[f'Python with {name}, {way}']:.3f}")
    print("two providers at once: skipped, no second one with cores of its own is here")
    write_figures(options, {
        "benchmark": "drone", "machine": platform.processor() or platform.machine(), "threads": options.threads,
        "rounds": options.rounds, "load_average": load, "onnxruntime": onnxruntime.__version__, "times_ms": times, "ratios": ratios,
        "objects": objects, "two_providers": None})
    return 0


if __name__ == "__main__":
    sys.exit(main())
