"""What the commands of the benchmarks share."""

from __future__ import annotations

import argparse
import os
import pathlib
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
TORCH_PYTHON = pathlib.Path(os.environ.get("SLIPWAY_TORCH_PYTHON", ROOT / ".deps/venv-torch/bin/python"))
PEERS_PYTHON = pathlib.Path(os.environ.get("SLIPWAY_PEERS_PYTHON", ROOT / ".deps/venv-peers/bin/python"))
MEDIAPIPE_PYTHON = pathlib.Path(os.environ.get("SLIPWAY_MEDIAPIPE_PYTHON", ROOT / ".deps/venv-mediapipe/bin/python"))
DATA = pathlib.Path(os.environ.get("SLIPWAY_TEST_DATA", ROOT.parent / "shared/data"))


def make_parser(doc: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release", help="folder of the executables")
    parser.add_argument("--output", type=pathlib.Path, default=ROOT / "build/bench", help="folder of the rows, a JSON file each")
    parser.add_argument("--rows", nargs="*", metavar="ID", help="rows to take (default: all of this benchmark)")
    parser.add_argument("--threads", type=int, default=2, help="of ours and of every peer that can be told")
    parser.add_argument("--seconds", type=float, default=60, help="about how long the timed rounds may take in all")
    parser.add_argument("--rounds", type=int, default=5, help="that are taken however long they last")
    parser.add_argument("--models", type=pathlib.Path, default=ROOT / ".cache/bench", help="made models are kept there, and taken from there")
    parser.add_argument("--prepare", action="store_true", help="only make the models, time nothing")
    return parser


def restart_with(python: pathlib.Path, step: str) -> None:
    """Goes on in another environment; ends with words where it is not there."""
    if pathlib.Path(sys.executable) == python:
        return
    if not python.exists():
        sys.exit(f"{pathlib.Path(sys.argv[0]).name}: {python} is not here: run tools/setup.sh {step}")
    os.execv(python, [str(python), *sys.argv])


def output_of(command: list) -> str:
    """Standard output of a command that must succeed."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"status {done.returncode} of {shlex.join(str(word) for word in command)[:300]}: {(done.stdout + done.stderr).strip()[-600:]}")
    return done.stdout


def build_program(build: pathlib.Path, target: str) -> pathlib.Path:
    """A program that is built by name only."""
    done = subprocess.run(["cmake", "--build", build, "--target", target], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(done.stdout[-2000:] + done.stderr[-2000:])
    return next(build.rglob(target))
