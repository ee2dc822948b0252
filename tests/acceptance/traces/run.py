"""Traces of MediaPipe's face networks, channel-last, through a hub by the official client: upload, compile, run, compare.

    make acceptance SUITE=traces

For a Samsung Galaxy Tab S7 (Hexagon v66) and this machine's CPU to ONNX; NPU targets for the tablet must be refused with that
reason; for a Galaxy S24 they are made and run on Qualcomm's emulator. Outputs are compared with PyTorch's: 60 dB or more on
the CPU, 40 dB where FP16 ran on the emulator. A score is one number, so its decibels are those of its relative error: on a
face it is near 1; on noise it is 5e-6 to 2e-5, of which the error of ONNX Runtime's Sigmoid, 1e-8 to 6e-8, leaves 39 to 62 dB.
"""

import argparse
import contextlib
import os
import pathlib
import subprocess
import sys

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT), str(pathlib.Path(__file__).resolve().parents[1])]

from decibels import decibels  # noqa: E402
from python.tools.local_hub import LocalHub, missing_executables  # noqa: E402
from suite import Suite, run  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
TABLET, PHONE = "Samsung Galaxy Tab S7", "Samsung Galaxy S24 (Family)"
GOAL_DB = {"cpu": 60.0, "phone": 40.0}
NPU_TARGETS = ("precompiled_qnn_onnx", "qnn_context_binary", "qnn_dlc")
DEVICES = {"tablet": TABLET, "cpu": "", "phone": PHONE}  # this machine's CPU is the hub's first device
NAMES = {"detector": "box_coords,box_scores", "landmark": "scores,landmarks"}
REFUSAL = "Hexagon v66"


def run_on(hub, model, device, held, goal: float, options: str = "") -> dict:
    """Runs a compiled model on the trace's input and compares."""
    job = hub.submit_inference_job(model, device, {"image": [held["in_0"]]}, options=options)
    data = job.download_output_data()
    if not data:
        return {"status": "failed", "reason": job.get_status().message}
    found = {name: round(decibels(held[f"out_{i}"], np.asarray(samples[0])), 1) for i, (name, samples) in enumerate(data.items())}
    return {"status": "passed" if all(value >= goal for value in found.values()) else "wrong", "db": found}


class Network:
    """A trace, its input and PyTorch's outputs; uploaded once."""

    def __init__(self, hub, cache: pathlib.Path, name: str):
        self.hub, self.name = hub, name
        with np.load(cache / f"{name}.npz") as file:
            self.held = {key: file[key] for key in file.files}
        self.model = hub.upload_model(str(cache / f"{name}.pt"))

    def compile(self, device, target: str):
        return self.hub.submit_compile_job(self.model, device, input_specs={"image": (self.held["in_0"].shape, "float32")},
                                           options=f"--target_runtime {target} --output_names {NAMES[self.name]}")


def refused(network: Network, device, target: str) -> dict:
    try:
        said = network.compile(device, target).get_status().message or "it was compiled"
    except network.hub.client.UserError as error:
        said = str(error)
    return {"status": "refused" if REFUSAL in said else "wrong", "reason": " ".join(said.split())[-150:]}


def row_of(hub, network: Network, target: str, device_name: str) -> dict:
    device = hub.get_devices(name=DEVICES[device_name])[0] if DEVICES[device_name] else hub.get_devices()[0]
    if device_name == "tablet" and target in NPU_TARGETS:
        return refused(network, device, target)
    job = network.compile(device, target)
    model = job.get_target_model()
    if model is None:
        return {"status": "failed", "reason": job.get_status().message}
    if device_name == "tablet":
        return {"status": "passed", "reason": f"compiled: {job.get_target_shapes()}"}
    if target == "qnn_dlc":
        return {"status": "passed", "reason": "compiled, and compared by the job itself: " + (job.get_status().message or "no alarm")}
    options = "--allow_emulation" if device_name == "phone" else ""
    return run_on(hub, model, device, network.held, GOAL_DB[device_name], options)


class Traces(Suite):
    name = "traces"
    description = __doc__.splitlines()[0]
    accepted = ("passed", "refused")
    heading = "dB by output, or what the hub said"

    def rows(self) -> list[str]:
        of_device = {"tablet": ("onnx", *NPU_TARGETS), "cpu": ("onnx",), "phone": NPU_TARGETS}
        return [f"{network}/{target}/{device}" for network in NAMES for device, targets in of_device.items() for target in targets]

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--torch", default=".deps/venv-torch/bin/python", help="a Python with PyTorch")

    @contextlib.contextmanager
    def opened(self, arguments):
        if missing := missing_executables(arguments.build):
            sys.exit(f"{arguments.build} lacks {', '.join(missing)}: run `make programs`")
        data = pathlib.Path(os.environ.get("SLIPWAY_TEST_DATA", ROOT.parent / "shared" / "data"))
        command = [arguments.torch, str(HERE / "trace.py"), str(arguments.cache)]
        subprocess.run(command + ([str(data)] if data.is_dir() else []), check=True, timeout=900)
        networks: dict[str, Network] = {}
        with LocalHub(arguments.build, arguments.cache / "hub" / "data") as running:
            os.environ["QAIHUB_CLIENT_INI"] = str(running.ini)
            import qai_hub
            qai_hub.set_verbose(False)

            def measure(name: str) -> dict:
                network, target, device = name.split("/")
                if network not in networks:
                    networks[network] = Network(qai_hub, arguments.cache, network)
                return row_of(qai_hub, networks[network], target, device)

            yield measure

    def line(self, row: dict) -> str:
        figures = ", ".join(f"{name} {value} dB" for name, value in row.get("db", {}).items())
        return "; ".join(part for part in (figures, row.get("reason", "")) if part)


if __name__ == "__main__":
    sys.exit(run(Traces()))
