"""SAM 2.1 video by component: the exported graphs in ONNX Runtime beside PyTorch eager, same weights, threads and inputs.

One run, interleaved rounds, seeded weights. Needs the environment that `tools/setup.sh torch` makes (.deps/venv-torch, or
SLIPWAY_TORCH_PYTHON); this script restarts itself in it.
"""

import argparse
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

from python.exporters.samurai import checkpoint, export, peer

SEED = 1
FULL_FRAME = ("image_encoder", "memory_attention_7", "mask_decoder", "memory_encoder")
GOAL_FLOAT, GOAL_REDUCED = 1.5, 2.5


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


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", help="not used: no executable of ours runs here")
    parser.add_argument("--json-file", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--size", choices=tuple(checkpoint.SIZES), default="tiny")
    parser.add_argument("--image-size", type=int, choices=(1024, 512), default=1024)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--memories", default="1,4,7", help="counts of memories to take")
    parser.add_argument("--int8", action="store_true", help="also the dynamically quantised graphs")
    parser.add_argument("--batches", default="", help="batches of the image encoder, e.g. 1,4,8: pictures a second")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    components = ["image_encoder", "mask_decoder", "memory_encoder"]
    components += [f"memory_attention_{count}" for count in options.memories.split(",")]
    load = os.getloadavg()
    with tempfile.TemporaryDirectory(prefix="slipway-bench-") as name:
        folder = pathlib.Path(name)
        variants = {"float32": []} | ({"int8": ["--quantize-dynamic"]} if options.int8 else {})
        for variant, switches in variants.items():
            subprocess.run([sys.executable, "-m", "python.exporters.samurai", "--size", options.size, "--seed", str(SEED), "--image-size",
                            str(options.image_size), "--components", ",".join(components), "--threads", str(options.threads),
                            "--output", str(folder / variant), *switches], cwd=ROOT, check=True, stderr=subprocess.DEVNULL)
        model = checkpoint.seeded(checkpoint.configuration(options.size, options.image_size), SEED)
        source = peer.Peer(model)
        samples = peer.samples(source)
        # The decoder's last case is a tracked frame, the memory encoder's third too.
        feeds = {each: list(samples(each))[-1 if each == "mask_decoder" else 0][0] for each in components}
        calls = pytorch_calls(source, feeds)
        result = {"threads": options.threads, "image_size": options.image_size, "size": options.size, "rounds": options.rounds,
                  "load_average": load, "components": {}}
        for each in components:
            sessions = {variant: export.session(folder / variant / f"{each}.onnx", options.threads) for variant in variants}
            times = {"pytorch": [], **{variant: [] for variant in variants}}
            for turn in range(options.rounds + 1):
                row = {"pytorch": timed(calls[each])} | {
                    variant: timed(lambda s=session: s.run(None, feeds[each])) for variant, session in sessions.items()}
                if turn > 0:  # the first warms up
                    for key, value in row.items():
                        times[key].append(value)
            result["components"][each] = {key: statistics.median(value) for key, value in times.items()} | {"all": times}
            del sessions
        if options.batches:
            result["encoder_batches"] = batches(options, folder, source)
    report(result, list(variants))
    if options.json_file:
        options.json_file.write_text(json.dumps(result, indent=1) + "\n")
    return 0


def batches(options, folder: pathlib.Path, source: peer.Peer) -> dict:
    subprocess.run([sys.executable, "-m", "python.exporters.samurai", "--size", options.size, "--seed", str(SEED), "--image-size",
                    str(options.image_size), "--components", "image_encoder", "--dynamic-batch", "--output", str(folder / "free")],
                   cwd=ROOT, check=True, stderr=subprocess.DEVNULL)
    session = export.session(folder / "free/image_encoder.onnx", options.threads)
    result = {}
    for count in (int(value) for value in options.batches.split(",")):
        pictures = torch.cat([peer.picture(options.image_size, 100 + k) for k in range(count)]).numpy()
        session.run(None, {"image": pictures})
        seconds = statistics.median(timed(lambda p=pictures: session.run(None, {"image": p})) for _ in range(options.rounds))
        result[count] = seconds / count
    return result


def report(result: dict, variants: list[str]) -> None:
    rows = result["components"]
    print(f"SAM 2.1 {result['size']}, {result['image_size']} input, {result['threads']} threads, {result['rounds']} interleaved rounds, "
          f"medians in seconds; load average at the start {result['load_average'][0]:.1f}")
    print(f"  {'component':22s}{'PyTorch':>9s}" + "".join(f"{each:>10s}{'ratio':>8s}" for each in variants))
    if all(each in rows for each in FULL_FRAME):
        keys = ["pytorch", *variants]
        rows["a frame at full memory"] = {key: sum(rows[each][key] for each in FULL_FRAME) for key in keys}
    for name, row in rows.items():
        print(f"  {name:22s}{row['pytorch']:9.3f}" + "".join(f"{row[each]:10.3f}{row['pytorch'] / row[each]:7.2f}x" for each in variants))
    for count, seconds in result.get("encoder_batches", {}).items():
        print(f"  image encoder, batch {count}: {seconds:.3f} s a picture")
    frame = rows.get("a frame at full memory")
    if frame:
        for each in variants:
            ratio, goal = frame["pytorch"] / frame[each], GOAL_FLOAT if each == "float32" else GOAL_REDUCED
            print(f"  whole frame, {each}: {ratio:.2f} x PyTorch, goal >= {goal}: {'met' if ratio >= goal else 'missed'}")


sys.exit(main())
