"""`make bench` goes on where it was stopped, row by row, and fails when a row could not be taken."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))

import bench_row  # noqa: E402
import run  # noqa: E402
from catalogue import Benchmark  # noqa: E402

SCRIPT = f"""
import pathlib, sys
sys.path.insert(0, {str(ROOT / 'benchmarks')!r})
from bench_command import make_parser
from bench_row import Contender, Rows
options = make_parser("a benchmark").parse_args()
log = pathlib.Path(__file__).with_suffix(".log")
log.write_text((log.read_text() if log.exists() else "") + " ".join(options.rows) + "\\n")
rows = Rows(options.output, options.rows)
for row in options.rows:
    if row == "broken" and not (pathlib.Path(__file__).parent / "repaired").exists():
        sys.exit(7)
    rows.write(row, row, ("a", "b"), "ms", Contender("ours", "best", 2, samples=[1.0, 1.0, 1.0]))
"""


@pytest.fixture
def bench(tmp_path: Path, monkeypatch):
    """The benchmark's script, and a way to run the whole."""
    script = tmp_path / "one.py"
    script.write_text(SCRIPT)
    monkeypatch.setattr(run, "HERE", tmp_path)
    monkeypatch.setattr(run, "BENCHMARKS", (Benchmark("one.py", "Section", 1, ("fine", "broken")),))

    def start(*arguments: str) -> int:
        monkeypatch.setattr(sys, "argv", ["run.py", "--output", str(tmp_path / "rows"), "--no-page", *arguments])
        return run.main()
    return script, start


def asked(script: Path) -> list[str]:
    return script.with_suffix(".log").read_text().splitlines()


def test_a_row_that_could_not_be_taken_fails_and_is_named(bench, capsys):
    _, start = bench
    assert start() == 1
    assert "could not be run: broken: one.py ended with 7" in capsys.readouterr().out


def test_a_second_run_takes_the_missing_rows_alone(bench):
    script, start = bench
    assert start() == 1
    (script.parent / "repaired").touch()
    assert start() == 0
    assert asked(script) == ["fine broken", "broken"]
    assert start() == 0 and len(asked(script)) == 2


def test_rows_of_another_commit_are_taken_anew(bench, monkeypatch):
    script, start = bench
    (script.parent / "repaired").touch()
    assert start() == 0
    monkeypatch.setattr(bench_row, "commit", lambda: "another")
    assert start() == 1  # the rows that the script writes are still of the old commit
    assert asked(script) == ["fine broken", "fine broken"]
