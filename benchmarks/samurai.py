"""SAM 2.1 tiny in a tracker at 1024: whole frames of `slipway samurai` beside the same tracker in PyTorch eager, same weights and threads.

A turn is a pass over the first frames of a video, from images on disk to masks, its seconds by the number of frames: memory grows to its
seven frames, as in use; loading is not timed. Ours on ONNX Runtime's CPU provider and by OpenVINO in float32 and bfloat16; PyTorch's own
bfloat16 is torch.autocast, as the publisher's demo. Weights are seeded: times are right, masks mean nothing. The rows of CUDA and TensorRT
take the image encoder in batches; where there is no GPU, `slipway bench` ends with 3 there, which the row says. Needs `tools/setup.sh torch
openvino` and the videos of SLIPWAY_TEST_DATA; this script restarts itself in PyTorch's environment.
"""

import copy
import itertools
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
# `python.exporters.samurai` is meant, never this file.
sys.path = [str(ROOT), *[each for each in sys.path if pathlib.Path(each).resolve() != ROOT / "benchmarks"]]
from benchmarks.bench_command import DATA, TORCH_PYTHON, make_parser, restart_with

restart_with(TORCH_PYTHON, "torch")
import numpy as np
import torch
from PIL import Image
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.bench_row import Contender, Rows, median_ms, by_turns
from benchmarks.catalogue import GPU_BATCHES
from python.exporters.samurai import checkpoint, export, peer
from python.reference.samurai import agreement, autocast, tracker

SEED, SIZE, IMAGE_SIZE = 1, "tiny", 1024
FRAMES, MOST_MEMORIES = 9, 7
MOST_PEAK_GB = 1.5
VIDEO, BOX = DATA / "video/sam2_01_dog.mp4", "300,140,250,330"
STAGES = (f"{FRAMES} pictures on disk", "a mask of each")
# By variant: name, folder of the graphs, switches of the exporter, of slipway, precision.
VARIANTS = {
    "cpu": ("slipway samurai, cpu", "float32", [], [], "float32"),
    "openvino": ("slipway samurai, OpenVINO", "openvino", ["--layout", "openvino"], ["--provider", "openvino"], "float32"),
    "bfloat16": ("slipway samurai, OpenVINO", "openvino", ["--layout", "openvino"], ["--provider", "openvino", "--precision", "bf16"], "bfloat16"),
}


def run_exporter(folder: pathlib.Path, threads: int, *switches: str) -> None:
    if not (folder / "model.yaml").exists():
        subprocess.run([sys.executable, "-m", "python.exporters.samurai", "--size", SIZE, "--seed", str(SEED), "--image-size", str(IMAGE_SIZE),
                        "--threads", str(threads), "--output", str(folder), *switches], cwd=ROOT, check=True, stderr=subprocess.DEVNULL)


def write_frames(folder: pathlib.Path) -> pathlib.Path:
    folder.mkdir(parents=True, exist_ok=True)
    for number, frame in enumerate(itertools.islice(tracker.frames_of(VIDEO), FRAMES)):
        Image.fromarray(np.ascontiguousarray(frame)).save(folder / f"{number:05}.png")
    return folder


def operations(model, component: str) -> float:
    """Of the products and convolutions in the graph, in units of 1e9; counted on shapes, nothing is computed."""
    module = copy.deepcopy(export.module_of(model, component, "portable")).to("meta").eval()
    arguments = [torch.zeros(shape, device="meta") for shape in export.shapes(model, component)]
    with FlopCounterMode(display=False) as counter, torch.no_grad(), torch.device("meta"):
        module(*arguments)
    return counter.get_total_flops() / 1e9


def gflop_of_frame(model) -> float:
    """Mean of the frames of a pass: the first has no memory, the others one more each."""
    parts = {name: operations(model, name) for name in ("image_encoder", "mask_decoder", "memory_encoder")}
    attention = {count: operations(model, f"memory_attention_{count}") for count in (1, MOST_MEMORIES)}
    step = (attention[MOST_MEMORIES] - attention[1]) / (MOST_MEMORIES - 1)  # keys grow by one frame's with each memory
    whole = sum(attention[1] + step * (min(number, MOST_MEMORIES) - 1) for number in range(1, FRAMES))
    return sum(parts.values()) + whole / FRAMES


