"""The page of figures is what its script writes, and a row that breaks a rule of the page is named."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "benchmarks"), str(ROOT / "tools")]

import bench_row  # noqa: E402
import performance_page  # noqa: E402
from bench_row import Contender  # noqa: E402
from catalogue import ROWS  # noqa: E402


def write_fair_row(folder: Path, row_id: str = "yolov8n") -> dict:
    rows = bench_row.Rows(folder, None)
    rows.write(row_id, "a network", ("decoded pixels", "boxes"), "ms", Contender("ours", "best", 2, samples=[2.0, 2.2, 2.1, 2.05]),
               [Contender("peer", "default", 1, samples=[8.0, 8.1, 8.2, 8.3]), Contender("peer", "best", 2, samples=[4.0, 4.2, 4.4, 4.1])],
               goal={"of": "ratio", "least": 1.0})
    return json.loads(bench_row.file_of(folder, row_id).read_text())


@pytest.fixture
def row(tmp_path: Path) -> dict:
    return write_fair_row(tmp_path)


def test_a_fair_row_has_no_fault_and_its_ratio_is_the_median_of_the_rounds(row):
    assert performance_page.faults_of(row) == []
    rounds = [a / b for a, b in zip([4.0, 4.2, 4.4, 4.1], [2.0, 2.2, 2.1, 2.05])]
    assert row["ratio"]["value"] == pytest.approx(statistics.median(rounds))
    assert row["ratio"]["spread"] == pytest.approx(statistics.quantiles(rounds, n=4, method="inclusive")[::2])


def drop_default(row):
    row["peers"] = [peer for peer in row["peers"] if peer["setting"] != "default"]


def give_best_one_thread(row):
    row["peers"][1]["threads"] = 1


def begin_later(row):
    row["peers"][1]["from"] = "a JPEG file"


def end_earlier(row):
    row["peers"][1]["to"] = "boxes without masks"


def lose_a_round(row):
    row["peers"][1]["samples"].pop()


def prettify(row):
    row["ours"]["value"] = 1.0


def raise_ratio(row):
    row["ratio"]["value"] *= 1.2


def call_goal_met(row):
    row["goal"] = {"of": "value", "most": 1.0, "met": True}


def change_precision(row):
    row["peers"][1]["precision"] = "int8"


def forget_load(row):
    row["load_average"] = None


def forget_spread(row):
    del row["ratio"]["spread"]


@pytest.mark.parametrize(("spoil", "word"), [
    (drop_default, "default"), (give_best_one_thread, "threads"), (begin_later, "JPEG"), (end_earlier, "without masks"), (lose_a_round, "turns"),
    (prettify, "ours"), (raise_ratio, "ratio"), (call_goal_met, "goal"), (change_precision, "precision"), (forget_load, "load_average"),
    (forget_spread, "ratio")], ids=lambda each: getattr(each, "__name__", ""))
def test_a_row_that_breaks_a_rule_is_named(row, spoil, word):
    spoil(row)
    assert any(word in fault for fault in performance_page.faults_of(row)), performance_page.faults_of(row)


def run_page(docs: Path, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, str(ROOT / "tools/performance_page.py"), "--docs", str(docs), "--readme", str(docs / "README.md"), *arguments],
                          capture_output=True, text=True, check=False)


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    folder = tmp_path / "docs"
    (folder / "guides").mkdir(parents=True)
    for row_id in ("yolov8n", "demucs.float32"):
        write_fair_row(tmp_path / "rows", row_id)
    (folder / "guides/one.md").write_text("Ours takes <!-- figure: yolov8n ours -->9 ms<!-- /figure -->.\n\n"
                                          "<!-- figures: demucs.float32 -->\n<!-- /figures -->\n")
    assert run_page(folder, "--collect", str(tmp_path / "rows")).returncode == 0
    return folder


def test_the_page_and_the_guides_are_written_from_the_rows_alone(docs):
    assert run_page(docs, "--check").returncode == 0
    page, guide = (docs / "performance.md").read_text(), (docs / "guides/one.md").read_text()
    assert "| a network |" in page and "2.08 [2.04, 2.12] ms" in page
    assert "<!-- figure: yolov8n ours -->2.08 ms<!-- /figure -->" in guide and "| a network |" in guide


def test_rows_that_could_not_be_taken_stay_on_the_page(docs):
    page = (docs / "performance.md").read_text()
    assert all(f"`{row_id}`" in page for row_id in ROWS if row_id not in ("yolov8n", "demucs.float32"))


@pytest.mark.parametrize("file", ["performance.md", "guides/one.md"])
def test_a_figure_that_was_changed_by_hand_fails_the_check(docs, file):
    path = docs / file
    path.write_text(path.read_text().replace("2.08", "1.08", 1))
    done = run_page(docs, "--check")
    assert done.returncode == 1 and path.name in done.stderr


def test_a_missing_json_fails_the_check_of_a_page_that_was_written_from_one(docs):
    (docs / "performance.json").unlink()
    assert run_page(docs, "--check").returncode == 1


def test_a_quotation_of_a_row_that_there_is_not_fails_the_check(docs):
    (docs / "guides/one.md").write_text("<!-- figure: nothing.here ratio -->1<!-- /figure -->\n")
    assert run_page(docs, "--check").returncode == 1


def test_a_missed_goal_stays_with_its_reason(docs, tmp_path):
    rows = bench_row.Rows(tmp_path / "rows", None)
    rows.write("yolov8n", "a network", ("pixels", "boxes"), "ms", Contender("ours", "best", 2, samples=[4.0, 4.0, 4.0]),
               [Contender("peer", "default and best", 2, samples=[2.0, 2.0, 2.0])], goal={"of": "ratio", "least": 1.0})
    (docs / "performance-notes.json").write_text(json.dumps({"yolov8n": "the reason is the cache"}))
    assert run_page(docs, "--collect", str(tmp_path / "rows")).returncode == 0
    page = (docs / "performance.md").read_text()
    assert "**missed**" in page and "**0.50 [0.50, 0.50]**" in page and "the reason is the cache" in page
