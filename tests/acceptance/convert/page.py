"""Writes docs/converted-models.md from what the rows of the list gave: nothing is run, and what did not run says so.

    .deps/venv/bin/python tests/acceptance/convert/page.py [--times] [--output FILE]

Results are those of `make acceptance SUITE=convert`, and of the same with TORCH=newest, in docs/converted-models.json. --times
adds the milliseconds of the conversion and the seconds of torch.export, which mean something when the machine did nothing else.
"""

import argparse
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from suite import ROOT, Results  # noqa: E402

GOAL_SHARE = 0.98


def names() -> list[str]:
    lines = (HERE / "models.txt").read_text().splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def cell_of(row: dict | None) -> list[str]:
    """Result and decibels."""
    if row is None:
        return ["not run", ""]
    return [row["status"], str(row.get("db", ""))]


def times_of(row: dict | None) -> list[str]:
    row = row or {}
    return [f"{row['ms']:.0f}" if "ms" in row else "", f"{row['export_seconds']:.1f}" if "export_seconds" in row else ""]


def summary(title: str, listed: list[str], rows: dict[str, dict]) -> list[str]:
    """Every row of the list counts, but for those that a release of PyTorch cannot give."""
    possible = [name for name in listed if rows.get(name, {}).get("status") != "not possible"]
    passed = [name for name in possible if rows.get(name, {}).get("status") == "passed"]
    ran = sum(name in rows for name in listed)
    versions, commits = (sorted({row[key] for row in rows.values() if key in row}) for key in ("torch", "commit"))
    said = "met" if possible and len(passed) >= GOAL_SHARE * len(possible) else "not met"
    lines = [f"- **{title}** ({', '.join(versions) or 'no archive'}): {len(passed)} of {len(possible)} passed; goal {GOAL_SHARE:.0%}: "
             f"{said}. "
             f"{ran} of {len(listed)} ran" + (f", with Slipway of commit {', '.join(commits)}." if commits else ".")]
    lines += [f"  - `{name}`: {rows[name]['status']}: {' '.join(rows[name].get('reason', '').split())[:300]}"
              for name in possible if name in rows and rows[name]["status"] != "passed"]
    return lines


def page(listed: list[str], first: dict[str, dict], newest: dict[str, dict], with_times: bool) -> str:
    head = ["model", "PyTorch 2.11", "dB", "nodes", *(["ms", "torch.export s"] if with_times else []), "newest", "dB"]
    lines = ["# Models that `slipway convert` was held against", "",
             "Written by `tests/acceptance/convert/page.py` from the results of `make acceptance SUITE=convert`. Each model of",
             "`tests/acceptance/convert/models.txt`, with seeded weights unless it comes from a package with its own, was exported by",
             "`torch.export`, converted, run on ONNX Runtime's CPU provider and compared with PyTorch: 60 dB of signal over error or more",
             "on float outputs, equality on integers. dB is that of the worst output.", "",
             *summary("PyTorch 2.11", listed, first), *summary("The newest PyTorch", listed, newest), "",
             "| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for name in listed:
        row = first.get(name)
        cells = [name, *cell_of(row), str((row or {}).get("nodes", ""))]
        cells += (times_of(row) if with_times else []) + cell_of(newest.get(name))
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=pathlib.Path, default=ROOT / "docs/converted-models.json")
    parser.add_argument("--times", action="store_true", help="with milliseconds: of a machine that did nothing else")
    parser.add_argument("--output", type=pathlib.Path, default=ROOT / "docs/converted-models.md")
    arguments = parser.parse_args()
    first, newest = (Results(arguments.results, suite).read() for suite in ("convert", "convert-newest"))
    if not first:
        parser.error(f"{arguments.results} has no results: run `make acceptance SUITE=convert`")
    arguments.output.write_text(page(names(), first, newest, arguments.times))
    return 0


if __name__ == "__main__":
    sys.exit(main())