def compile_for_openvino(options, models: pathlib.Path) -> None:
    """Into the cache, which outlives this run."""
    with tempfile.TemporaryDirectory(prefix="slipway-bench-") as name:
        frames = write_frames(pathlib.Path(name) / "frames")
        for key in ("openvino", "bfloat16"):
            run_tracker(options, frames, key, models, pathlib.Path(name) / "masks")


def run_tracker(options, frames: pathlib.Path, key: str, models: pathlib.Path, masks: pathlib.Path) -> dict:
    """The summary of `slipway samurai`."""
    _, layout, _, switches, _ = VARIANTS[key]
    # Compiling for OpenVINO takes longer than running; the cache keeps it.
    cached = ["--provider-option", f"cache_dir={models / 'samurai-compiled'}"] if "openvino" in switches else []
    done = subprocess.run([str(options.build / "slipway"), "samurai", str(frames), "--box", BOX, "--model", str(models / f"samurai-{layout}"),
                           "--masks", str(masks), "--threads", str(options.threads), "--json", "--overwrite", *switches, *cached],
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"slipway samurai, {key}: {done.stderr[-600:]}")
    return json.loads(done.stdout.splitlines()[-1])


def measure_frames(options, rows: Rows, models: pathlib.Path, model) -> None:
    with tempfile.TemporaryDirectory(prefix="slipway-bench-") as name:
        folder = pathlib.Path(name)
        frames = write_frames(folder / "frames")
        shape = np.asarray(Image.open(next(frames.iterdir()))).shape[:2]
        lowered = copy.deepcopy(model)  # its parts run under autocast from here on
        autocast.lower(lowered, [])
        masks: dict[str, list[np.ndarray]] = {}
        peaks: dict[str, list[float]] = {key: [] for key in VARIANTS}

        def ours(key: str):
            def run() -> float:
                summary = run_tracker(options, frames, key, models, folder / key)
                peaks[key].append(summary["peak_bytes"] / 1e9)
                masks[key] = [np.asarray(Image.open(path).convert("L")) > 127 for path in sorted((folder / key).rglob("*.png"))]
                return summary["seconds"] / FRAMES
            return run

        def pytorch(is_bfloat16: bool):
            def run() -> float:
                x, y, w, h = (float(value) for value in BOX.split(","))
                with torch.inference_mode():
                    follower = tracker.ReferenceTracker(lowered if is_bfloat16 else model)
                    begin = time.perf_counter()
                    logits = [follower.track(frame, [x, y, x + w, y + h] if number == 0 else None).numpy()
                              for number, frame in enumerate(tracker.frames_of(frames))]
                    took = (time.perf_counter() - begin) / FRAMES
                masks["PyTorch bfloat16" if is_bfloat16 else "PyTorch"] = agreement.masks(np.stack(logits), *shape)
                return took
            return run

        compile_for_openvino(options, models)
        turns = {"PyTorch": pytorch(False), **{key: ours(key) for key in VARIANTS}, "PyTorch bfloat16": pytorch(True)}
        not_run = [{"name": "torch.compile", "reason": "not measured: it compiles for minutes first"}]
        samples = by_turns(turns, options.seconds, min(options.rounds, 3), 4, warm_up=False)
    gflop = gflop_of_frame(model)
    fastest, other = sorted(("cpu", "openvino"), key=lambda key: statistics.median(samples[key]))

    def contender(key: str) -> Contender:
        return Contender(VARIANTS[key][0], "best", options.threads, VARIANTS[key][4], samples[key])

    def overlap(one: str, two: str) -> float:
        return float(np.mean(agreement.overlaps(masks[one], masks[two])))

    eager = Contender("PyTorch, eager", "default and best", options.threads, samples=samples["PyTorch"])
    in_bfloat16 = Contender("PyTorch, torch.autocast", "default and best", options.threads, "bfloat16", samples["PyTorch bfloat16"])
    what = f"SAM 2.1 tiny (seeded) at {IMAGE_SIZE}, a whole frame in the tracker, mean of {FRAMES} from the first"
    rows.write("samurai.frame.float32", f"{what}, float32", STAGES, "s", contender(fastest), [eager], goal={"of": "ratio", "least": 1.5},
               gflop=gflop, not_run=not_run, facts={f"{VARIANTS[other][0]}, s": statistics.median(samples[other])})
    rows.write("samurai.frame.bfloat16", f"{what}, bfloat16", STAGES, "s", contender("bfloat16"), [eager, in_bfloat16],
               goal={"of": "ratio", "least": 1.5}, gflop=gflop, not_run=not_run,
               facts={"mask IoU, ours to our float32": overlap("cpu", "bfloat16"), "PyTorch's to its float32": overlap("PyTorch", "PyTorch bfloat16")})
    count = len(samples["cpu"])
    rows.write("samurai.memory", f"SAM 2.1 tiny at {IMAGE_SIZE}, peak memory of the tracker, cpu", STAGES, "GB",
               Contender("slipway samurai, cpu", "best", options.threads, samples=peaks["cpu"][-count:]), goal={"of": "value", "most": MOST_PEAK_GB},
               facts={"OpenVINO GB": max(peaks["openvino"]), "bfloat16 GB": max(peaks["bfloat16"])})


