"""The page of converted models leaves no row of the list out, and says which did not run."""

import json
import pathlib
import subprocess
import sys

import pytest

PAGE = pathlib.Path(__file__).resolve().parents[2] / "tests/acceptance/convert/page.py"
ROWS = {"official/resnet18": {"status": "passed", "db": 127.9, "nodes": 71, "ms": 147.1, "export_seconds": 2.5, "torch": "2.11.0",
                              "commit": "0123abc"},
        "timm/dla34": {"status": "refused", "reason": "no operator\nof this table", "torch": "2.11.0", "commit": "4567def"}}


@pytest.fixture
def write(tmp_path):
    def written(*options: str, rows=ROWS) -> str:
        (tmp_path / "results.json").write_text(json.dumps({"convert": rows}))
        command = [sys.executable, PAGE, "--results", tmp_path / "results.json", "--output", tmp_path / "page.md"]
        subprocess.run([*command, *options], check=True)
        return (tmp_path / "page.md").read_text()
    return written


def listed() -> list[str]:
    return [line for line in PAGE.with_name("models.txt").read_text().splitlines() if line and not line.startswith("#")]


def test_every_row_of_the_list_has_a_line_and_counts(write):
    text = write()
    assert [line.split(" | ")[0].removeprefix("| ") for line in text.splitlines() if line.startswith("| ")][1:] == listed()
    assert (f"1 of {len(listed())} passed; goal 98%: not met. 2 of {len(listed())} ran, with Slipway of commit "
            "0123abc, 4567def." in text)
    assert "`timm/dla34`: refused: no operator of this table" in text
    assert "| official/squeezenet1_1 | not run |  |  | not run |  |" in text
    assert "| official/resnet18 | passed | 127.9 | 71 | not run |  |" in text


def test_times_stand_there_only_when_they_are_asked_for(write):
    assert "147" not in write()
    assert "| official/resnet18 | passed | 127.9 | 71 | 147 | 2.5 | not run |  |" in write("--times")


def test_the_goal_is_met_by_the_list_and_not_by_what_ran(write):
    assert "goal 98%: met" in write(rows={name: {"status": "passed"} for name in listed()})
    assert "goal 98%: met" not in write(rows={listed()[0]: {"status": "passed"}})


def test_the_committed_page_is_of_the_committed_results(tmp_path):
    subprocess.run([sys.executable, PAGE, "--output", tmp_path / "page.md"], check=True)
    docs = PAGE.parents[3] / "docs"
    assert (tmp_path / "page.md").read_text() == (docs / "converted-models.md").read_text(), f"run {PAGE.relative_to(docs.parent)}"
