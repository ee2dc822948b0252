"""Compares `slipway bench` with a plain loop over ONNX Runtime's Python package: same model, inputs, threads and runs.

A turn is a fresh process that gives the median of its runs: `slipway bench`, the Python loop, and the loop once more, so that the
row says how far the loop is from itself. A ratio off 1 by more than that would be the profiler's own.
"""

import json
import pathlib
import statistics
import sys
import tempfile

import numpy as np
import onnx
from bench_command import make_parser, output_of
from bench_row import Contender, Rows, by_turns
from onnx import TensorProto, helper, numpy_helper

LEAST_RATIO, RUNS, WARMUP = 0.98, 40, 3

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


def main() -> int:
    parser = make_parser(__doc__)
    parser.add_argument("--model", type=pathlib.Path, help="an .onnx with float32 inputs (default: a generated network)")
    options = parser.parse_args()
    if options.prepare:
        return 0
    rows = Rows(options.output, options.rows)
    with tempfile.TemporaryDirectory(prefix="slipway-parity-") as folder:
        model = options.model or pathlib.Path(folder) / "network.onnx"
        if options.model is None:
            write_network(model)
        inputs = pathlib.Path(folder) / "inputs.npz"
        write_inputs(model, inputs)

        def loop() -> float:
            return float(output_of([sys.executable, "-c", PYTHON_LOOP, model, inputs, options.threads, RUNS, WARMUP])) / 1e3

        def bench() -> float:
            line = output_of([options.build / "slipway", "bench", model, "--inputs", inputs, "--threads", options.threads,
                              "--iterations", RUNS, "--warmup", WARMUP, "--all-iterations", "--json"])
            return json.loads(line)["statistics"]["median_us"] / 1e3

        samples = by_turns({"loop": loop, "ours": bench, "loop again": loop}, options.seconds, options.rounds)
    against_itself = statistics.median(abs(b / a - 1) for a, b in zip(samples["loop"], samples["loop again"]))
    rows.write("profile.bench", "`slipway bench` beside a plain loop, the same session", ("input tensors in memory", "output tensors"), "ms",
               Contender("slipway bench, cpu", "default and best", options.threads, samples=samples["ours"]),
               [Contender("ONNX Runtime, Python", "default and best", options.threads, samples=samples["loop"])],
               goal={"of": "ratio", "least": LEAST_RATIO}, facts={"the loop differs from itself by, %": 100 * against_itself})
    return 0


if __name__ == "__main__":
    sys.exit(main())
