"""How fast the machine multiplies: a 3072 x 3072 product in PyTorch, ONNX Runtime and OpenVINO, by precision.

The fastest library's figure is what other rows' shares of the limit are taken of. Needs PyTorch's environment (tools/setup.sh torch).
"""

import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from benchmarks.bench_command import TORCH_PYTHON, make_parser, output_of, restart_with
from benchmarks.bench_row import Contender, Rows, median_ms, by_turns

restart_with(TORCH_PYTHON, "torch")
import numpy as np  # noqa: E402
import onnx  # noqa: E402
import torch  # noqa: E402

SIDE, RUNS = 3072, 3


def write_product(file: pathlib.Path) -> None:
    weight = onnx.numpy_helper.from_array(np.random.default_rng(1).standard_normal((SIDE, SIDE)).astype(np.float32), "w")
    a, b = (onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [SIDE, SIDE]) for name in "ab")
    node = onnx.helper.make_node("MatMul", ["a", "w"], ["b"])
    file.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(onnx.helper.make_model(onnx.helper.make_graph([node], "product", [a], [b], [weight]),
                                     opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=9), file)


def main() -> int:
    options = make_parser(__doc__).parse_args()
    file = options.models / "product.onnx"
    if not file.exists():
        write_product(file)
    if options.prepare:
        return 0
    torch.set_num_threads(options.threads)
    rows = Rows(options.output, options.rows)

    def of_torch(dtype: torch.dtype):
        a = torch.randn(SIDE, SIDE).to(dtype)
        return lambda: 2 * SIDE**3 / median_ms(lambda: torch.mm(a, a), RUNS) / 1e6

    def of_slipway(*switches: str):
        def run() -> float:
            line = output_of([options.build / "slipway", "bench", file, "--threads", options.threads, "--warmup", 1, "--iterations", RUNS,
                              "--all-iterations", "--json", *switches])
            return 2 * SIDE**3 / (json.loads(line.splitlines()[-1])["statistics"]["median_us"] / 1e3) / 1e6
        return run

    libraries = {"float32": {"PyTorch": of_torch(torch.float32), "ONNX Runtime": of_slipway(),
                             "OpenVINO": of_slipway("--provider", "openvino")},
                 "bfloat16": {"PyTorch": of_torch(torch.bfloat16), "OpenVINO": of_slipway("--provider", "openvino", "--precision", "bf16")}}
    for precision, calls in libraries.items():
        if not rows.wants(f"machine.{precision}"):
            continue
        working, reasons = {}, []
        for name, call in calls.items():
            try:
                call()
                working[name] = call
            except RuntimeError as error:
                reasons.append({"name": name, "reason": str(error)})
        samples = by_turns(working, options.seconds / 2, options.rounds)
        medians = {name: float(np.median(values)) for name, values in samples.items()}
        fastest = max(medians, key=medians.get)
        rows.write(f"machine.{precision}", f"a {SIDE} × {SIDE} product, {precision}", ("matrices in memory", "their product"), "GFLOP/s",
                   Contender(f"{fastest}, the fastest of {len(working)} libraries", "", options.threads, precision, samples[fastest]),
                   facts={f"{name} GFLOP/s": value for name, value in medians.items() if name != fastest}, not_run=reasons)
    return 0


sys.exit(main())
