"""Converts every model of models.txt, runs the result on ONNX Runtime's CPU provider and compares it with PyTorch.

    make acceptance SUITE=convert                      # the whole list, archives of PyTorch 2.11
    make acceptance SUITE=convert TORCH=newest         # archives of the newest PyTorch, but for the rows of the official package
    .deps/venv/bin/python tests/acceptance/convert/run.py [--newest] [--discard [MB]] [NAME …]

Results are kept in docs/converted-models.json, from which page.py writes docs/converted-models.md. Archives are made once and kept in CACHE, about 30 GB of them;
--discard deletes each of more than MB megabytes when its row has passed. A float output passes at 60 dB or more of signal over
error, an integer one when it is equal.
"""

import argparse
import contextlib
import json
import math
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnxruntime

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from decibels import decibels  # noqa: E402
from suite import ROOT, Suite, run  # noqa: E402

GOAL_DB = 60.0
GOAL_SHARE = 0.98


class Exporter:
    """export.py in a Python of its own, started when the first archive is asked of it."""

    def __init__(self, python: pathlib.Path, cache: pathlib.Path):
        self.command = [str(python), str(HERE / "export.py"), str(cache), "--serve"]
        self.process: subprocess.Popen | None = None

    def make(self, name: str) -> None:
        if self.process is None or self.process.poll() is not None:
            self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.process.stdin.write(name + "\n")
        self.process.stdin.flush()
        for line in self.process.stdout:  # a package that prints while it builds a model is not an answer
            if line == f"done {name}\n":
                return
        raise RuntimeError(f"the exporter ended with {self.process.wait()}")

    def close(self) -> None:
        if self.process is not None:
            self.process.stdin.close()
            self.process.wait()


def agreement(expected: np.ndarray, given: np.ndarray) -> float:
    if np.issubdtype(expected.dtype, np.floating):
        return decibels(expected, given)
    return math.inf if np.array_equal(expected, given) else -math.inf


def convert(slipway: pathlib.Path, archive: pathlib.Path, model: pathlib.Path) -> dict:
    command = [str(slipway), "convert", str(archive), "-o", str(model), "--json"]
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
    worst = min((agreement(e, g) for e, g in zip(expected, given)), default=math.inf)
    row = {"db": round(worst, 1) if math.isfinite(worst) else ("equal" if worst > 0 else "different")}
    integers = sum(not np.issubdtype(each.dtype, np.floating) for each in expected)
    return row | {"integer_outputs": integers, "status": "passed" if worst >= GOAL_DB else "wrong"}


class Convert(Suite):
    description = __doc__.splitlines()[0]
    heading = f"{'dB':>8} {'nodes':>6} {'ms':>8} {'PyTorch export s':>17}"
    kept = ROOT / "docs/converted-models.json"

    def __init__(self, is_newest: bool):
        self.name = "convert-newest" if is_newest else "convert"
        self.environment = ".deps/venv-torch-newest" if is_newest else ".deps/venv-torch"
        self.accepted = ("passed", "not possible") if is_newest else ("passed",)

    def rows(self) -> list[str]:
        lines = (HERE / "models.txt").read_text().splitlines()
        return [line.strip() for line in lines if line.strip() and not line.startswith("#")]

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--torch", type=pathlib.Path, default=pathlib.Path(self.environment, "bin/python"),
                            help="a Python with PyTorch and the models' packages")
        parser.add_argument("--exports", type=pathlib.Path, default=pathlib.Path(".deps/venv-exports/bin/python"),
                            help="a Python with the official package")
        parser.add_argument("--newest", action="store_true", help="archives of the newest PyTorch (tools/setup.sh torch-newest)")
        parser.add_argument("--no-export", action="store_true", help="only the archives that are there")
        parser.add_argument("--discard", type=float, nargs="?", const=0.0, default=math.inf, metavar="MB",
                            help="deletes an archive of more than MB megabytes (0) when its row has passed")

    @contextlib.contextmanager
    def opened(self, arguments):
        exporters = {python: Exporter(python.absolute(), arguments.cache) for python in (arguments.torch, arguments.exports)}

        def measure(name: str) -> dict:
            if arguments.newest and name.startswith("official/"):
                return {"status": "not possible", "reason": "the official package takes PyTorch up to 2.11"}
            stem = arguments.cache / name.replace("/", "__")
            archive, goldens, failed = (stem.with_name(stem.name + end) for end in (".pt2", ".npz", ".failed"))
            if not archive.exists() and not arguments.no_export:
                failed.unlink(missing_ok=True)
                exporters[arguments.exports if name.startswith("official/") else arguments.torch].make(name)
            if not archive.exists():
                reason = failed.read_text().strip().splitlines()[-1][:300] if failed.exists() else "no archive"
                return {"status": "not exported", "reason": reason}
            row = self.row_of(archive, goldens, arguments)
            if archive.stat().st_size > arguments.discard * 1e6 and row["status"] == "passed":
                archive.unlink()
                goldens.unlink()
            return row

        try:
            yield measure
        finally:
            for exporter in exporters.values():
                exporter.close()

    def row_of(self, archive: pathlib.Path, goldens: pathlib.Path, arguments) -> dict:
        with tempfile.TemporaryDirectory(dir=arguments.cache) as folder, np.load(goldens) as held:
            model = pathlib.Path(folder) / "model.onnx"
            row = {"torch": str(held["torch"]), "export_seconds": round(float(held["export_seconds"]), 2)}
            row |= convert(arguments.build / "slipway", archive, model)
            if row["status"] == "converted":
                try:
                    row |= check(model, held)
                except Exception as error:  # whatever ONNX Runtime says of our model is that row's result
                    row |= {"status": "does not run", "reason": str(error)[:400]}
        return row

    def line(self, row: dict) -> str:
        milliseconds = round(row["ms"], 1) if "ms" in row else ""
        figures = f"{row.get('db', '')!s:>8} {row.get('nodes', ''):>6} {milliseconds:>8} {row.get('export_seconds', ''):>17}"
        return figures + ("  " + row["reason"][:200] if "reason" in row else "")

    def closing(self, arguments, rows: list[dict]) -> list[str]:
        versions = sorted({row["torch"] for row in rows if "torch" in row})
        possible = [row for row in rows if row["status"] != "not possible"]
        share = sum(row["status"] == "passed" for row in possible) / max(len(possible), 1)
        return [f"Archives of PyTorch {', '.join(versions) or 'none'}; ONNX Runtime {onnxruntime.__version__}. "
                f"Goal {GOAL_SHARE:.0%}: {'met' if share >= GOAL_SHARE else 'missed'}."]


if __name__ == "__main__":
    sys.exit(run(Convert("--newest" in sys.argv)))
