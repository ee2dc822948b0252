"""SAM 2.1 video by component: `slipway bench` on the exported graphs beside PyTorch eager, same weights, threads and inputs.

One run, interleaved rounds, seeded weights, the memory full. float32 is ONNX Runtime's CPU provider, OV the OpenVINO
provider (left out without `tools/setup.sh openvino`). PyTorch's own bf16 (torch.autocast, as the publisher's demo) is timed too, and
its masks say what part of a difference is the type's and the weights'. Needs the environment that `tools/setup.sh torch` makes
(.deps/venv-torch, or SLIPWAY_TORCH_PYTHON); this script restarts itself in it. Beside the times: the error against PyTorch by
component, the share of the machine's measured peak, and with a video the masks of both precisions and the peak memory.
"""

import copy
import itertools
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
# `python.exporters.samurai` is meant, never this file.
sys.path = [each for each in sys.path if pathlib.Path(each).resolve() != ROOT / "benchmarks"]

try:
    import torch
    import transformers  # noqa: F401
except ImportError:
    interpreter = pathlib.Path(os.environ.get("SLIPWAY_TORCH_PYTHON", ROOT / ".deps/venv-torch/bin/python"))
    if not interpreter.exists() or os.environ.get("SLIPWAY_BENCH_RESTARTED"):
        sys.exit("samurai.py: PyTorch with transformers is not here: run tools/setup.sh torch")
    os.environ["SLIPWAY_BENCH_RESTARTED"] = "1"
    os.execv(interpreter, [str(interpreter), *sys.argv])

import numpy as np
import onnx
from PIL import Image
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.bench_command import make_parser, write_figures
from python.exporters.samurai import checkpoint, export, peer
from python.exporters.samurai import graphs as graphs_module
from python.reference.samurai import agreement, autocast, tracker

SEED = 1
FULL_FRAME = ("image_encoder", "memory_attention_7", "mask_decoder", "memory_encoder")
GOALS = {"float32": 1.5, "float32 OV": 1.5, "int8": 2.5, "bf16 OV": 2.5}
GOAL_IOU, GOAL_PEAK_BYTES = 0.99, 1.5e9
DATA = pathlib.Path(os.environ.get("SLIPWAY_TEST_DATA", ROOT.parent / "shared/data"))
VIDEO, BOX = DATA / "video/sam2_01_dog.mp4", "300,140,250,330"
# bf16 by OpenVINO with parts in float32, by the same provider: which ones.
MIXED = {"bf16 OV, encoder float32": ("image_encoder",),
         "bf16 OV, attention only": ("image_encoder", "mask_decoder", "memory_encoder")}
# By variant: folder of the graphs, switches of the exporter, of slipway.
VARIANTS = {
    "float32": ("float32", [], []),
    "int8": ("int8", ["--quantize-dynamic"], []),
    "float32 OV": ("openvino", ["--layout", "openvino"], ["--provider", "openvino"]),
    "bf16 OV": ("openvino", ["--layout", "openvino"], ["--provider", "openvino", "--precision", "bf16"]),
}


def pytorch_calls(source: peer.Peer, feeds: dict) -> dict:
    """What PyTorch runs for each component, on the inputs of the graphs."""
    def tensors(name):
        return {key: torch.from_numpy(value) for key, value in feeds[name].items()}

    def attention(name):
        f = tensors(name)
        return lambda: source.memory_attention(f["image_embeddings"], f["memories"], f["object_pointers"], f["pointer_distances"].tolist())

    image, decoder, memory = tensors("image_encoder"), tensors("mask_decoder"), tensors("memory_encoder")
    points, labels = torch.zeros(1, 1, 2), torch.full((1, 1), -1.0)
    calls = {
        "image_encoder": lambda: source.image_encoder(image["image"]),
        "mask_decoder": lambda: source.decode(decoder["embeddings"], (decoder["high_res_features1"], decoder["high_res_features2"]),
                                              points, labels),
        "memory_encoder": lambda: source.memory_encoder(memory["image_embeddings"], memory["mask"], memory["object_score"], False),
    }
    return calls | {name: attention(name) for name in feeds if name.startswith("memory_attention")}


