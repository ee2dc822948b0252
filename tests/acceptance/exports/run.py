"""Runs the official exports, unmodified, against a hub of this build, and reads what they print and leave.

    make acceptance SUITE=exports            # five models, three runtimes, this machine's CPU and a Snapdragon phone
    .deps/venv/bin/python tests/acceptance/exports/run.py [MODEL/RUNTIME/DEVICE …]

What an export printed stays in CACHE/logs, results in docs/official-exports.json. A row passes when the export ends with status 0, its metadata.json has the names
and shapes that the package declares, and the comparison with PyTorch that it prints has every float output at 60 dB or more
on the CPU, at 40 dB or more where FP16 ran on the HTP emulator. Classes, which the export leaves out, must be PyTorch's
wherever the scores' error cannot have turned them (classes.py). Nothing is measured on a phone: its NPU runs on Qualcomm's
emulator, and the export is told so by --allow_emulation.

Weights and images cannot be downloaded here: prepare.py says what stands in their places, and so does the table.
"""

import argparse
import contextlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT), str(pathlib.Path(__file__).resolve().parents[1])]

from python.tools.local_hub import LocalHub, missing_executables  # noqa: E402
from suite import Suite, run, run_group  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
MODELS = ("squeezenet1_1", "resnet18", "face_det_lite", "silero_vad", "yolov8_det")
RUNTIMES = ("onnx", "precompiled_qnn_onnx", "qnn_dlc")
DEVICES = {"cpu": "", "phone": "Samsung Galaxy S24 (Family)"}  # this machine's CPU has the name that the hub gives it
GOAL_DB = {"cpu": 60.0, "phone": 40.0}
LEFT_OUT = {"class_idx"}  # of the export's own comparison, by the package's manifest: classes.py compares them
NOT_POSSIBLE = ("cpu", ("precompiled_qnn_onnx", "qnn_dlc"),
                "a program for Hexagon NPUs; this machine's CPU has none, and the hub says so")


def prepare(arguments) -> dict:
    said = arguments.cache / "prepared.json"
    if not said.exists():
        data = pathlib.Path(os.environ.get("SLIPWAY_TEST_DATA", ROOT.parent / "shared" / "data"))
        command = [str(arguments.exports / "bin" / "python"), str(HERE / "prepare.py"), str(arguments.cache)]
        subprocess.run(command + ([str(data)] if data.is_dir() else []), check=True, timeout=1800)
    return json.loads(said.read_text())


def name_of_cpu(hub, arguments, environment) -> str:
    program = "import qai_hub; print(qai_hub.get_devices()[0].name)"
    return subprocess.run([str(arguments.exports / "bin" / "python"), "-c", program], env=environment, check=True, timeout=300,
                          capture_output=True, text=True).stdout.splitlines()[-1]


def compared(printed: str) -> dict[str, float]:
    """Decibels by output, of the table that the export prints: | name | shape | psnr |."""
    rows = re.findall(r"^\|\s*(\w+)\s*\|\s*\(([\d, ]*)\)\s*\|\s*(-?[\d.]+(?:e[+-]?\d+)?|inf|nan)\s*\|$", printed, re.M)
    return {name: float(value) for name, _, value in rows}


def metadata_faults(folder: pathlib.Path, declared: dict) -> str:
    """What metadata.json lacks of the names and shapes that the package declares; "" when nothing."""
    found = list(folder.rglob("metadata.json"))
    if len(found) != 1:
        return f"{len(found)} metadata.json"
    (file,) = json.loads(found[0].read_text())["model_files"].values()
    inputs = {name: list(spec["shape"]) for name, spec in file["inputs"].items()}
    outputs = {name: list(spec["shape"]) for name, spec in file["outputs"].items()}
    for name, (shape, _) in declared["inputs"].items():
        if sorted(inputs.get(name, [])) != sorted(shape):  # NPU targets have their images channel-last
            return f"input {name}: {inputs.get(name)} in the metadata, {shape} declared"
    if list(outputs) != declared["outputs"] or len(inputs) != len(declared["inputs"]):
        return f"{list(inputs)} and {list(outputs)} in the metadata"
    return "" if all(outputs.values()) else "outputs without shapes"


