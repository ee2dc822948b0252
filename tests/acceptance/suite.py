"""The loop of every acceptance suite: rows that take minutes each, resumable, and a table at the end.

A suite names its rows and measures one; this runs them. A row's result is in the suite's file of results as soon as it is
known, so that a run may be stopped at any time and is taken up where it was: --again forgets what is there, --failed runs
again what did not pass, and rows that are named on the command line run in any case. A suite whose rows take hours keeps them
in a committed file, so that a run goes on on another machine; others in CACHE. Each row says of which commit the program was.
Whatever a row raises is its result, and the next one runs. The table counts every row of the list, those that did not run
too, and says which rows are of another build of Slipway than the one that is there now. A run that is asked to end closes
first what it had opened.
"""

import argparse
import contextlib
import dataclasses
import fcntl
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
ROOT = pathlib.Path(__file__).resolve().parents[2]


class Suite:
    """What a suite says of itself. A row is {"status": …, "reason": …} and whatever the suite's own table shows."""

    name = ""
    description = ""
    accepted = ("passed",)  # the ends that a row may have in a run that passed
    heading = ""  # of the columns that line() prints
    kept: pathlib.Path | None = None  # a committed file of results; without one they are in the cache

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
    """The rows of one suite in a file of JSON, a line a row, that several suites, and several runs at once, may share."""

    file: pathlib.Path
    suite: str

    def read(self) -> dict[str, dict]:
        return self._all().get(self.suite, {})

    def forget(self) -> None:
        with self._changed() as rows:
            rows.clear()

    def add(self, name: str, row: dict) -> None:
        with self._changed() as rows:
            rows[name] = row

    def _all(self) -> dict[str, dict[str, dict]]:
        return json.loads(self.file.read_text()) if self.file.exists() else {}

    @contextlib.contextmanager
    def _changed(self):
        """The rows that are there now, for a change: what other runs added stays, and a killed one leaves a whole file."""
        folder = os.open(self.file.parent, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            suites = self._all()
            yield suites.setdefault(self.suite, {})
            part = self.file.with_name(self.file.name + ".part")
            part.write_text(_braces({suite: _braces({name: json.dumps(row) for name, row in rows.items()})
                                     for suite, rows in suites.items()}) + "\n")
            part.replace(self.file)
        finally:
            os.close(folder)


def _braces(members: dict[str, str]) -> str:
    return "{\n" + ",\n".join(f"{json.dumps(name)}: {value}" for name, value in sorted(members.items())) + "\n}"


def build_id(build: pathlib.Path) -> str:
    """Of the program that was measured: the first digits of its SHA-256."""
    with (build / "slipway").open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:12]


def commit_of(build: pathlib.Path) -> str:
    """Of a copy of the programs: what its file COMMIT says. Of this checkout's build: HEAD, with + where its source is changed."""
    if (build / "COMMIT").is_file():
        return (build / "COMMIT").read_text().strip()
    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    changed = git("status", "--porcelain", "--", "src", "apps", "proto", "cmake", "CMakeLists.txt")
    return git("rev-parse", "--short", "HEAD") + ("+" if changed else "")


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


def _without_folders(row: dict, arguments) -> dict:
    """Where a machine keeps its files is nobody's business."""
    reason = row.get("reason", "")
    for folder in (arguments.cache, arguments.build, ROOT):
        reason = reason.replace(f"{folder}/", "")
    return row | {"reason": reason} if reason else row


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
    parser.add_argument("--results", type=pathlib.Path, default=suite.kept, help="file of the results")
    parser.add_argument("--commit", help="of the programs, where no file COMMIT beside them says it and they are not this checkout's")
    suite.add_arguments(parser)
    arguments = parser.parse_args(given)
    if not (arguments.build / "slipway").is_file():
        parser.error(f"{arguments.build} lacks slipway: run `make programs`")
    arguments.build, arguments.cache = arguments.build.resolve(), arguments.cache.absolute()
    arguments.cache.mkdir(parents=True, exist_ok=True)
    listed = arguments.names or suite.rows()
    if unknown := [name for name in listed if name not in suite.rows()]:
        parser.error(f"no row {', '.join(unknown)}")
    results = Results((arguments.results or arguments.cache / "results.json").absolute(), suite.name)
    if arguments.again:
        results.forget()
    rows, build = results.read(), build_id(arguments.build)
    commit = arguments.commit or commit_of(arguments.build)
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
                row = _without_folders(_measured(measure, name), arguments)
                rows[name] = row | {"seconds": round(time.perf_counter() - start, 1), "build": build, "commit": commit}
                results.add(name, rows[name])
                _say(name, rows[name], suite.line(rows[name]), width)
    shown = [{**rows.get(name, {"status": "not run"}), "name": name} for name in listed]
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
