"""face_det_lite, float and w8a8: `slipway face-det-lite` beside ONNX Runtime's Python package with Pillow and NumPy.

Rounds of both take turns on the same machine, with the same number of threads. A round counts with its fastest run, the
table with the median over rounds: other work on the machine only ever adds time. Goals: pre- and
post-processing together under 3 % of the float inference; w8a8 at least 2.3 times as fast as float, with the same faces.
Needs the network and pictures of SLIPWAY_TEST_DATA (or ../shared/data) and reports skipped without them.
"""

from __future__ import annotations

import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
import onnxruntime
from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
from bench_command import make_parser, write_figures  # noqa: E402
from python.reference.face_det_lite import constants, postprocess, preprocess  # noqa: E402
from python.tools import quantize_face_det_lite  # noqa: E402

DATA = pathlib.Path(os.environ.get("SLIPWAY_TEST_DATA", ROOT.parent / "shared/data"))
MODEL = DATA / "models/face/face_det_lite.onnx"
CALIBRATION = {"dlib_voc_2007_007763.jpg", "dlib_voc_2008_001322.jpg", "fr_obama-720p.jpg", "bus.jpg", "sam2_cars.jpg",
               "sahi_terrain2.png"}
LEAST_SPEEDUP, MOST_SHARE = 2.3, 0.03


def peer_input(image: Image.Image) -> tuple[np.ndarray, preprocess.Placement]:
    """What a Python user writes: Pillow resizes and pads, NumPy makes grey."""
    place = preprocess.place(*image.size, constants.WIDTH, constants.HEIGHT, "letterbox")
    canvas = Image.new("RGB", (constants.WIDTH, constants.HEIGHT))
    canvas.paste(image.resize((place.inner_width, place.inner_height), Image.Resampling.BILINEAR), (place.pad_left, place.pad_top))
    grey = (np.asarray(canvas, np.float32) / 255) @ np.array(constants.LUMA, np.float32)
    return grey[None, None], place


def run_peer(session: onnxruntime.InferenceSession, image: Image.Image, runs: int) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {"pre": [], "inference": [], "post": []}
    for number in range(runs + 1):
        begin = time.perf_counter()
        tensor, place = peer_input(image)
        prepared = time.perf_counter()
        heads = session.run(["heatmap", "bbox", "landmark"], {"input": tensor})
        ran = time.perf_counter()
        postprocess.postprocess(*heads, place)
        done = time.perf_counter()
        if number > 0:
            for stage, span in zip(times, (prepared - begin, ran - prepared, done - ran)):
                times[stage].append(span * 1e6)
    return times


