"""Traces of MediaPipe's face networks, channel-last, through a hub by the official client: upload, compile, run, compare.

    make acceptance SUITE=traces

For a Samsung Galaxy Tab S7 (Hexagon v66) and this machine's CPU to ONNX; NPU targets for the tablet must be refused with that
reason; for a Galaxy S24 they are made and run on Qualcomm's emulator. Outputs are compared with PyTorch's: 60 dB or more on
the CPU, 40 dB where FP16 ran on the emulator. A score is one number, so its decibels are those of its relative error: on a
face it is near 1; on noise it is 5e-6 to 2e-5, of which the error of ONNX Runtime's Sigmoid, 1e-8 to 6e-8, leaves 39 to 62 dB.
"""

import argparse
import math
import os
import pathlib
import subprocess
import sys

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT))

from python.tools.local_hub import LocalHub, missing_executables  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
TABLET, PHONE = "Samsung Galaxy Tab S7", "Samsung Galaxy S24 (Family)"
NPU_TARGETS = ("precompiled_qnn_onnx", "qnn_context_binary", "qnn_dlc")
NAMES = {"detector": "box_coords,box_scores", "landmark": "scores,landmarks"}


def decibels(expected: np.ndarray, got: np.ndarray) -> float:
    if expected.shape != got.shape:
        return -math.inf
    noise = float(np.sum((expected.astype(np.float64) - got.astype(np.float64)) ** 2))
    return math.inf if noise == 0 else 10 * math.log10(float(np.sum(expected.astype(np.float64) ** 2)) / noise)


class Rows:
    def __init__(self):
        self.failed = 0

    def add(self, network: str, device: str, target: str, is_right: bool, text: str) -> None:
        self.failed += not is_right
        print(f"{network:9} {device:28} {target:21} {'passed' if is_right else 'FAILED':7} {text}", flush=True)


def run_on(hub, model, device, held, goal: float, options: str = "") -> tuple[bool, str]:
    """Runs a compiled model on the trace's input and compares."""
    job = hub.submit_inference_job(model, device, {"image": [held["in_0"]]}, options=options)
    data = job.download_output_data()
    if not data:
        return False, job.get_status().message
    found = {name: decibels(held[f"out_{i}"], np.asarray(samples[0])) for i, (name, samples) in enumerate(data.items())}
    return all(value >= goal for value in found.values()), ", ".join(f"{name} {value:.1f} dB" for name, value in found.items())


def walk(hub, cache: pathlib.Path, rows: Rows) -> None:
    cpu = hub.get_devices()[0]
    for network, names in NAMES.items():
        with np.load(cache / f"{network}.npz") as file:
            held = {name: file[name] for name in file.files}
        model = hub.upload_model(str(cache / f"{network}.pt"))
        specs = {"image": (held["in_0"].shape, "float32")}

        def compiled(device, target):
            job = hub.submit_compile_job(model, device, input_specs=specs, options=f"--target_runtime {target} --output_names {names}")
            return job, job.get_target_model()

        job, target = compiled(hub.get_devices(name=TABLET)[0], "onnx")
        rows.add(network, TABLET, "onnx", target is not None, str(job.get_target_shapes() if target else job.get_status().message))
        for runtime in NPU_TARGETS:
            try:
                said = compiled(hub.get_devices(name=TABLET)[0], runtime)[0].get_status().message or "it was compiled"
            except hub.client.UserError as error:
                said = str(error)
            rows.add(network, TABLET, runtime, "Hexagon v66" in said, "refused: " + " ".join(said.split())[-150:])
        job, target = compiled(cpu, "onnx")
        rows.add(network, "this CPU", "onnx", *(run_on(hub, target, cpu, held, 60.0) if target else (False, job.get_status().message)))
        for runtime in NPU_TARGETS:
            device = hub.Device(PHONE)
            job, target = compiled(device, runtime)
            if target is None:
                rows.add(network, PHONE, runtime, False, job.get_status().message)
            elif runtime == "qnn_dlc":
                rows.add(network, PHONE, runtime, True, "compiled, and compared by the job itself")
            else:
                rows.add(network, PHONE, runtime, *run_on(hub, target, device, held, 40.0, "--allow_emulation"))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cache", type=pathlib.Path, default=pathlib.Path(".cache/acceptance/traces"))
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build/release"))
    parser.add_argument("--torch", default=".deps/venv-torch/bin/python", help="a Python with PyTorch")
    arguments = parser.parse_args()
    if missing := missing_executables(arguments.build):
        parser.error(f"{arguments.build} lacks {', '.join(missing)}: run `make programs`")
    arguments.cache.mkdir(parents=True, exist_ok=True)
    data = pathlib.Path(os.environ.get("SLIPWAY_TEST_DATA", ROOT.parent / "shared" / "data"))
    command = [arguments.torch, str(HERE / "trace.py"), str(arguments.cache)]
    subprocess.run(command + ([str(data)] if data.is_dir() else []), check=True, timeout=900)
    rows = Rows()
    with LocalHub(arguments.build, arguments.cache / "hub" / "data") as running:
        os.environ["QAIHUB_CLIENT_INI"] = str(running.ini)
        import qai_hub
        qai_hub.set_verbose(False)
        walk(qai_hub, arguments.cache, rows)
    print("passed" if rows.failed == 0 else f"{rows.failed} FAILED")
    return 0 if rows.failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
