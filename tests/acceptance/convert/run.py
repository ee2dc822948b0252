"""Converts every model of models.txt, runs the result on ONNX Runtime's CPU provider and compares it with PyTorch.

    make acceptance SUITE=convert            # the whole list; archives are made once and kept
    .deps/venv/bin/python tests/acceptance/convert/run.py --cache .cache/acceptance/convert [NAME …]

One line a model goes to CACHE/results.jsonl as soon as it is known, so that a run may be stopped and taken up again
(--again forgets what is there, --failed what did not pass). The table at the end counts every model of the list. A float
output passes at 60 dB or more of signal over error; an integer one when it is equal, or where it differs only as far as
float errors turn it (at most one element in ten thousand).
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
GOAL_DB = 60.0


def names() -> list[str]:
    lines = (HERE / "models.txt").read_text().splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def decibels(expected: np.ndarray, got: np.ndarray) -> float:
    if expected.shape != got.shape:
        return -math.inf
    if expected.size == 0:
        return math.inf
    if not np.issubdtype(expected.dtype, np.floating):
        wrong = int((expected.astype(np.int64) != got.astype(np.int64)).sum())
        return math.inf if wrong * 10_000 <= expected.size else -10 * math.log10(wrong / expected.size)
    expected, got = expected.astype(np.float64), got.astype(np.float64)
    same = (expected == got) | (np.isnan(expected) & np.isnan(got))
    finite = np.isfinite(expected)
    if not np.isfinite(got[finite]).all() or not same[~finite].all():
        return -math.inf
    noise = float(np.sum((expected[finite] - got[finite]) ** 2))
    signal = float(np.sum(expected[finite] ** 2))
    if noise == 0:
        return math.inf
    return 10 * math.log10(signal / noise) if signal > 0 else -math.inf


def convert(slipway: str, archive: pathlib.Path, model: pathlib.Path) -> dict:
    command = [slipway, "convert", str(archive), "-o", str(model), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    if done.returncode != 0:
        return {"status": "refused", "reason": done.stderr.strip()[-600:]}
    said = json.loads(done.stdout.splitlines()[-1])
    return {"status": "converted", "nodes": said["nodes"], "ms": said["convert_ms"] + said["write_ms"]}


def check(model: pathlib.Path, goldens) -> dict:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    inputs = [goldens[f"in_{i}"] for i in range(sum(key.startswith("in_") for key in goldens.files))]
    given = session.run(None, {each.name: array for each, array in zip(session.get_inputs(), inputs)})
    expected = [goldens[f"out_{i}"] for i in range(sum(key.startswith("out_") for key in goldens.files))]
    if len(given) != len(expected):
        return {"status": "wrong", "reason": f"{len(given)} outputs, PyTorch gives {len(expected)}"}
    worst = min((decibels(e, g) for e, g in zip(expected, given)), default=math.inf)
    shown = round(worst, 1) if math.isfinite(worst) else ("equal" if worst > 0 else "different shape or not finite")
    return {"status": "passed" if worst >= GOAL_DB else "wrong", "db": shown}


def row_of(name: str, arguments) -> dict:
    stem = arguments.cache / name.replace("/", "__")
    archive, goldens = stem.with_name(stem.name + ".pt2"), stem.with_name(stem.name + ".npz")
    failed = stem.with_name(stem.name + ".failed")
    if not archive.exists() and not failed.exists() and not arguments.no_export:
        python = arguments.exports if name.startswith("official/") else arguments.torch
        subprocess.run([python, str(HERE / "export.py"), str(arguments.cache), name], check=False, timeout=3600)
    if not archive.exists():
        reason = failed.read_text().strip().splitlines()[-1][:300] if failed.exists() else "no archive"
        return {"status": "not exported", "reason": reason}
    model = arguments.cache / "converted.onnx"
    row = convert(arguments.slipway, archive, model)
    if row["status"] == "converted":
        with np.load(goldens) as held:
            row["exporter"] = f"PyTorch {held['torch']}"
            try:
                row |= check(model, held)
            except Exception as error:  # whatever ONNX Runtime says of our model is that row's result
                row |= {"status": "does not run", "reason": str(error)[:400]}
    for left in (model, model.with_name("model.data")):
        left.unlink(missing_ok=True)
    return row


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="rows of the list; all when none is named")
    parser.add_argument("--cache", type=pathlib.Path, default=pathlib.Path(".cache/acceptance/convert"))
    parser.add_argument("--slipway", default="build/release/slipway")
    parser.add_argument("--torch", default=".deps/venv-torch/bin/python", help="a Python with PyTorch and the models' packages")
    parser.add_argument("--exports", default=".deps/venv-exports/bin/python", help="a Python with the official package")
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--failed", action="store_true")
    parser.add_argument("--no-export", action="store_true", help="only the archives that are there")
    arguments = parser.parse_args()
    arguments.cache.mkdir(parents=True, exist_ok=True)
    kept = arguments.cache / "results.jsonl"
    rows = {}
    if kept.exists() and not arguments.again:
        for line in kept.read_text().splitlines():
            row = json.loads(line)
            rows[row["name"]] = row
    listed = arguments.names or names()
    for name in listed:
        if name in rows and (rows[name]["status"] == "passed" or not arguments.failed) and not arguments.names:
            continue
        start = time.perf_counter()
        try:
            row = row_of(name, arguments)
        except subprocess.TimeoutExpired as error:
            row = {"status": "out of time", "reason": str(error)[:200]}
        rows[name] = {"name": name, **row, "seconds": round(time.perf_counter() - start, 1)}
        with kept.open("a") as file:
            file.write(json.dumps(rows[name]) + "\n")
        print(f"{name}: {row['status']} {row.get('db', '')} {row.get('reason', '')[:200]}", flush=True)
    print(f"\n{'model':48} {'result':14} {'dB':>8} {'nodes':>6} {'ms':>8}")
    counts: dict[str, int] = {}
    for name in listed:
        row = rows.get(name, {"status": "not run"})
        counts[row["status"]] = counts.get(row["status"], 0) + 1
        print(f"{name:48} {row['status']:14} {row.get('db', '')!s:>8} {row.get('nodes', ''):>6} {round(row['ms'], 1) if 'ms' in row else '':>8}")
    passed = counts.get("passed", 0)
    print(f"\n{passed} of {len(listed)} passed ({100 * passed / max(len(listed), 1):.1f} %); " +
          ", ".join(f"{count} {status}" for status, count in sorted(counts.items())))
    return 0 if passed == len(listed) else 1


if __name__ == "__main__":
    sys.exit(main())
