"""Converts archives of one and of more than one and a half gigabytes: how much memory that takes, and whether the result runs.

    make acceptance SUITE=large              # some minutes, 8 GB of disk
    .deps/venv/bin/python tests/acceptance/large/run.py [--cache DIR]

Seeded linear layers over a sequence, so that every weight is transposed on the way. Memory that belongs to the process
itself (RssAnon: what is mapped does not count) is read from /proc while it converts; the goal is 200 MB. ONNX Runtime loads
the result, external data and all, and is compared with what PyTorch computed.
"""

import argparse
import json
import math
import pathlib
import subprocess
import sys
import time

import numpy as np
import onnxruntime

HERE = pathlib.Path(__file__).resolve().parent
ARCHIVES = {"linear_1.0_gb": 15, "linear_1.7_gb": 25}  # layers of 4096 x 4096 floats
GOAL_BYTES = 200e6
GOAL_DB = 60.0


def own_bytes(pid: int) -> int:
    try:
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("RssAnon:")), 0)


def convert(slipway: str, archive: pathlib.Path, model: pathlib.Path) -> tuple[dict, int]:
    child = subprocess.Popen([slipway, "convert", str(archive), "-o", str(model), "--json"], stdout=subprocess.PIPE, text=True)
    peak = 0
    while child.poll() is None:
        peak = max(peak, own_bytes(child.pid))
        time.sleep(0.002)
    if child.returncode != 0:
        sys.exit(f"slipway convert {archive} ended with {child.returncode}")
    return json.loads(child.stdout.read().splitlines()[-1]), peak


def decibels(expected: np.ndarray, got: np.ndarray) -> float:
    noise = float(np.sum((expected.astype(np.float64) - got) ** 2))
    return math.inf if noise == 0 else 10 * math.log10(float(np.sum(expected.astype(np.float64) ** 2)) / noise)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cache", type=pathlib.Path, default=pathlib.Path(".cache/acceptance/large"))
    parser.add_argument("--slipway", default="build/release/slipway")
    parser.add_argument("--torch", default=".deps/venv-torch/bin/python", help="a Python with PyTorch")
    arguments = parser.parse_args()
    arguments.cache.mkdir(parents=True, exist_ok=True)
    print(f"{'archive':16}{'bytes':>14}{'own memory':>12}{'converted':>11}{'written':>9}{'data file':>14}{'dB':>8}")
    passed = True
    for name, layers in ARCHIVES.items():
        archive = arguments.cache / f"{name}.pt2"
        if not archive.exists():
            subprocess.run([arguments.torch, str(HERE / "export.py"), str(archive), str(layers)], check=True)
        folder = arguments.cache / name
        folder.mkdir(exist_ok=True)
        said, peak = convert(arguments.slipway, archive, folder / "model.onnx")
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"])
        with np.load(archive.with_suffix(".npz")) as held:
            (got,) = session.run(None, {session.get_inputs()[0].name: held["in_0"]})
            worst = decibels(held["out_0"], got)
        del session
        data = folder / "model.data"
        data_bytes = data.stat().st_size if data.exists() else 0
        is_external = said["has_data_file"] == (archive.stat().st_size > 1.5e9) == (data_bytes > 0)
        passed = passed and is_external and peak < GOAL_BYTES and worst >= GOAL_DB
        print(f"{name:16}{archive.stat().st_size:14,}{peak / 1e6:9.0f} MB{said['convert_ms'] / 1e3:9.2f} s{said['write_ms'] / 1e3:7.2f} s"
              f"{data_bytes:14,}{worst:8.1f}", flush=True)
        for left in folder.iterdir():
            left.unlink()
        folder.rmdir()
    print("passed" if passed else "FAILED: own memory under 200 MB, 60 dB or more, external data from 1.5 GB on")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