def run_slipway(slipway: pathlib.Path, model: pathlib.Path, images: list[pathlib.Path], runs: int, threads: int) -> list[dict]:
    done = subprocess.run([slipway, "face-det-lite", model, *images, "--bench", str(runs), "--threads", str(threads), "--json"],
                          capture_output=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def same_faces(one: list[dict], other: list[dict]) -> tuple[int, int, int]:
    """Faces of the first, how many of them the second has too (IoU above 0.5), and what the second has beyond."""
    total = found = extra = 0
    for left, right in zip(one, other):
        boxes = [np.array(face["box"]) for face in left["faces"]]
        others = [np.array(face["box"]) for face in right["faces"]]
        total += len(boxes)
        found += sum(any(postprocess.box_iou(box, candidate) > 0.5 for candidate in others) for box in boxes)
        extra += sum(all(postprocess.box_iou(box, candidate) <= 0.5 for box in boxes) for candidate in others)
    return total, found, extra


def main() -> int:
    parser = make_parser(__doc__)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--runs", type=int, default=10, help="of each picture in a round")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    if not MODEL.is_file():
        print(f"skipped: no test data at {DATA}; SLIPWAY_TEST_DATA names its place")
        return 0
    slipway = options.build / "slipway"
    everything = sorted((DATA / "images").glob("*/*.*"))
    tested = [path for path in everything if path.name not in CALIBRATION]

    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        timed = {}
        for name, size in (("640x480", (640, 480)), ("1280x720", (1280, 720)), ("1920x1080", (1920, 1080))):
            timed[name] = work / f"{name}.png"
            Image.open(DATA / "images/faces/zidane.jpg").convert("RGB").resize(size).save(timed[name])
        quantize_face_det_lite.main(["--model", str(MODEL), "--output", str(work), "--calibration",
                                     *[str(path) for path in everything if path.name in CALIBRATION], "--test", *map(str, tested)])
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = options.threads
        peer = onnxruntime.InferenceSession(str(MODEL), settings, providers=["CPUExecutionProvider"])

        medians: dict[str, dict[str, dict[str, list[float]]]] = {}

        def note(who: str, size: str, stage: str, value: float) -> None:
            medians.setdefault(who, {}).setdefault(size, {}).setdefault(stage, []).append(value)

        for _ in range(options.rounds):
            for who, model in (("slipway float", MODEL), ("slipway w8a8", work / "w8a8_cpu")):
                for size, line in zip(timed, run_slipway(slipway, model, list(timed.values()), options.runs, options.threads)):
                    for stage in ("pre", "inference", "post"):
                        note(who, size, stage, line["bench"][stage]["min_us"])
            for size, path in timed.items():
                for stage, values in run_peer(peer, Image.open(path).convert("RGB"), options.runs).items():
                    note("Python float", size, stage, min(values))
        float_lines = run_slipway(slipway, MODEL, tested, 1, options.threads)
        total, found, extra = same_faces(float_lines, run_slipway(slipway, work / "w8a8_cpu", tested, 1, options.threads))

    load = os.getloadavg()[0]
    result: dict = {"load_average": load, "benchmark": "face_det_lite", "machine": platform.processor() or platform.machine(), "threads": options.threads,
                    "rounds": options.rounds, "runs": options.runs, "onnxruntime": onnxruntime.__version__, "times_us": {}}
    print(f"load average {load:.1f}, {options.threads} threads")
    print(f"{'':16}{'picture':>11}{'before':>11}{'inference':>11}{'after':>10}{'before+after':>14}")
    for who, sizes in medians.items():
        for size, stages in sizes.items():
            pre, inference, post = (statistics.median(stages[stage]) for stage in ("pre", "inference", "post"))
            result["times_us"].setdefault(who, {})[size] = {"pre": pre, "inference": inference, "post": post,
                                                            "share": (pre + post) / inference}
            print(f"{who:16}{size:>11}{pre:>8.0f} us{inference / 1000:>8.2f} ms{post:>7.0f} us{(pre + post) / inference:>13.1%}")
    times = result["times_us"]
    share = max(entry["share"] for size, entry in times["slipway float"].items())
    speedup = statistics.median(times["slipway float"][size]["inference"] / times["slipway w8a8"][size]["inference"] for size in timed)
    against = statistics.median(sum(times["Python float"][size][stage] for stage in ("pre", "inference", "post")) /
                                sum(times["slipway float"][size][stage] for stage in ("pre", "inference", "post")) for size in timed)
    result |= {"largest_share": share, "w8a8_speedup": speedup, "end_to_end_against_python": against,
               "faces": {"float": total, "found_by_w8a8": found, "only_w8a8": extra}}
    print(f"before+after at most {share:.1%} of float inference (goal: under {MOST_SHARE:.0%}): "
          f"{'reached' if share < MOST_SHARE else 'MISSED'}")
    print(f"w8a8 is {speedup:.2f} times as fast as float (goal: {LEAST_SPEEDUP}): {'reached' if speedup >= LEAST_SPEEDUP else 'MISSED'}")
    print(f"w8a8 finds {found} of {total} faces and {extra} others, on {len(tested)} pictures not used for calibration")
    print(f"end to end, Python takes {against:.2f} times as long as slipway (float)")
    write_figures(options, result)
    return 0


if __name__ == "__main__":
    sys.exit(main())
