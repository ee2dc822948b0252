"""What the commands of the benchmarks share."""

from __future__ import annotations

import argparse
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def make_parser(doc: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release", help="folder of the executables")
    parser.add_argument("--json-file", type=pathlib.Path, help="where the figures go as JSON")
    return parser


def build_program(build: pathlib.Path, target: str) -> pathlib.Path:
    """A program that is built by name only."""
    done = subprocess.run(["cmake", "--build", build, "--target", target], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(done.stdout[-2000:] + done.stderr[-2000:])
    return next(build.rglob(target))


def write_figures(options: argparse.Namespace, figures: dict) -> None:
    if options.json_file:
        options.json_file.parent.mkdir(parents=True, exist_ok=True)
        options.json_file.write_text(json.dumps(figures, indent=1) + "\n")
