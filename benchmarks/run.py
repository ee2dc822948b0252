"""Takes every row of docs/performance.md, one benchmark after the other, so that nothing else of ours shares the machine.

`make bench` calls it. A row is a JSON file in --output as soon as it is whole; a second call takes the rows that are missing
or were taken of another commit. At the end tools/performance_page.py writes docs/performance.json and the page. Exit status 1
when a row could not be taken; a missed goal is printed, not a failure. What the rows are is in benchmarks/catalogue.py.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import subprocess
import sys
import time

import bench_row
from catalogue import BENCHMARKS

HERE = pathlib.Path(__file__).resolve().parent
WHOLE_MINUTES, DEFAULT_MINUTES = 25, 16  # what the seconds of the catalogue are of; the rest of 25 is for making models and loading


def kept(output: pathlib.Path, row_id: str, commit: str) -> dict | None:
    """The row when it is of this commit."""
    try:
        row = json.loads(bench_row.file_of(output, row_id).read_text())
    except (OSError, ValueError):
        return None
    return row if row.get("commit") == commit else None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="build/release", help="folder of the executables")
    parser.add_argument("--output", type=pathlib.Path, default=pathlib.Path("build/bench"), help="folder of the rows")
    parser.add_argument("--models", default=os.environ.get("BENCH_MODELS") or ".cache/bench", help="made models are kept there, and taken from there")
    parser.add_argument("--minutes", type=float, default=float(os.environ.get("BENCH_MINUTES") or DEFAULT_MINUTES),
                        help="about how long all timed rounds may take; making models comes on top")
    parser.add_argument("--only", nargs="*", default=[], metavar="ROW", help="rows, or beginnings of their names")
    parser.add_argument("--again", action="store_true", help="take rows anew that are there already")
    parser.add_argument("--prepare", action="store_true", help="only make the models")
    parser.add_argument("--no-page", action="store_true", help="leave docs/performance.* as they are")
    arguments = parser.parse_args()
    commit = bench_row.commit()
    print(f"commit {commit}, load average {os.getloadavg()[0]:.1f}, {bench_row.machine()['processor']}, {os.cpu_count()} cores", flush=True)
    failed: dict[str, str] = {}
    begun = time.monotonic()
    for benchmark in BENCHMARKS:
        asked = [row for row in benchmark.rows if not arguments.only or any(row.startswith(word) for word in arguments.only)]
        missing = [row for row in asked if arguments.again or not kept(arguments.output, row, commit)]
        if not missing:
            continue
        print(f"\n== {benchmark.script}, load average {os.getloadavg()[0]:.1f}, {(time.monotonic() - begun) / 60:.1f} min", flush=True)
        for row in missing:
            bench_row.file_of(arguments.output, row).unlink(missing_ok=True)
        seconds = benchmark.seconds * arguments.minutes / WHOLE_MINUTES
        command = [sys.executable, str(HERE / benchmark.script), "--build", arguments.build, "--output", str(arguments.output), "--models",
                   arguments.models, "--seconds", f"{seconds:g}", "--rows", *missing, *(["--prepare"] if arguments.prepare else [])]
        status = subprocess.run(command, check=False).returncode
        if arguments.prepare:
            failed |= {benchmark.script: f"status {status}"} if status else {}
            continue
        failed |= {row: f"{benchmark.script} ended with {status}" for row in missing if not kept(arguments.output, row, commit)}
    print(f"\n{(time.monotonic() - begun) / 60:.1f} min, commit {commit}, load average {os.getloadavg()[0]:.1f}", flush=True)
    if not arguments.prepare:
        for benchmark in BENCHMARKS:
            for row_id in benchmark.rows:
                if row := kept(arguments.output, row_id, commit):
                    print(bench_row.line_of(row))
    if not arguments.prepare and not arguments.only and not arguments.no_page:
        written = subprocess.run([sys.executable, str(HERE.parent / "tools/performance_page.py"), "--collect", str(arguments.output)], check=False)
        if written.returncode != 0:
            failed["the page"] = f"tools/performance_page.py ended with {written.returncode}"
    for name, reason in failed.items():
        print(f"could not be run: {name}: {reason}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
