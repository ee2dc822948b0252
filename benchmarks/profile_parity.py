"""Compares `slipway bench` with a plain loop over ONNX Runtime's Python package: same model, inputs, threads and runs.

Each round starts three fresh processes one after the other, in an order that turns from round to round: the Python loop,
`slipway bench`, the Python loop again. The figure is the median over the rounds of (slipway's median) / (the mean of both
loops' medians); the goal is 2 %, or the spread of the loop against itself (the median of |second / first - 1|) where that
is wider. Exit status 1 when a process fails; a missed goal is printed, not a failure.
"""

import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

import numpy as np
import onnx
from bench_command import make_parser, write_figures
from onnx import TensorProto, helper, numpy_helper

GOAL = 0.02

PYTHON_LOOP = """
import json, statistics, sys, time
import numpy as np, onnxruntime
model, inputs, threads, runs, warmup = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = threads
session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
feed = dict(np.load(inputs))
for _ in range(warmup):
    session.run(None, feed)
times = []
for _ in range(runs):
    start = time.perf_counter()
    session.run(None, feed)
    times.append((time.perf_counter() - start) * 1e6)
print(json.dumps(statistics.median(times)))
"""


def write_network(path: pathlib.Path) -> None:
    """A convolutional network of a few milliseconds: eleven 3x3 convolutions with ReLU on 64 channels of 56x56."""
    rng = np.random.default_rng(5)
    nodes, weights, value, channels = [], [], "image", 3
    for i in range(11):
        weight = (rng.standard_normal((64, channels, 3, 3)) / np.sqrt(9 * channels)).astype(np.float32)
        weights.append(numpy_helper.from_array(weight, f"weight{i}"))
        nodes.append(helper.make_node("Conv", [value, f"weight{i}"], [f"conv{i}"], f"conv{i}", pads=[1, 1, 1, 1]))
        nodes.append(helper.make_node("Relu", [f"conv{i}"], [f"relu{i}"], f"relu{i}"))
        value, channels = f"relu{i}", 64
    graph = helper.make_graph(nodes, "convolutions", [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, 56, 56])],
                              [helper.make_tensor_value_info(value, TensorProto.FLOAT, [1, 64, 56, 56])], weights)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


def write_inputs(model: pathlib.Path, path: pathlib.Path) -> None:
    import onnxruntime

    rng = np.random.default_rng(6)
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    np.savez(path, **{i.name: rng.random([d if isinstance(d, int) else 1 for d in i.shape], dtype=np.float32)
                      for i in session.get_inputs()})


def output_of(command: list[str]) -> str:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout


def main() -> int:
    parser = make_parser(__doc__)
    parser.add_argument("--model", type=pathlib.Path, help="an .onnx with float32 inputs (default: a generated network)")
    parser.add_argument("--pairs", type=int, default=30)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--runs", type=int, default=40, help="timed runs in each process")
    arguments = parser.parse_args()
    slipway = pathlib.Path(arguments.build) / "slipway"
    warmup = 3

    with tempfile.TemporaryDirectory(prefix="slipway-parity-") as folder:
        model = arguments.model or pathlib.Path(folder) / "network.onnx"
        if arguments.model is None:
            write_network(model)
        inputs = pathlib.Path(folder) / "inputs.npz"
        write_inputs(model, inputs)

        def loop() -> float:
            return float(output_of([sys.executable, "-c", PYTHON_LOOP, str(model), str(inputs), str(arguments.threads),
                                    str(arguments.runs), str(warmup)]))

        def bench() -> float:
            line = output_of([str(slipway), "bench", str(model), "--inputs", str(inputs), "--threads", str(arguments.threads),
                              "--iterations", str(arguments.runs), "--warmup", str(warmup), "--all-iterations", "--json"])
            return json.loads(line)["statistics"]["median_us"]

        ours, first, second = [], [], []
        turns = [(first, loop), (ours, bench), (second, loop)]
        for pair in range(arguments.pairs):
            for at in range(3):
                measured, measure = turns[(at + pair) % 3]
                measured.append(measure())
            if sys.stderr.isatty():
                print(f"\r{pair + 1}/{arguments.pairs}", end="", file=sys.stderr, flush=True)
        if sys.stderr.isatty():
            print("\r\033[K", end="", file=sys.stderr)

    ratio = statistics.median(o / ((a + b) / 2) for o, a, b in zip(ours, first, second))
    spread = statistics.median(abs(b / a - 1) for a, b in zip(first, second))
    met = abs(ratio - 1) <= max(GOAL, spread)
    print(f"{arguments.pairs} rounds, {arguments.threads} thread(s), {arguments.runs} runs each, "
          f"{model.name if arguments.model else 'generated network'}")
    print(f"  slipway bench        median {statistics.median(ours) / 1000:8.3f} ms")
    print(f"  Python loop          median {statistics.median(first + second) / 1000:8.3f} ms")
    print(f"  slipway / Python     {ratio:.4f}  (goal: within {max(GOAL, spread):.1%} of 1)")
    print(f"  Python / itself      differs by {spread:.2%} (median over the rounds)")
    print("  goal met" if met else "  GOAL MISSED")
    write_figures(arguments, {
        "schema": "profile-parity/1", "ratio": ratio, "spread": spread, "goal": GOAL, "met": met,
        "threads": arguments.threads, "slipway_us": ours, "python_us": [first, second]})
    return 0


if __name__ == "__main__":
    sys.exit(main())