def timed(call) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


class Graphs:
    """The exported model folders, and slipway over them."""

    def __init__(self, options, folder: pathlib.Path):
        self.options, self.folder, self.slipway = options, folder, options.build / "slipway"
        folder.mkdir(parents=True, exist_ok=True)

    def _switches(self, variant: str) -> list[str]:
        # Compiling for OpenVINO takes longer than running; the second process takes the first one's work.
        cached = ["--provider-option", f"cache_dir={self.folder / 'compiled'}"] if "OV" in variant else []
        return [*VARIANTS[variant][2], *cached, "--threads", str(self.options.threads)]

    def model(self, variant: str) -> pathlib.Path:
        return self.folder / VARIANTS[variant][0]

    def export(self, variant: str, components: list[str]) -> None:
        if (self.model(variant) / "model.yaml").exists():
            return
        subprocess.run([sys.executable, "-m", "python.exporters.samurai", "--size", self.options.size, "--seed", str(SEED), "--image-size",
                        str(self.options.image_size), "--components", ",".join(components), "--threads", str(self.options.threads),
                        "--output", str(self.model(variant)), *VARIANTS[variant][1]], cwd=ROOT, check=True, stderr=subprocess.DEVNULL)

    def infer(self, variant: str, component: str, feed: dict) -> dict:
        inputs, outputs = self.folder / f"{component}.npz", self.folder / "outputs.npz"
        np.savez(inputs, **feed)
        self._run("infer", variant, "--model", str(self.model(variant)), "--graph", component, "--inputs", str(inputs), "--output", str(outputs))
        with np.load(outputs) as held:
            return dict(held)

    def seconds(self, variant: str, component: str) -> list[float]:
        """Two runs after one that warms up, in a process of their own; the inputs are those of infer()."""
        return self.bench("--model", str(self.model(variant)), "--graph", component, "--inputs", str(self.folder / f"{component}.npz"),
                          variant=variant, runs=2)

    def bench(self, *arguments: str, variant: str, runs: int) -> list[float]:
        lines = self._run("bench", variant, *arguments, "--warmup", "1", "--iterations", str(runs), "--all-iterations", "--json")
        return [each / 1e6 for each in json.loads(lines.splitlines()[-1])["times_us"]]

    def frames(self, count: int) -> pathlib.Path:
        """Pictures, so that PyTorch sees the same pixels."""
        folder = self.folder / "frames"
        folder.mkdir(exist_ok=True)
        for number, frame in enumerate(itertools.islice(tracker.frames_of(VIDEO), count)):
            Image.fromarray(np.ascontiguousarray(frame)).save(folder / f"{number:05}.png")
        return folder

    def track(self, variant: str, frames: pathlib.Path, in_float32: tuple[str, ...] = ()) -> tuple[list[np.ndarray], dict] | None:
        """Masks of the frames, and the summary; None when it could not be run, which is printed."""
        masks = self.folder / f"masks-{variant.replace(' ', '-')}-{len(in_float32)}"
        kept = [word for name in in_float32 for word in ("--float32", name)]
        done = subprocess.run([str(self.slipway), "samurai", str(frames), "--box", BOX, "--model", str(self.model(variant)),
                               "--masks", str(masks), "--json", *self._switches(variant), *kept], capture_output=True, text=True)
        if done.returncode != 0:
            print(f"  not watched, {variant}: {done.stderr[-1000:].strip()}")
            return None
        images = [np.asarray(Image.open(path).convert("L")) > 127 for path in sorted(masks.rglob("*.png"))]
        return images, json.loads(done.stdout.splitlines()[-1])

    def _run(self, verb: str, variant: str, *arguments: str) -> str:
        done = subprocess.run([str(self.slipway), verb, *arguments, *self._switches(variant)], capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"samurai.py: slipway {verb} {' '.join(arguments)}, {variant}: {done.stderr[-1000:]}")
        return done.stdout