def measure_gpu(options, rows: Rows, provider: str, count: int, models: pathlib.Path, model) -> None:
    """Seconds an image of the image encoder in a batch."""
    row_id, what = f"samurai.{provider}.batch{count}", f"SAM 2.1 tiny at {IMAGE_SIZE}, image encoder, {provider}, batch {count}"
    with tempfile.TemporaryDirectory(prefix="slipway-bench-") as folder:
        images = torch.cat([peer.sample_image(IMAGE_SIZE, 100 + number) for number in range(count)])
        inputs = pathlib.Path(folder) / "inputs.npz"
        np.savez(inputs, image=images.numpy())

        def ours() -> float:
            done = subprocess.run([str(options.build / "slipway"), "bench", str(models / "samurai-free/image_encoder.onnx"), "--inputs", str(inputs),
                                   "--provider", provider, "--warmup", "3", "--iterations", "10", "--all-iterations", "--json"],
                                  capture_output=True, text=True, check=False)
            if done.returncode != 0:
                raise ProviderMissing(done.returncode, done.stderr.strip())
            return json.loads(done.stdout.splitlines()[-1])["statistics"]["median_us"] / 1e3 / count

        try:
            ours()
        except ProviderMissing as missing:
            if missing.status == 3:
                return rows.not_here(row_id, what, f"`slipway bench --provider {provider}` ended with status 3: {missing}")
            raise
        if not torch.cuda.is_available():
            raise RuntimeError(f"{provider} runs here and PyTorch sees no GPU")
        source = peer.Peer(copy.deepcopy(model).to("cuda"))
        on_gpu = images.to("cuda")

        def pytorch() -> float:
            def run() -> None:
                source.image_encoder(on_gpu)
                torch.cuda.synchronize()
            with torch.inference_mode():
                return median_ms(run, 10) / count

        samples = by_turns({"ours": ours, "PyTorch": pytorch}, options.seconds / 12, options.rounds)
    rows.write(row_id, what, ("pictures as tensors in the machine's memory", "features"), "ms",
               Contender(f"slipway bench, {provider}", "best", None, samples=samples["ours"]),
               [Contender(f"PyTorch CUDA, {torch.cuda.get_device_name()}", "default and best", None, samples=samples["PyTorch"])],
               goal={"of": "ratio", "least": 1.0})


class ProviderMissing(Exception):
    def __init__(self, status: int, said: str):
        super().__init__(said.splitlines()[-1][:300] if said else "")
        self.status = status


def main() -> int:
    options = make_parser(__doc__).parse_args()
    if not VIDEO.is_file():
        print(f"samurai.py: no video at {VIDEO}; SLIPWAY_TEST_DATA names its place", file=sys.stderr)
        return 1
    torch.set_num_threads(options.threads)
    models = options.models.resolve()
    for _, layout, switches, _, _ in VARIANTS.values():
        run_exporter(models / f"samurai-{layout}", options.threads, "--components", "all", *switches)
    run_exporter(models / "samurai-free", options.threads, "--components", "image_encoder", "--dynamic-batch")
    model = checkpoint.seeded(checkpoint.configuration(SIZE, IMAGE_SIZE), SEED)
    if options.prepare:
        compile_for_openvino(options, models)
        return 0
    rows = Rows(options.output, options.rows)
    if rows.wants("samurai.frame.float32", "samurai.frame.bfloat16", "samurai.memory"):
        measure_frames(options, rows, models, model)
    for provider in ("cuda", "tensorrt"):
        for count in GPU_BATCHES:
            if rows.wants(f"samurai.{provider}.batch{count}"):
                measure_gpu(options, rows, provider, count, models, model)
    return 0


sys.exit(main())
