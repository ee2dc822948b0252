"""Traces through a hub by the official client: upload, compile, run, compare. MediaPipe's face networks, channel-last; and
every model of step one, by torch.jit.trace.

    make acceptance SUITE=traces

For a Samsung Galaxy Tab S7 (Hexagon v66) and this machine's CPU to ONNX; NPU targets for the tablet must be refused with that
reason; for a Galaxy S24 they are made and run on Qualcomm's emulator. Outputs are compared with PyTorch's: 60 dB or more on
the CPU, 40 dB where FP16 ran on the emulator. A score is one number, so its decibels are those of its relative error: on a
face it is near 1; on noise it is 5e-6 to 2e-5, of which the error of ONNX Runtime's Sigmoid, 1e-8 to 6e-8, leaves 39 to 62 dB.
The models of step one are compiled for this machine's CPU, to ONNX.
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
# Rows of tests/acceptance/convert/models.txt, built in the environment of the official package; and one of torchvision's.
STEP_ONE = {"official/squeezenet1_1": "exports", "official/resnet18": "exports", "official/face_det_lite": "exports",
            "official/silero_vad": "exports", "official/yolov8_det": "exports", "torchvision/vit_b_16": "torch"}


class Network:
    """A trace, its inputs and PyTorch's outputs; uploaded once."""

    def __init__(self, hub, stem: pathlib.Path, inputs: list[str], outputs: str):
        self.hub, self.outputs = hub, outputs
        with np.load(stem.with_name(stem.name + ".npz")) as file:
            self.expected = [file[f"out_{i}"] for i in range(sum(key.startswith("out_") for key in file.files))]
            count = sum(key.startswith("in_") for key in file.files)
            self.inputs = {(inputs[i] if inputs else f"input_{i}"): file[f"in_{i}"] for i in range(count)}
        self.model = hub.upload_model(str(stem.with_name(stem.name + ".pt")))

    def compile(self, device, target: str):
        specs = {name: (array.shape, str(array.dtype)) for name, array in self.inputs.items()}
        options = f"--target_runtime {target}" + (f" --output_names {self.outputs}" if self.outputs else "")
        return self.hub.submit_compile_job(self.model, device, input_specs=specs, options=options)


def run_on(network: Network, model, device, goal: float, options: str = "") -> dict:
    """Runs a compiled model on the trace's inputs and compares."""
    job = network.hub.submit_inference_job(model, device, {name: [array] for name, array in network.inputs.items()}, options=options)
    data = job.download_output_data()
    if not data:
        return {"status": "failed", "reason": job.get_status().message}
    found, is_right = {}, len(data) == len(network.expected)
    for expected, (name, samples) in zip(network.expected, data.items()):
        given = np.asarray(samples[0])
        if np.issubdtype(expected.dtype, np.floating):
            found[name] = round(decibels(expected, given), 1)
            is_right = is_right and found[name] >= goal
        else:
            found[name] = "equal" if np.array_equal(expected, given) else "different"
            is_right = is_right and found[name] == "equal"
    return {"status": "passed" if is_right else "wrong", "db": found}


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
    status = job.wait()  # the client names the target model before it is there
    if not status.success:
        return {"status": "failed", "reason": status.message}
    model = job.get_target_model()
    if device_name == "tablet":
        return {"status": "passed", "reason": f"compiled: {job.get_target_shapes()}"}
    if target == "qnn_dlc":
        return {"status": "passed", "reason": "compiled, and compared by the job itself: " + (status.message or "no alarm")}
    options = "--allow_emulation" if device_name == "phone" else ""
    return run_on(network, model, device, GOAL_DB[device_name], options)


class Traces(Suite):
    name = "traces"
    description = __doc__.splitlines()[0]
    accepted = ("passed", "refused")
    heading = "dB by output, or what the hub said"

    def rows(self) -> list[str]:
        of_device = {"tablet": ("onnx", *NPU_TARGETS), "cpu": ("onnx",), "phone": NPU_TARGETS}
        rows = [f"{network}/{target}/{device}" for network in NAMES for device, targets in of_device.items() for target in targets]
        return rows + [f"{name}/onnx/cpu" for name in STEP_ONE]

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--torch", default=".deps/venv-torch/bin/python", help="a Python with PyTorch and torchvision")
        parser.add_argument("--exports", default=".deps/venv-exports/bin/python", help="a Python with the official package")

    @contextlib.contextmanager
    def opened(self, arguments):
        if missing := missing_executables(arguments.build):
            sys.exit(f"{arguments.build} lacks {', '.join(missing)}: run `make programs`")
        data = pathlib.Path(os.environ.get("SLIPWAY_TEST_DATA", ROOT.parent / "shared" / "data"))

        def stem_of(name: str) -> pathlib.Path:
            """Where the trace lies; it is made first."""
            if name in STEP_ONE:
                subprocess.run([getattr(arguments, STEP_ONE[name]), str(HERE / "trace_model.py"), str(arguments.cache), name],
                               check=True, timeout=1800)
                return arguments.cache / name.replace("/", "__")
            command = [arguments.torch, str(HERE / "trace.py"), str(arguments.cache)]
            subprocess.run(command + ([str(data)] if data.is_dir() else []), check=True, timeout=1800)
            return arguments.cache / name

        networks: dict[str, Network] = {}
        with LocalHub(arguments.build, arguments.cache / "hub" / "data") as running:
            os.environ["QAIHUB_CLIENT_INI"] = str(running.ini)
            import qai_hub
            qai_hub.set_verbose(False)

            def measure(row: str) -> dict:
                name, target, device = row.rsplit("/", 2)
                if name not in networks:
                    networks[name] = Network(qai_hub, stem_of(name), ["image"] if name in NAMES else [], NAMES.get(name, ""))
                return row_of(qai_hub, networks[name], target, device)

            yield measure

    def line(self, row: dict) -> str:
        figures = ", ".join(f"{name} {value}" for name, value in row.get("db", {}).items())
        return "; ".join(part for part in (figures, row.get("reason", "")) if part)


if __name__ == "__main__":
    sys.exit(run(Traces()))