def relative_rms(expected: dict, got: dict) -> float:
    """The largest of the outputs'."""
    return max(float(np.sqrt(((got[key] - value) ** 2).mean() / max(1e-12, (value**2).mean()))) for key, value in expected.items())


def operations(model, component: str) -> float:
    """Of the products and convolutions in the graph, in units of 1e9; counted on shapes, nothing is computed."""
    module = copy.deepcopy(export.module_of(model, component, "portable")).to("meta").eval()
    arguments = [torch.zeros(shape, device="meta") for shape in export.shapes(model, component)]
    with FlopCounterMode(display=False) as counter, torch.no_grad(), torch.device("meta"):
        module(*arguments)
    return counter.get_total_flops() / 1e9


def peak_gflops(graphs: Graphs, variants: list[str], side: int = 3072) -> dict:
    """By type, the fastest library's: torch.mm, and one product in each provider."""
    def of_torch(dtype):
        a = torch.randn(side, side).to(dtype)
        torch.mm(a, a)
        return 2 * side**3 / min(timed(lambda: torch.mm(a, a)) for _ in range(5)) / 1e9

    file = graphs.folder / "product.onnx"
    weight = onnx.numpy_helper.from_array(np.random.default_rng(1).standard_normal((side, side)).astype(np.float32), "w")
    a, b = (onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [side, side]) for name in "ab")
    node = onnx.helper.make_node("MatMul", ["a", "w"], ["b"])
    onnx.save(onnx.helper.make_model(onnx.helper.make_graph([node], "product", [a], [b], [weight]),
                                     opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=9), file)
    peaks = {"float32": of_torch(torch.float32), "bf16": of_torch(torch.bfloat16)}
    for variant in [each for each in variants if each != "int8"]:
        kind = variant.split()[0]
        peaks[kind] = max(peaks[kind], 2 * side**3 / min(graphs.bench("--model", str(file), variant=variant, runs=8)) / 1e9)
    return peaks


def main() -> int:
    parser = make_parser(__doc__)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--size", choices=tuple(checkpoint.SIZES), default="tiny")
    parser.add_argument("--image-size", type=int, choices=(1024, 512), default=1024)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--memories", default="7", help="counts of memories to take")
    parser.add_argument("--int8", action="store_true", help="also the dynamically quantised graphs")
    parser.add_argument("--batches", default="1,4,8", help="batches of the image encoder: seconds a picture; empty: none")
    parser.add_argument("--frames", type=int, default=10, help="of the video, both precisions; 0: no video")
    parser.add_argument("--models", type=pathlib.Path, metavar="DIR", help="keep exported graphs there and take those that are there")
    parser.add_argument("--prepare", action="store_true", help="only export to --models and compare with PyTorch, time nothing")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    components = ["image_encoder", "mask_decoder", "memory_encoder"]
    components += [f"memory_attention_{count}" for count in options.memories.split(",")]
    with tempfile.TemporaryDirectory(prefix="slipway-bench-") as name:
        graphs = Graphs(options, options.models or pathlib.Path(name))
        variants = ["float32", *(["int8"] if options.int8 else [])]
        if (ROOT / ".deps/openvino/lib").exists() or os.environ.get("SLIPWAY_OPENVINO"):
            variants += ["float32 OV", "bf16 OV"]
        else:
            print("OpenVINO is left out: run tools/setup.sh openvino")
        has_video = options.frames > 0 and VIDEO.is_file()
        for variant in variants:
            graphs.export(variant, ["all"] if has_video else components)
        model = checkpoint.seeded(checkpoint.configuration(options.size, options.image_size), SEED)
        source = peer.Peer(model)
        samples = peer.samples(source)
        # The decoder's last case is a tracked frame, the others' first has everything valid.
        cases = {each: list(samples(each))[-1 if each == "mask_decoder" else 0] for each in components}
        feeds = {each: feed for each, (feed, _) in cases.items()}
        result = {"threads": options.threads, "image_size": options.image_size, "size": options.size, "rounds": options.rounds,
                  "load_average": os.getloadavg(), "components": {}}
        for each in components:
            result["components"][each] = {"gflop": operations(model, each)}
            result["components"][each]["relative_rms"] = {
                variant: relative_rms(cases[each][1], graphs.infer(variant, each, feeds[each])) for variant in variants}
        if not options.prepare:
            time_components(options, result, graphs, variants, pytorch_calls(source, feeds))
            result["peak_gflops"] = peak_gflops(graphs, variants)
            if options.batches:
                result["encoder_batches"] = batches(options, graphs, source)
        if has_video:
            watch(options, result, graphs, variants, model)
    report(result, variants)
    write_figures(options, result)
    return 0


