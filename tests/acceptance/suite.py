"""The loop of every acceptance suite: rows that take minutes each, resumable, and a table at the end.

A suite names its rows and measures one; this runs them. A row's result is a line of CACHE/results.jsonl as soon as it is
known, so that a run may be stopped at any time and is taken up where it was: --again forgets what is there, --failed runs
again what did not pass, and rows that are named on the command line run in any case. Whatever a row raises is its result, and
the next one runs. The table counts every row of the list, those that did not run too, and says which rows are of another
build of Slipway than the one that is there now. A run that is asked to end closes first what it had opened.
"""

import argparse
import contextlib
import dataclasses
import hashlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable

Measure = Callable[[str], dict]


class Suite:
    """What a suite says of itself. A row is {"status": …, "reason": …} and whatever the suite's own table shows."""

    name = ""
    description = ""
    accepted = ("passed",)  # the ends that a row may have in a run that passed
    heading = ""  # of the columns that line() prints

    def rows(self) -> list[str]:
        raise NotImplementedError

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Options beside those that every suite has."""

    def opened(self, arguments: argparse.Namespace) -> contextlib.AbstractContextManager[Measure]:
        """Whatever the rows need in common, for as long as they run: gives the function that measures one."""
        raise NotImplementedError

    def line(self, row: dict) -> str:
        return row.get("reason", "")

    def closing(self, arguments: argparse.Namespace, rows: list[dict]) -> list[str]:
        """What is said below the table."""
        return []


@dataclasses.dataclass
class Results:
    """One line of JSON a row; the last of a name counts."""

    file: pathlib.Path

    def read(self) -> dict[str, dict]:
        if not self.file.exists():
            return {}
        lines = self.file.read_text().split("\n")
        rows = [json.loads(line) for line in lines[:-1]]  # what a killed run began to write has no end of line
        return {row["name"]: row for row in rows}

    def forget(self) -> None:
        self.file.unlink(missing_ok=True)

    def add(self, row: dict) -> None:
        text = self.file.read_bytes() if self.file.exists() else b""
        if text and not text.endswith(b"\n"):
            self.file.write_bytes(text[: text.rfind(b"\n") + 1])
        with self.file.open("a") as file:
            file.write(json.dumps(row) + "\n")


def build_id(build: pathlib.Path) -> str:
    """Of the program that was measured: the first digits of its SHA-256."""
    with (build / "slipway").open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:12]


def run_group(command: list[str], timeout: float, **options) -> subprocess.CompletedProcess:
    """subprocess.run(), but what the command started ends with it: when time is up, or when this run is asked to end."""
    with subprocess.Popen(command, start_new_session=True, **options) as process:
        try:
            output, errors = process.communicate(timeout=timeout)
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            raise
        return subprocess.CompletedProcess(command, process.returncode, output, errors)


def _measured(measure: Measure, name: str) -> dict:
    try:
        return measure(name)
    except subprocess.TimeoutExpired as error:
        return {"status": "out of time", "reason": str(error)[:200]}
    except Exception as error:  # whatever a row raises is its result
        return {"status": "failed", "reason": f"{type(error).__name__}: {error}"[:400]}


def _say(name: str, row: dict, line: str, width: int) -> None:
    print(f"{name:{width}} {row['status']:13} {row.get('seconds', ''):>7}  {line}", flush=True)


def run(suite: Suite, given: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=suite.description)
    parser.add_argument("names", nargs="*", help="rows of the list; all when none is named")
    parser.add_argument("--cache", type=pathlib.Path, default=pathlib.Path(".cache/acceptance") / suite.name)
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build/release"), help="folder of the executables")
    parser.add_argument("--again", action="store_true", help="forgets the results that are there")
    parser.add_argument("--failed", action="store_true", help="runs again what did not pass")
    parser.add_argument("--table", action="store_true", help="runs nothing: the table of what is there")
    suite.add_arguments(parser)
    arguments = parser.parse_args(given)
    if not (arguments.build / "slipway").is_file():
        parser.error(f"{arguments.build} lacks slipway: run `make programs`")
    arguments.build, arguments.cache = arguments.build.resolve(), arguments.cache.absolute()
    arguments.cache.mkdir(parents=True, exist_ok=True)
    listed = arguments.names or suite.rows()
    if unknown := [name for name in listed if name not in suite.rows()]:
        parser.error(f"no row {', '.join(unknown)}")
    results = Results(arguments.cache / "results.jsonl")
    if arguments.again:
        results.forget()
    rows, build = results.read(), build_id(arguments.build)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))

    def is_wanted(name: str) -> bool:
        if arguments.names or name not in rows:
            return True
        return arguments.failed and rows[name]["status"] not in suite.accepted

    width = max(map(len, suite.rows()))
    wanted = [] if arguments.table else [name for name in listed if is_wanted(name)]
    if wanted:
        with suite.opened(arguments) as measure:
            for name in wanted:
                start = time.perf_counter()
                row = _measured(measure, name)
                rows[name] = {"name": name, **row, "seconds": round(time.perf_counter() - start, 1), "build": build}
                results.add(rows[name])
                _say(name, rows[name], suite.line(rows[name]), width)
    shown = [{"name": name, **rows.get(name, {"status": "not run"})} for name in listed]
    print(f"\n{suite.name:{width}} {'result':13} {'seconds':>7}  {suite.heading}")
    for row in shown:
        _say(row["name"], row, suite.line(row), width)
    for text in suite.closing(arguments, shown):
        print(text)
    if other := sum(row.get("build", build) != build for row in shown):
        print(f"{other} of these rows are of another build than the one in {arguments.build} (--again)")
    counts: dict[str, int] = {}
    for row in shown:
        counts[row["status"]] = counts.get(row["status"], 0) + 1
    passed = counts.get("passed", 0)
    print(f"\n{passed} of {len(listed)} passed ({100 * passed / max(len(listed), 1):.1f} %); "
          + ", ".join(f"{count} {status}" for status, count in sorted(counts.items())))
    return 0 if all(row["status"] in suite.accepted for row in shown) else 1
