"""Converts archives of one and of more than one and a half gigabytes: how much memory that takes, and whether the result runs.

    make acceptance SUITE=large              # some minutes, 8 GB of disk
    .deps/venv/bin/python tests/acceptance/large/run.py

Seeded linear layers over a sequence, so that every weight is transposed on the way. Memory that belongs to the process
itself (RssAnon: what is mapped does not count) is read from /proc while it converts; the goal is 200 MB. ONNX Runtime loads
the result, external data and all, and is compared with what PyTorch computed.
"""

import argparse
import contextlib
import json
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np
import onnxruntime

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from decibels import decibels  # noqa: E402
from suite import Suite, run  # noqa: E402

ARCHIVES = {"linear_1.0_gb": 15, "linear_1.7_gb": 25}  # layers of 4096 x 4096 floats
GOAL_BYTES = 200e6
GOAL_DB = 60.0


def own_bytes(pid: int) -> int:
    try:
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("RssAnon:")), 0)


def convert(slipway: pathlib.Path, archive: pathlib.Path, model: pathlib.Path) -> tuple[dict, int]:
    child = subprocess.Popen([str(slipway), "convert", str(archive), "-o", str(model), "--json"], stdout=subprocess.PIPE, text=True)
    peak = 0
    while child.poll() is None:
        peak = max(peak, own_bytes(child.pid))
        time.sleep(0.002)
    if child.returncode != 0:
        raise RuntimeError(f"slipway convert {archive} ended with {child.returncode}")
    return json.loads(child.stdout.read().splitlines()[-1]), peak


class Large(Suite):
    name = "large"
    description = __doc__.splitlines()[0]
    heading = f"{'bytes':>14}{'own memory':>12}{'converted':>11}{'written':>9}{'data file':>14}{'dB':>8}"

    def rows(self) -> list[str]:
        return list(ARCHIVES)

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--torch", default=".deps/venv-torch/bin/python", help="a Python with PyTorch")

    def opened(self, arguments):
        return contextlib.nullcontext(lambda name: row_of(name, arguments))

    def line(self, row: dict) -> str:
        if "own_bytes" not in row:
            return row.get("reason", "")
        return (f"{row['archive_bytes']:14,}{row['own_bytes'] / 1e6:9.0f} MB{row['convert_ms'] / 1e3:9.2f} s{row['write_ms'] / 1e3:7.2f} s"
                f"{row['data_bytes']:14,}{row['db']:8.1f}")

    def closing(self, arguments, rows: list[dict]) -> list[str]:
        return [f"Wanted: own memory under {GOAL_BYTES / 1e6:.0f} MB, {GOAL_DB:g} dB or more, external data from 1.5 GB on."]


def row_of(name: str, arguments) -> dict:
    archive = arguments.cache / f"{name}.pt2"
    if not archive.exists():
        subprocess.run([arguments.torch, str(HERE / "export.py"), str(archive), str(ARCHIVES[name])], check=True)
    with tempfile.TemporaryDirectory(dir=arguments.cache) as folder:
        model = pathlib.Path(folder) / "model.onnx"
        said, peak = convert(arguments.build / "slipway", archive, model)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        with np.load(archive.with_suffix(".npz")) as held:
            (got,) = session.run(None, {session.get_inputs()[0].name: held["in_0"]})
            found = decibels(held["out_0"], got)
        del session
        data = model.with_name("model.data")
        row = {"archive_bytes": archive.stat().st_size, "own_bytes": peak, "convert_ms": said["convert_ms"],
               "write_ms": said["write_ms"], "data_bytes": data.stat().st_size if data.exists() else 0, "db": round(found, 1)}
    is_external = said["has_data_file"] == (row["archive_bytes"] > 1.5e9) == (row["data_bytes"] > 0)
    return row | {"status": "passed" if is_external and peak < GOAL_BYTES and found >= GOAL_DB else "wrong"}


if __name__ == "__main__":
    sys.exit(run(Large()))
