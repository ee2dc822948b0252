"""face_det_lite, float and w8a8: `slipway face-det-lite` beside ONNX Runtime's Python package with OpenCV, and with Pillow.

From decoded pixels to boxes. "Best" is what OpenCV documents for it: cvtColor, resize, copyMakeBorder, convertTo, decoded with NumPy;
"default" is Pillow and NumPy, the way many scripts are written, on the same session. A turn is the median of runs on one image. Goals:
pre- and post-processing together under 3 % of the float inference; w8a8 at least 2.3 times as fast as float. Needs the network and
images of SLIPWAY_TEST_DATA and `tools/setup.sh torch` (OpenCV), in whose environment it restarts itself.
"""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]
from bench_command import DATA, TORCH_PYTHON, make_parser, restart_with  # noqa: E402

restart_with(TORCH_PYTHON, "torch")
import cv2  # noqa: E402
import numpy as np  # noqa: E402
import onnxruntime  # noqa: E402
from bench_row import Contender, Rows, by_turns  # noqa: E402
from operations import gflop_of  # noqa: E402
from PIL import Image  # noqa: E402

from python.reference.face_det_lite import constants, postprocess, preprocess  # noqa: E402
from python.tools import quantize_face_det_lite  # noqa: E402

MODEL = DATA / "models/face/face_det_lite.onnx"
SIZES = {"640x480": (640, 480), "1280x720": (1280, 720), "1920x1080": (1920, 1080)}
CALIBRATION = {"dlib_voc_2007_007763.jpg", "dlib_voc_2008_001322.jpg", "fr_obama-720p.jpg", "bus.jpg", "sam2_cars.jpg",
               "sahi_terrain2.png"}
LEAST_SPEEDUP, MOST_SHARE, RUNS = 2.3, 3.0, 10
TO_BOXES = ("decoded pixels in memory", "faces with five landmarks")
TO_TENSOR = ("decoded pixels in memory", "a float tensor of 640×480 grey values")


def pillow_input(image: np.ndarray) -> tuple[np.ndarray, preprocess.Placement]:
    """What many scripts have: Pillow resizes and pads, NumPy makes grey."""
    drawn = Image.fromarray(image)
    place = preprocess.place(*drawn.size, constants.WIDTH, constants.HEIGHT, "letterbox")
    canvas = Image.new("RGB", (constants.WIDTH, constants.HEIGHT))
    canvas.paste(drawn.resize((place.inner_width, place.inner_height), Image.Resampling.BILINEAR), (place.pad_left, place.pad_top))
    grey = (np.asarray(canvas, np.float32) / 255) @ np.array(constants.LUMA, np.float32)
    return grey[None, None], place


def opencv_input(image: np.ndarray) -> tuple[np.ndarray, preprocess.Placement]:
    """The fastest that OpenCV's manual names: one channel first, then a bilinear resize of bytes, floats last."""
    place = preprocess.place(image.shape[1], image.shape[0], constants.WIDTH, constants.HEIGHT, "letterbox")
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    if grey.shape != (place.inner_height, place.inner_width):
        grey = cv2.resize(grey, (place.inner_width, place.inner_height), interpolation=cv2.INTER_LINEAR)
    below, right = constants.HEIGHT - place.inner_height - place.pad_top, constants.WIDTH - place.inner_width - place.pad_left
    if place.pad_top or place.pad_left or below or right:
        grey = cv2.copyMakeBorder(grey, place.pad_top, below, place.pad_left, right, cv2.BORDER_CONSTANT, value=0)
    return np.multiply(grey, np.float32(1 / 255), dtype=np.float32)[None, None], place


def run_peer(session: onnxruntime.InferenceSession, image: np.ndarray, prepare) -> dict[str, float]:
    """Median milliseconds by stage."""
    times: dict[str, list[float]] = {"pre": [], "inference": [], "post": [], "total": []}
    for number in range(RUNS + 1):
        begin = time.perf_counter()
        tensor, place = prepare(image)
        prepared = time.perf_counter()
        heads = session.run(["heatmap", "bbox", "landmark"], {"input": tensor})
        ran = time.perf_counter()
        postprocess.postprocess(*heads, place)
        done = time.perf_counter()
        if number > 0:
            for stage, span in zip(times, (prepared - begin, ran - prepared, done - ran, done - begin)):
                times[stage].append(span * 1e3)
    return {stage: float(np.median(values)) for stage, values in times.items()}


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


