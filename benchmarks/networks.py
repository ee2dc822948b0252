"""Networks alone, from input tensors in memory to output tensors: `slipway bench` beside OpenVINO's benchmark_app, ncnn, LiteRT and
ONNX Runtime's Python package, in float32, bfloat16 and int8.

Ours runs with `--provider auto`, which measures the providers of this machine before the first turn. Every peer that computes something else (its
outputs are off by more than the tolerance beside ONNX Runtime's float32) is named in the row and not timed. Needs `tools/setup.sh
assets openvino peers` and the networks of SLIPWAY_TEST_DATA. A turn is the median of runs that take about a third of a second.
"""

from __future__ import annotations

import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

import numpy as np  # noqa: E402
import onnxruntime  # noqa: E402
from bench_command import DATA, PEERS_PYTHON, make_parser, output_of  # noqa: E402
from bench_row import Contender, Rows, by_turns  # noqa: E402
from catalogue import INT8_NETWORKS, NETWORKS  # noqa: E402
from operations import gflop_of  # noqa: E402

from python.exporters import mediapipe_face, mediapipe_hand, mediapipe_pose  # noqa: E402
from python.tools import quantize_face_det_lite, quantize_yolov8  # noqa: E402

ASSETS = ROOT / ".deps/assets"
TOLERANCES = {"float32": 1e-3, "bfloat16": 0.1, "int8": 1.0}  # relative RMS of an output
TURN_MS = 300
CALIBRATION = {"sam2_truck.jpg", "dlib_horses.jpg", "dlib_voc_2007_007763.jpg", "dlib_voc_2008_001322.jpg", "fr_obama-720p.jpg",
               "sahi_terrain2.png"}
STAGES = ("input tensors in memory", "output tensors")
# The networks' own names for what pnnx and LiteRT read.
TFLITE = {"face_landmark": "face_landmark", "hand_landmark": "hand_landmark_full", "pose_landmark": "pose_landmark_full"}


def graph_in(folder: pathlib.Path, word: str) -> pathlib.Path:
    return next(path for path in sorted(folder.glob("*.onnx")) if word in path.name)


def make_models(models: pathlib.Path) -> dict[str, pathlib.Path]:
    """The float networks; int8 ones lie beside as NAME-int8/model.onnx for ours and NAME-qdq.onnx for everyone."""
    exports = {"face_landmark": (mediapipe_face, ("face_detection_short_range", "face_landmark")),
               "hand_landmark": (mediapipe_hand, ("palm_detection_full", "hand_landmark_full")),
               "pose_landmark": (mediapipe_pose, ("pose_detection", "pose_landmark_full"))}
    found = {"yolov8n": DATA / "models/detect/yolov8n_fp32_dequantised.onnx", "face_det_lite": DATA / "models/face/face_det_lite.onnx",
             "espnetv2": DATA / "models/segment/espnetv2_s2_cityscapes_512x1024.onnx"}
    for name, (exporter, files) in exports.items():
        folder = models / "networks" / name
        if not (folder / "model.yaml").exists() and exporter.main(["--checkpoint", *(str(ASSETS / f"{file}.tflite") for file in files),
                                                                   "--output", str(folder)]) != 0:
            raise RuntimeError(f"{name} could not be exported")
        found[name] = graph_in(folder, "landmark")
    everything = sorted((DATA / "images").glob("*/*.*"))
    calibration = [str(path) for path in everything if path.name in CALIBRATION]
    tested = [str(path) for path in everything if path.name not in CALIBRATION]
    for name, tool in (("yolov8n", quantize_yolov8), ("face_det_lite", quantize_face_det_lite)):
        folder = models / f"{name}-int8"
        if not (folder / "w8a8_cpu/model.yaml").exists():
            tool.main(["--model", str(found[name]), "--output", str(folder), "--calibration", *calibration, "--test", *tested])
    for name in NETWORKS:
        convert_for_ncnn(found[name], models / "ncnn" / name)
    return found


def convert_for_ncnn(model: pathlib.Path, folder: pathlib.Path) -> None:
    """By pnnx, whose own log lies beside; nothing when it cannot."""
    program = next(PEERS_PYTHON.parent.parent.glob("lib/python*/site-packages/pnnx/pnnx"), None)
    if program is None or (folder / "log.txt").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(model, folder / "network.onnx")
    with (folder / "log.txt").open("w") as log:
        subprocess.run([program.resolve(), "network.onnx", "fp16=0"], cwd=folder, stdout=log, stderr=subprocess.STDOUT, check=False)