def time_components(options, result: dict, graphs: Graphs, variants: list[str], calls: dict) -> None:
    for each, row in result["components"].items():
        calls[each]()
        times = {"pytorch": [], "pytorch bf16": [], **{variant: [] for variant in variants}}
        for _ in range(options.rounds):
            times["pytorch"] += [timed(calls[each]), timed(calls[each])]
            with torch.autocast("cpu", torch.bfloat16):
                calls[each]()
                times["pytorch bf16"] += [timed(calls[each]), timed(calls[each])]
            for variant in variants:
                times[variant] += graphs.seconds(variant, each)
        row |= {key: statistics.median(value) for key, value in times.items()} | {"all": times}


def batches(options, graphs: Graphs, source: peer.Peer) -> dict:
    """Seconds a picture by batch, the faster of two runs each: PyTorch, and the float32 graph with a free batch."""
    folder = graphs.folder / "free"
    if not (folder / "model.yaml").exists():
        subprocess.run([sys.executable, "-m", "python.exporters.samurai", "--size", options.size, "--seed", str(SEED), "--image-size",
                        str(options.image_size), "--components", "image_encoder", "--dynamic-batch", "--output", str(folder)],
                       cwd=ROOT, check=True, stderr=subprocess.DEVNULL)
    session = export.session(folder / "image_encoder.onnx", options.threads)
    result = {}
    for count in (int(value) for value in options.batches.split(",")):
        images = torch.cat([peer.sample_image(options.image_size, 100 + k) for k in range(count)])
        mean, deviation = (torch.tensor(v).view(1, 3, 1, 1) for v in (graphs_module.MEAN, graphs_module.DEVIATION))
        if not result:
            session.run(None, {"image": images.numpy()})
        times = [(timed(lambda p=images: eager(source, (p - mean) / deviation)),
                  timed(lambda p=images: session.run(None, {"image": p.numpy()}))) for _ in range(2 if count < 8 else 1)]
        result[count] = dict(zip(("pytorch", "float32"), (min(column) / count for column in zip(*times))))
    return result


@torch.no_grad()
def eager(source: peer.Peer, images):
    return source.model.get_image_features(images, return_dict=True)


def watch(options, result: dict, graphs: Graphs, variants: list[str], model) -> None:
    frames = graphs.frames(options.frames)
    held = {variant: graphs.track(variant, frames) for variant in variants}
    if "bf16 OV" in variants:
        held |= {name: graphs.track("bf16 OV", frames, parts) for name, parts in MIXED.items()}
    held = {variant: each for variant, each in held.items() if each}
    if "float32" not in held:
        return
    reference = held["float32"][0]
    result["video"] = {"frames": options.frames} | {
        variant: {"peak_bytes": summary["peak_bytes"], "seconds": summary["seconds"], "mask_iou": agreement.overlaps(reference, masks),
                  "share_of_frame": float(np.mean([m.mean() for m in masks]))}
        for variant, (masks, summary) in held.items()}
    autocast.lower(model, [])  # nothing after this is float32
    follower = tracker.ReferenceTracker(model)
    x, y, w, h = (float(value) for value in BOX.split(","))
    logits = [follower.track(frame, [x, y, x + w, y + h] if number == 0 else None).numpy()
              for number, frame in enumerate(tracker.frames_of(frames))]
    result["video"]["PyTorch bf16"] = {"mask_iou": agreement.overlaps(reference, agreement.masks(np.stack(logits), *reference[0].shape))}