def row_of(name: str, arguments, environment, prepared: dict, cpu: str) -> dict:
    model, runtime, device = name.split("/")
    folder = arguments.cache / "out" / name.replace("/", "-")
    command = [str(arguments.exports / "bin" / "qai-hub-models"), "export", model, "--runtime", runtime,
               "--device", DEVICES[device] or cpu, "--output-dir", str(folder)]
    if model == "yolov8_det":
        command += ["--ckpt-name", str(arguments.cache / "yolov8n.pt")]
    if device == "phone":
        command += ["--profile-options", " --allow_emulation"]
    if folder.exists():
        shutil.rmtree(folder)
    done = run_group(command, arguments.row_seconds, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                     stderr=subprocess.STDOUT, text=True, cwd=arguments.cache)
    log = arguments.cache / "logs" / (name.replace("/", "-") + ".log")
    log.parent.mkdir(exist_ok=True)
    log.write_text(done.stdout)
    last = [line.strip() for line in done.stdout.splitlines() if line.strip()][-1:]
    decibels = compared(done.stdout)
    row = {"exit": done.returncode, "db": decibels}
    if done.returncode != 0:
        where, runtimes, reason = NOT_POSSIBLE
        if device == where and runtime in runtimes and "has no HTP" in done.stdout:
            return row | {"status": "not possible", "reason": reason}
        return row | {"status": "failed", "reason": " ".join(last)[:400]}
    faults = metadata_faults(folder, prepared[model])
    if faults:
        return row | {"status": "wrong", "reason": faults}
    floats = [output for output in prepared[model]["outputs"] if output not in LEFT_OUT]
    if list(decibels) != floats:
        return row | {"status": "wrong", "reason": f"the comparison names {list(decibels)}"}
    for output, value in decibels.items():
        if not value >= GOAL_DB[device]:
            return row | {"status": "wrong", "reason": f"{output}: {value} dB"}
    if floats != prepared[model]["outputs"]:
        row["classes"] = classes_of(done.stdout, arguments, environment)
        if row["classes"]["different_beyond_error"] > 0:
            return row | {"status": "wrong", "reason": f"classes: {row['classes']}"}
    return row | {"status": "passed"}


def classes_of(printed: str, arguments, environment) -> dict:
    """How the classes of the export's last inference compare with PyTorch's."""
    job = re.findall(r"Scheduled inference job \((\w+)\)", printed)[-1]
    command = [str(arguments.exports / "bin" / "python"), str(HERE / "classes.py"), str(arguments.cache / "yolov8n.pt"), job]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=1800, check=True)
    return json.loads(done.stdout.splitlines()[-1])


class Exports(Suite):
    name = "exports"
    description = __doc__.splitlines()[0]
    accepted = ("passed", "not possible")
    heading = "dB by output, as the export printed them"
    kept = ROOT / "docs/official-exports.json"

    def rows(self) -> list[str]:
        rows = [(model, runtime, device) for model in MODELS for runtime in RUNTIMES for device in DEVICES]
        rows.sort(key=lambda row: (row[2] == NOT_POSSIBLE[0] and row[1] in NOT_POSSIBLE[1]))  # what ends early comes last
        return ["/".join(row) for row in rows]

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--exports", type=pathlib.Path, default=pathlib.Path(".deps/venv-exports"), help="tools/setup.sh exports")
        parser.add_argument("--row-seconds", type=float, default=3000, help="after which a row is out of time")

    @contextlib.contextmanager
    def opened(self, arguments):
        if missing := missing_executables(arguments.build):
            sys.exit(f"{arguments.build} lacks {', '.join(missing)}: run `make programs`")
        arguments.exports = arguments.exports.absolute()
        prepared = prepare(arguments)
        with LocalHub(arguments.build, arguments.cache / "hub" / "data") as hub:
            environment = os.environ | {
                "QAIHUB_CLIENT_INI": str(hub.ini), "QAIHM_STORE_ROOT": str(arguments.cache / "store"),
                "TORCH_HOME": str(arguments.cache / "torch"), "YOLO_CONFIG_DIR": str(arguments.cache), "CUDA_VISIBLE_DEVICES": ""}
            cpu = name_of_cpu(hub, arguments, environment)

            def measure(name: str) -> dict:
                try:
                    return row_of(name, arguments, environment, prepared, cpu)
                except subprocess.TimeoutExpired:  # its jobs would go on beside those of the next row
                    hub.kill()
                    shutil.rmtree(hub.data)
                    hub.start()
                    raise

            yield measure

    def line(self, row: dict) -> str:
        figures = ", ".join(f"{output} {value:g}" for output, value in row.get("db", {}).items())
        if "classes" in row:
            figures += f", {row['classes']['different']} of {row['classes']['classes']} classes differ"
        return "; ".join(part for part in (figures, row.get("reason", "")) if part)

    def closing(self, arguments, rows: list[dict]) -> list[str]:
        said = arguments.cache / "prepared.json"
        prepared = json.loads(said.read_text()) if said.exists() else {}
        return ["What they ran on:"] + [f"  {model}: {prepared[model]['what']}" for model in MODELS if model in prepared]


if __name__ == "__main__":
    sys.exit(run(Exports()))