class Served:
    """A peer's process; its outputs are compared before it is timed."""

    def __init__(self, python: pathlib.Path, library: str, model: str, threads: int, precision: str, inputs: pathlib.Path):
        outputs = inputs.with_name(f"{library}-{threads}-{precision}.npz")
        self.process = subprocess.Popen([str(python), str(ROOT / "benchmarks/network_peer.py"), library, model, str(threads), precision,
                                         str(inputs), str(outputs)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        text=True)
        line = self.process.stdout.readline()
        while line and line.strip() != "ready":
            line = self.process.stdout.readline()
        if not line:
            said = self.process.stderr.read().strip().splitlines()
            raise RuntimeError(said[-1][:200] if said else f"ended with {self.process.wait()}")
        with np.load(outputs) as held:
            self.outputs = list(held.values())

    def milliseconds(self, runs: int) -> float:
        self.process.stdin.write(f"{runs}\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait()


def relative_rms(wanted: list[np.ndarray], found: list[np.ndarray]) -> float:
    """The largest of the outputs'; each is held against the output of as many values that is nearest."""
    worst = 0.0
    for want in wanted:
        flat = want.astype(np.float64).ravel()
        like = [each.astype(np.float64) for each in found if each.size == want.size]
        if not like:
            return float("inf")
        turned = [each.transpose(0, 3, 1, 2).ravel() if each.ndim == 4 and each.shape != want.shape else each.ravel() for each in like]
        scale = max(np.sqrt((flat**2).mean()), 1e-12)
        nearest = min(float(np.sqrt(((each - flat) ** 2).mean()) / scale) for each in turned)
        worst = max(worst, nearest if np.isfinite(nearest) else float("inf"))
    return worst


def benchmark_app(model: pathlib.Path, cache: pathlib.Path, switches: list[str], seconds: float) -> float:
    """Median milliseconds of a run, one at a time as everyone's here: its throughput mode has several in flight."""
    text = output_of([PEERS_PYTHON, PEERS_PYTHON.parent / "benchmark_app", "-m", model, "-d", "CPU", "-t", max(1, round(seconds)), "-cdir", cache,
                      *switches])
    median = re.search(r"Median:\s+([\d.]+) ms", text)
    if not median:
        raise RuntimeError(f"benchmark_app said no median: {text[-300:]}")
    return float(median[1])


class Network:
    """One network's contenders."""

    def __init__(self, options, name: str, model: pathlib.Path, models: pathlib.Path, folder: pathlib.Path):
        self.options, self.name, self.model, self.models, self.folder = options, name, model, models, folder
        session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
        rng = np.random.default_rng(1)
        self.inputs = folder / "inputs.npz"
        feed = {each.name: rng.uniform(0, 1, [d if isinstance(d, int) else 1 for d in each.shape]).astype(np.float32) for each in session.get_inputs()}
        np.savez(self.inputs, **feed)
        self.wanted = session.run(None, feed)
        self.served: list[Served] = []

    def ours(self, model: pathlib.Path, switches: list, inputs: bool = True):
        """A turn: a process that loads and runs; the loading is not timed."""
        def run() -> float:
            line = output_of([self.options.build / "slipway", "bench", model, *(["--inputs", self.inputs] if inputs else []), "--threads",
                              self.options.threads, "--warmup", 3, "--iterations", self.runs, "--all-iterations", "--json", *switches])
            return json.loads(line.splitlines()[-1])["statistics"]["median_us"] / 1e3
        return run

    def serve(self, library: str, model: str, threads: int, precision: str, tolerance: float):
        server = Served(PEERS_PYTHON, library, model, threads, precision, self.inputs)
        self.served.append(server)
        off = relative_rms(self.wanted, server.outputs)
        if off > tolerance:
            raise RuntimeError(f"computes something else: an output is off by {off:.1e} (relative RMS), at most {tolerance:g} is taken")
        return lambda: server.milliseconds(self.runs)

    def openvino(self, model: pathlib.Path, switches: list[str]):
        cache = self.folder / "compiled"
        return lambda: benchmark_app(model, cache, switches, 1)

    def close(self) -> None:
        for each in self.served:
            each.close()


def candidates(network: Network, precision: str) -> list[tuple[Contender, object]]:
    """The peers in a precision; each as (contender, function that makes its turn)."""
    threads, cores = network.options.threads, os.cpu_count()
    settled = "default and best" if threads == cores else "best"
    tolerance = TOLERANCES[precision]
    qdq = network.models / f"{network.name}-int8/qdq.onnx"
    listed: list[tuple[Contender, object]] = []

    def add(name: str, setting: str, count: int, kind: str, make) -> None:
        listed.append((Contender(name, setting, count, kind), make))

    if precision in ("float32", "int8"):
        model = qdq if precision == "int8" else network.model
        add("ONNX Runtime, Python", settled, threads, precision,
            lambda: network.serve("onnxruntime", str(model), threads, "default", tolerance))
        if threads != cores:
            add("ONNX Runtime, Python", "default", cores, precision, lambda: network.serve("onnxruntime", str(model), 0, "default", tolerance))
    hints = {"float32": ["-infer_precision", "f32"], "bfloat16": ["-infer_precision", "bf16"], "int8": ["-infer_precision", "f32"]}[precision]
    source = qdq if precision == "int8" else network.model
    add("OpenVINO benchmark_app", "best", threads, precision,
        lambda: network.openvino(source, ["-api", "sync", "-hint", "none", "-nstreams", "1", "-nthreads", str(threads), *hints]))
    add("OpenVINO benchmark_app", "default", cores, "bfloat16" if precision != "int8" else precision, lambda: network.openvino(source, ["-api", "sync"]))
    stem = network.models / "ncnn" / network.name / "network"
    if precision != "int8":
        add("ncnn", settled if precision == "float32" else "best", threads, precision,
            lambda: network.serve("ncnn", str(stem), threads, precision if precision == "bfloat16" else "default", tolerance))
        if precision == "bfloat16" or threads != cores:
            add("ncnn", "default", cores, "float32", lambda: network.serve("ncnn", str(stem), 0, "default", tolerance))
    if precision == "float32" and (file := tflite_of(network.name)):
        add("LiteRT, XNNPACK", "best", threads, precision, lambda: network.serve("litert", str(file), threads, "default", tolerance))
        add("LiteRT, XNNPACK", "default", 1, precision, lambda: network.serve("litert", str(file), 0, "default", tolerance))
    return listed


def tflite_of(name: str) -> pathlib.Path | None:
    file = DATA / "models/face/face_det_lite.tflite" if name == "face_det_lite" else ASSETS / f"{TFLITE.get(name)}.tflite"
    return file if file.exists() else None


def other_names(precision: str, name: str) -> list[dict]:
    """Who is not asked at all, and why."""
    reasons = []
    if precision != "float32" or not tflite_of(name):
        reasons.append({"name": "LiteRT, XNNPACK", "reason": "no .tflite file of it is here" if precision == "float32" else
                        f"has no {precision} path for a float file on x86"})
    if precision == "int8":
        reasons.append({"name": "ncnn", "reason": "reads no QDQ file: its own int8 comes from its own quantiser"})
    return reasons


def measure(network: Network, precision: str, rows: Rows, seconds: float) -> None:
    options = network.options
    if precision == "int8":
        model, switches, named = network.models / f"{network.name}-int8/w8a8_cpu", ["--provider", "cpu"], "slipway bench, w8a8 for CPUs"
    else:
        model, named = network.model, "slipway bench --provider auto"
        switches = ["--provider", "auto"] + (["--precision", "bf16"] if precision == "bfloat16" else [])
    network.runs = 3
    ours = network.ours(model, switches, inputs=precision != "int8")
    network.runs = max(3, min(50, round(TURN_MS / ours())))
    turns, contenders, reasons = {"ours": ours}, {}, other_names(precision, network.name)
    for number, (contender, make) in enumerate(candidates(network, precision)):
        try:
            turn = make()
            turn()
        except (RuntimeError, ValueError) as error:
            reasons.append({"name": f"{contender.name}, {contender.setting}, {contender.precision}", "reason": str(error)})
            continue
        turns[str(number)], contenders[str(number)] = turn, contender
    # A peer that has lost one of its settings cannot be told from one that was set badly.
    for name in {each.name for each in contenders.values()}:
        settings = " ".join(each.setting for each in contenders.values() if each.name == name)
        if "best" not in settings or "default" not in settings:
            for key in [key for key, each in contenders.items() if each.name == name]:
                del turns[key], contenders[key]
            reasons.append({"name": name, "reason": "left out: one of its two settings could not be run"})
    samples = by_turns(turns, seconds, options.rounds)
    for key, contender in contenders.items():
        contender.samples = samples[key]
    chosen = chosen_provider(options, model, switches)
    rows.write(f"net.{network.name}.{precision}", f"{network.name}, {precision}", STAGES, "ms",
               Contender(named, "best", options.threads, precision, samples["ours"]), list(contenders.values()),
               goal={"of": "ratio", "least": 1.0}, gflop=gflop_of(network.model) if precision != "int8" else None, not_run=reasons,
               facts=chosen)


def chosen_provider(options, model: pathlib.Path, switches: list) -> dict:
    line = output_of([options.build / "slipway", "bench", model, "--threads", options.threads, "--warmup", 1, "--iterations", 1, "--all-iterations",
                      "--json", *switches])
    return {"ours ran by": json.loads(line.splitlines()[-1])["provider"]}


def main() -> int:
    options = make_parser(__doc__).parse_args()
    if not PEERS_PYTHON.exists():
        print("networks.py: the peers are not here: run tools/setup.sh assets openvino peers", file=sys.stderr)
        return 1
    models = options.models.resolve()
    found = make_models(models)
    if options.prepare:
        return 0
    rows = Rows(options.output, options.rows)
    wanted = [(name, precision) for name in NETWORKS for precision in ("float32", "bfloat16", "int8")
              if (precision != "int8" or name in INT8_NETWORKS) and rows.wants(f"net.{name}.{precision}")]
    failed = 0
    for name, precision in wanted:
        with tempfile.TemporaryDirectory(prefix="slipway-bench-") as folder:
            network = Network(options, name, found[name], models, pathlib.Path(folder))
            try:
                measure(network, precision, rows, options.seconds / len(wanted))
            except (RuntimeError, statistics.StatisticsError) as error:
                print(f"net.{name}.{precision}: {error}", file=sys.stderr)
                failed += 1
            finally:
                network.close()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