def report(result: dict, variants: list[str]) -> None:
    rows, is_timed = result["components"], "peak_gflops" in result
    print(f"SAM 2.1 {result['size']}, {result['image_size']} input, {result['threads']} threads, {result['rounds']} interleaved rounds, "
          f"medians in seconds; load average at the start {result['load_average'][0]:.1f}")
    if is_timed:
        peaks = result["peak_gflops"]
        print(f"  {'component':24s}{'PyTorch':>9s}{'its bf16':>10s}" + "".join(f"{each:>12s}{'ratio':>8s}" for each in variants))
        for name in rows:
            row = rows[name]
            print(f"  {name:24s}{row['pytorch']:9.3f}{row['pytorch bf16']:10.3f}"
                  + "".join(f"{row[each]:12.3f}{row['pytorch'] / row[each]:7.2f}x" for each in variants))
        if all(each in rows for each in FULL_FRAME):
            frame = {key: sum(rows[each][key] for each in FULL_FRAME) for key in ("pytorch", "pytorch bf16", *variants)}
            result["frame"] = frame
            print(f"  {'a frame at full memory':24s}{frame['pytorch']:9.3f}{frame['pytorch bf16']:10.3f}"
                  + "".join(f"{frame[each]:12.3f}{frame['pytorch'] / frame[each]:7.2f}x" for each in variants))
        print(f"  a 3072 x 3072 product, fastest of PyTorch, ONNX Runtime and OpenVINO: {peaks['float32']:.0f} GFLOP/s in float32, "
              f"{peaks['bf16']:.0f} in bf16")
    for name, row in rows.items():
        line = f"  {name:24s}{row['gflop']:7.1f} GFLOP"
        for each in variants:
            line += f"; {each}: "
            if is_timed and each != "int8":
                line += f"{row['gflop'] / row[each]:.0f} GFLOP/s, {row['gflop'] / row[each] / peaks[each.split()[0]]:.0%} of the peak, "
            line += f"relative RMS to PyTorch {row['relative_rms'][each]:.1e}"
        print(line)
    for count, seconds in result.get("encoder_batches", {}).items():
        print(f"  image encoder, batch {count}: {seconds['float32']:.3f} s a picture, PyTorch {seconds['pytorch']:.3f}, "
              f"{seconds['pytorch'] / seconds['float32']:.2f}x")

    def goal(label, value, wanted, met):
        print(f"  {label:44s}{value:28s}goal {wanted:10s}{'met' if met else 'missed'}")

    if "frame" in result and "bf16 OV" in variants:
        result["frame"] |= {name: sum(rows[each]["float32 OV" if each in parts else "bf16 OV"] for each in FULL_FRAME)
                            for name, parts in MIXED.items()}
    for each in (*variants, *MIXED):
        if each in result.get("frame", {}):
            ratio, wanted = result["frame"]["pytorch"] / result["frame"][each], GOALS.get(each, GOALS["bf16 OV"])
            goal(f"whole frame, {each}", f"{ratio:.2f} x PyTorch", f">= {wanted}", ratio >= wanted)
        if each in result.get("video", {}):
            row = result["video"][each]
            goal(f"peak memory, {each}", f"{row['peak_bytes'] / 1e9:.2f} GB", "< 1.5 GB", row["peak_bytes"] < GOAL_PEAK_BYTES)
            if each != "float32":
                mean = statistics.mean(row["mask_iou"])
                goal(f"masks, {each} and float32", f"IoU {mean:.4f}, least {min(row['mask_iou']):.4f}", f">= {GOAL_IOU}", mean >= GOAL_IOU)
    if "video" in result:
        row = result["video"]["PyTorch bf16"]["mask_iou"]
        print(f"  masks of PyTorch's own bf16 and float32: IoU {statistics.mean(row):.4f}, least {min(row):.4f}")


sys.exit(main())