def measure_size(options, rows: Rows, size: str, path: pathlib.Path, session: onnxruntime.InferenceSession, seconds: float) -> None:
    image = np.asarray(Image.open(path).convert("RGB"))
    parts: dict[str, list[dict[str, float]]] = {"ours": [], "OpenCV": [], "Pillow": []}

    def ours() -> float:
        [line] = run_slipway(options.build / "slipway", MODEL, [path], RUNS, options.threads)
        parts["ours"].append({stage: line["bench"][stage]["median_us"] / 1e3 for stage in ("pre", "inference", "post", "total")})
        return parts["ours"][-1]["total"]

    def peer(name: str, prepare):
        def run() -> float:
            parts[name].append(run_peer(session, image, prepare))
            return parts[name][-1]["total"]
        return run

    samples = by_turns({"ours": ours, "OpenCV": peer("OpenCV", opencv_input), "Pillow": peer("Pillow", pillow_input)}, seconds, options.rounds)
    count = len(samples["ours"])
    kept = {name: values[-count:] for name, values in parts.items()}  # the first round warmed up
    peer_name = "ONNX Runtime, Python"
    rows.write(f"face_det_lite.{size}", f"face_det_lite, {size}", TO_BOXES, "ms",
               Contender("slipway face-det-lite, cpu", "best", options.threads, samples=samples["ours"]),
               [Contender(f"{peer_name} with OpenCV", "default and best", options.threads, samples=samples["OpenCV"]),
                Contender(f"{peer_name} with Pillow", "default and best", options.threads, samples=samples["Pillow"])],
               goal={"of": "ratio", "least": 1.0}, gflop=gflop_of(MODEL))
    alone = {name: [each["pre"] for each in values] for name, values in kept.items()}
    rows.write(f"face_det_lite.pre.{size}", f"face_det_lite, pre-processing of {size}", TO_TENSOR, "ms",
               Contender("slipway face-det-lite", "best", 1, samples=alone["ours"]),
               [Contender("OpenCV: cvtColor, resize, copyMakeBorder", "default and best", 1, samples=alone["OpenCV"]),
                Contender("Pillow and NumPy", "default and best", 1, samples=alone["Pillow"])],
               goal={"of": "ratio", "least": 1.0})
    share = [100 * (each["pre"] + each["post"]) / each["inference"] for each in kept["ours"]]
    theirs = [100 * (each["pre"] + each["post"]) / each["inference"] for each in kept["OpenCV"]]
    rows.write(f"face_det_lite.share.{size}", f"face_det_lite, pre- and post-processing in parts of the inference, {size}", TO_BOXES, "%",
               Contender("slipway face-det-lite, cpu", "best", options.threads, samples=share), goal={"of": "value", "most": MOST_SHARE},
               facts={"with OpenCV and NumPy, %": float(np.median(theirs))})


def measure_w8a8(options, rows: Rows, w8a8: pathlib.Path, path: pathlib.Path, tested: list[pathlib.Path], seconds: float) -> None:
    slipway = options.build / "slipway"

    def inference(model: pathlib.Path):
        return lambda: run_slipway(slipway, model, [path], RUNS, options.threads)[0]["bench"]["inference"]["median_us"] / 1e3

    samples = by_turns({"float": inference(MODEL), "w8a8": inference(w8a8)}, seconds, options.rounds)
    total, found, extra = same_faces(run_slipway(slipway, MODEL, tested, 1, options.threads), run_slipway(slipway, w8a8, tested, 1, options.threads))
    rows.write("face_det_lite.w8a8", "face_det_lite, w8a8 for CPUs: times as fast as our float", ("a float tensor", "the heads"), "x",
               Contender("slipway face-det-lite, cpu", "best", options.threads, "int8", [a / b for a, b in zip(samples["float"], samples["w8a8"])]),
               goal={"of": "value", "least": LEAST_SPEEDUP},
               facts={"w8a8 ms": float(np.median(samples["w8a8"])), "float ms": float(np.median(samples["float"])),
                      "faces": f"{found} of {total} of float's and {extra} others, on {len(tested)} pictures not used for calibration"})


def main() -> int:
    options = make_parser(__doc__).parse_args()
    if not MODEL.is_file():
        print(f"face_det_lite.py: no test data at {DATA}; SLIPWAY_TEST_DATA names its place", file=sys.stderr)
        return 1
    everything = sorted((DATA / "images").glob("*/*.*"))
    tested = [path for path in everything if path.name not in CALIBRATION]
    made = options.models / "face_det_lite-w8a8"
    if not (made / "w8a8_cpu/model.yaml").exists():
        quantize_face_det_lite.main(["--model", str(MODEL), "--output", str(made), "--calibration",
                                     *[str(path) for path in everything if path.name in CALIBRATION], "--test", *map(str, tested)])
    if options.prepare:
        return 0
    rows = Rows(options.output, options.rows)
    # One session of all its peers: their difference is what is around it.
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = options.threads
    session = onnxruntime.InferenceSession(str(MODEL), settings, providers=["CPUExecutionProvider"])
    # As ours: its pre- and post-processing has one thread.
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as folder:
        images = {}
        for size, shape in SIZES.items():
            images[size] = pathlib.Path(folder) / f"{size}.png"
            Image.open(DATA / "images/faces/zidane.jpg").convert("RGB").resize(shape).save(images[size])
        for size, path in images.items():
            if rows.wants(f"face_det_lite.{size}", f"face_det_lite.pre.{size}", f"face_det_lite.share.{size}"):
                measure_size(options, rows, size, path, session, options.seconds / 4)
        if rows.wants("face_det_lite.w8a8"):
            measure_w8a8(options, rows, made / "w8a8_cpu", images["640x480"], tested, options.seconds / 4)
    return 0


if __name__ == "__main__":
    sys.exit(main())
