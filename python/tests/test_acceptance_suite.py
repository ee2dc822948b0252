"""The loop of the acceptance suites: what is known stays known, and the table leaves nothing out."""

import contextlib
import json
import math
import os
import pathlib
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests" / "acceptance"))

from decibels import decibels  # noqa: E402
from suite import Results, Suite, run, run_group  # noqa: E402


class Letters(Suite):
    name = "letters"
    heading = "of each"

    def __init__(self, ends: dict):
        self.ends, self.measured, self.is_open = ends, [], False

    def rows(self):
        return ["a", "b", "c"]

    @contextlib.contextmanager
    def opened(self, arguments):
        self.is_open = True
        yield self._measure
        self.is_open = False

    def _measure(self, name):
        self.measured.append(name)
        end = self.ends.get(name, "passed")
        if isinstance(end, BaseException):
            raise end
        return {"status": end}


@pytest.fixture
def options(tmp_path):
    (tmp_path / "build").mkdir()
    (tmp_path / "build" / "slipway").write_text("one")
    (tmp_path / "build" / "COMMIT").write_text("0123abc\n")
    return ["--cache", str(tmp_path / "cache"), "--build", str(tmp_path / "build")]


def test_a_run_that_was_stopped_is_taken_up_where_it_was(options):
    stopped = Letters({"b": KeyboardInterrupt()})
    with pytest.raises(KeyboardInterrupt):
        run(stopped, options)
    again = Letters({})
    assert run(again, options) == 0
    assert again.measured == ["b", "c"]
    assert not again.is_open


def test_what_a_committed_file_has_counts_as_run_and_other_suites_rows_stay(options, tmp_path):
    kept = tmp_path / "kept.json"
    kept.write_text(json.dumps({"letters": {"b": {"status": "passed", "commit": "4567def"}}, "digits": {"1": {"status": "wrong"}}}))
    suite = Letters({"c": ValueError(f"{tmp_path / 'cache'}/c.pt2 is empty")})
    suite.kept = kept
    assert run(suite, options) == 1
    assert suite.measured == ["a", "c"]
    found = json.loads(kept.read_text())
    assert found["digits"] == {"1": {"status": "wrong"}}
    assert {name: row["commit"] for name, row in found["letters"].items()} == {"a": "0123abc", "b": "4567def", "c": "0123abc"}
    assert found["letters"]["c"]["reason"] == "ValueError: c.pt2 is empty"
    assert run(Letters({}), [*options, "--results", str(kept), "--commit", "89abcde", "--again"]) == 0
    assert {row["commit"] for row in json.loads(kept.read_text())["letters"].values()} == {"89abcde"}


def test_what_another_run_adds_meanwhile_stays(options, tmp_path):
    class Beside(Letters):
        def _measure(self, name):
            Results(tmp_path / "cache" / "results.json", "letters").add("c", {"status": "passed", "by": "another"})
            return super()._measure(name)

    assert run(Beside({}), [*options, "a"]) == 0
    assert Results(tmp_path / "cache" / "results.json", "letters").read()["c"]["by"] == "another"


def test_whatever_a_row_raises_is_its_result_and_the_next_one_runs(options, capsys):
    suite = Letters({"a": ValueError("no such thing"), "b": subprocess.TimeoutExpired("convert", 3)})
    assert run(suite, options) == 1
    assert suite.measured == ["a", "b", "c"]
    table = capsys.readouterr().out
    assert "ValueError: no such thing" in table
    assert "1 of 3 passed (33.3 %); 1 failed, 1 out of time, 1 passed" in table


def test_failed_rows_run_again_when_asked_and_only_then(options):
    assert run(Letters({"b": "wrong"}), options) == 1
    settled = Letters({})
    assert run(settled, options) == 1
    assert settled.measured == []
    failed = Letters({})
    assert run(failed, [*options, "--failed"]) == 0
    assert failed.measured == ["b"]
    everything = Letters({})
    assert run(everything, [*options, "--again"]) == 0
    assert everything.measured == ["a", "b", "c"]


def test_the_table_counts_what_did_not_run_and_names_other_builds(options, tmp_path, capsys):
    assert run(Letters({}), [*options, "a"]) == 0
    (tmp_path / "build" / "slipway").write_text("another")
    capsys.readouterr()
    assert run(Letters({}), [*options, "--table"]) == 1
    table = capsys.readouterr().out
    assert "1 of 3 passed (33.3 %); 2 not run, 1 passed" in table
    assert "1 of these rows are of another build" in table


def test_a_row_that_is_not_on_the_list_is_refused(options):
    with pytest.raises(SystemExit):
        run(Letters({}), [*options, "d"])


def is_gone(pid: int) -> bool:
    stat = pathlib.Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z"


def eventually(condition) -> bool:
    end = time.monotonic() + 20
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()


def test_what_a_command_started_ends_with_it_when_time_is_up(tmp_path):
    pid_file = tmp_path / "pid"
    with pytest.raises(subprocess.TimeoutExpired):
        run_group(["bash", "-c", f"sleep 600 & echo $! > {pid_file}; wait"], 1)
    assert eventually(lambda: is_gone(int(pid_file.read_text())))


ENDLESS = """
import contextlib, pathlib, sys, time
sys.path.insert(0, sys.argv.pop(1))
from suite import Suite, run
class Endless(Suite):
    name = "endless"
    def rows(self):
        return ["a"]
    @contextlib.contextmanager
    def opened(self, arguments):
        try:
            yield self.measure
        finally:
            (arguments.cache / "closed").touch()
    def measure(self, name):
        print("measures", flush=True)
        time.sleep(600)
run(Endless())
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_run_that_is_asked_to_end_closes_what_it_had_opened(options, tmp_path, number):
    folder = str(pathlib.Path(__file__).resolve().parents[2] / "tests" / "acceptance")
    # A runner in the background gives its children an ignored SIGINT.
    as_shell = lambda: [signal.signal(each, signal.SIG_DFL) for each in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)]
    with subprocess.Popen([sys.executable, "-c", ENDLESS, folder, *options], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          text=True, preexec_fn=as_shell) as running:
        assert running.stdout.readline() == "measures\n"
        os.kill(running.pid, number)
        assert running.wait(20) != 0
    assert (tmp_path / "cache" / "closed").exists()
    assert not (tmp_path / "cache" / "results.json").exists()


@pytest.mark.parametrize("expected, given, wanted", [
    ([1.0, 2.0], [1.0, 2.0], math.inf),
    ([1.0, 0.0], [1.0, 0.1], 20.0),
    ([1.0, math.nan], [1.0, math.nan], math.inf),
    ([1.0, math.nan], [1.0, 2.0], -math.inf),
    ([1.0, 2.0], [1.0, math.inf], -math.inf),
    ([0.0, 0.0], [0.0, 0.1], -math.inf),
    ([1.0, 2.0], [1.0], -math.inf),
    ([], [], math.inf),
])
def test_decibels_of_odd_numbers(expected, given, wanted):
    assert decibels(np.array(expected), np.array(given)) == pytest.approx(wanted)
