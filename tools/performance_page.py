"""Writes docs/performance.md, and what guides quote of it, from docs/performance.json; with --check, sees that they agree.

    tools/performance_page.py --collect build/bench   collects the rows that `make bench` left into docs/performance.json, writes the page
    tools/performance_page.py                      writes the page and the quotations from docs/performance.json
    tools/performance_page.py --check              status 1 when a row breaks a rule, or a page differs from what would be written

Reasons for missed goals and lost rows stand in docs/performance-notes.json by row. A guide quotes rows between
`<!-- figures: ROW … -->` and `<!-- /figures -->` (a table of them), or `<!-- figure: ROW ours|ratio|peer -->` and `<!-- /figure -->`.
"""

from __future__ import annotations

import argparse
import json
import math
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "benchmarks"))
import bench_row  # noqa: E402
from catalogue import BENCHMARKS, ROWS  # noqa: E402

FEWEST_ROUNDS = 3
BLOCK = re.compile(r"(<!-- figures: ([^>]*?) -->\n)(.*?)(<!-- /figures -->)", re.DOTALL)
INLINE = re.compile(r"(<!-- figure: (\S+) (ours|ratio|peer) -->)(.*?)(<!-- /figure -->)", re.DOTALL)

INTRODUCTION = """# Measured beside the peers

Written by `tools/performance_page.py` from [performance.json](performance.json), which `make bench` leaves; nothing here is put in by hand.

Every row keeps these rules, and `tools/performance_page.py --check` (part of `make lint`) fails when one does not:

1. **Same threads.** The ratio is against the strongest peer that was given as many threads as ours.
2. **Same stages.** All start from the same input at the same stage (pictures: decoded pixels in memory) and end with the same outputs.
3. **Default and best.** Each peer is measured as it comes and at the best setting that its documentation names; both are shown.
4. **Same precision**, or the row says why there is none.
5. **By turns.** All contenders run in one session, round by round, in an order that turns; the first round warms up. Figures are medians over
   rounds, ratios medians of each round's own ratio, and brackets hold their quartiles. Every sample is in the JSON, and medians and ratios
   are computed from those again. Between two turns lie 50 ms, in which threads of a session that just ran may stop spinning.
6. **The limit.** The share is that of the machine's fastest product of the same precision (rows `machine.…`), by operations of products and
   convolutions counted in the graph.
7. **Lost rows stay**, missed goals too, with the reason.

A ratio above 1 means that ours is faster. The goal of a row with peers is 1.0 unless it names another."""


def number(value: float) -> str:
    """Three figures that mean something."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:,.{digits}f}"


def amount(row: dict, contender: dict) -> str:
    low, high = contender["spread"]
    return f"{number(contender['value'])} [{number(low)}, {number(high)}] {row['unit']}"


def setting(contender: dict) -> str:
    words = [contender["setting"]] if contender["setting"] else []
    if contender["threads"] is not None:
        words.append(f"{contender['threads']} thread{'s' if contender['threads'] != 1 else ''}")
    return ", ".join(words)


def goal_text(row: dict) -> str:
    goal = row.get("goal")
    if not goal:
        return ""
    sign, wanted = ("≥", goal["least"]) if "least" in goal else ("≤", goal["most"])
    unit = "×" if goal["of"] == "ratio" else row["unit"]
    text = f"{sign} {wanted:g} {unit}: "
    return text + ("met" if goal["met"] else "**missed**")


def limit_text(row: dict, rows: dict[str, dict]) -> str:
    peak = rows.get(f"machine.{row['ours']['precision']}")
    if not row.get("gflop") or not peak or "ours" not in peak:
        return ""
    seconds = row["ours"]["value"] * {"s": 1, "ms": 1e-3}[row["unit"]]
    return f"{row['gflop'] / seconds / peak['ours']['value']:.0%}"


def ratio_text(row: dict) -> str:
    if "ratio" not in row:
        return ""
    ratio = row["ratio"]
    low, high = ratio["spread"]
    text = f"{ratio['value']:.2f} [{low:.2f}, {high:.2f}]"
    return f"**{text}**" if ratio["value"] < 1 else text


def table(ids: list[str], rows: dict[str, dict]) -> list[str]:
    lines = ["| what | ours | strongest peer, same threads | ratio | of the limit | goal |", "|---|--:|--:|--:|--:|---|"]
    for row_id in ids:
        row = rows.get(row_id)
        if row is None or "could_not_run" in row:
            lines.append(f"| `{row_id}` | could not be run | | | | |")
        elif "not_here" in row:
            lines.append(f"| {row['what']} | not on this machine | | | | |")
        else:
            peer = bench_row.strongest(row)
            shown = f"{amount(row, peer)}, {peer['name']}" if peer else ""
            lines.append(f"| {row['what']} | {amount(row, row['ours'])} | {shown} | {ratio_text(row)} | {limit_text(row, rows)} | {goal_text(row)} |")
    return lines


def details(ids: list[str], rows: dict[str, dict], notes: dict[str, str]) -> list[str]:
    """Under a table: what each row is from and to, all settings of all peers, who could not run it, why a goal is missed."""
    lines = []
    for row_id in ids:
        row = rows.get(row_id)
        if row is None or "could_not_run" in row:
            lines.append(f"- **`{row_id}`** could not be run: {(row or {}).get('could_not_run', 'no row was left')}.")
            continue
        if "not_here" in row:
            lines.append(f"- **{row['what']}**: {row['not_here']}.")
            continue
        parts = [f"ours: {row['ours']['name']}" + (f", {setting(row['ours'])}" if setting(row["ours"]) else "")]
        parts += [f"{peer['name']} ({setting(peer)}{'' if peer['precision'] == row['ours']['precision'] else ', ' + peer['precision']}) {amount(row, peer)}"
                  for peer in row["peers"]]
        parts += [f"{each['name']}: {each['reason']}" for each in row["not_run"]]
        parts += [f"{key} {value if isinstance(value, str) else number(value)}" for key, value in row["facts"].items()]
        if row["precision_note"]:
            parts.append(row["precision_note"])
        lines.append(f"- **{row['what']}**, from {row['from']} to {row['to']}, {len(row['ours']['samples'])} rounds: " + "; ".join(parts) + ".")
        if is_lost(row):
            lines.append(f"  - *{'Goal missed' if row['goal'] and not row['goal']['met'] else 'Lost'}*: {notes.get(row_id, 'no reason is noted yet')}")
        elif row_id in notes:
            lines.append(f"  - {notes[row_id]}")
    return lines


def is_lost(row: dict) -> bool:
    return bool(row.get("goal") and not row["goal"]["met"]) or row.get("ratio", {}).get("value", 1) < 1


def page(rows: dict[str, dict], notes: dict[str, str]) -> str:
    taken = [row for row in rows.values() if "commit" in row]
    parts = [INTRODUCTION]
    if taken:
        machines = sorted({f"{row['machine']['processor']}, {row['machine']['cores']} cores ({', '.join(row['machine']['instructions'])}), "
                           f"{row['machine']['memory_gb']} GB" for row in taken})
        loads = [load[0] for row in taken for load in row["load_average"]]
        dates = sorted(row["date"] for row in taken)
        parts.append(f"Taken {dates[0]} to {dates[-1]} (UTC), commit {', '.join(sorted({row['commit'] for row in taken}))}, on: {'; '.join(machines)}. "
                     f"Load average beside the rows {min(loads):.1f} to {max(loads):.1f} (a row's own threads count in it).")
    lost = [row for row in rows.values() if "ours" in row and is_lost(row)]
    missing = [row_id for row_id in ROWS if row_id not in rows or "could_not_run" in rows[row_id]]
    if lost:
        parts.append(f"Lost or missed: {len(lost)} of {len(ROWS)} rows: " + "; ".join(row["what"] for row in lost) + ".")
    if missing:
        parts.append(f"Could not be run: {', '.join(f'`{row_id}`' for row_id in missing)}.")
    sections: dict[str, list[str]] = {}
    for benchmark in BENCHMARKS:
        sections.setdefault(benchmark.section, []).extend(benchmark.rows)
    for section, ids in sections.items():
        parts.append("\n".join([f"## {section}", "", *table(ids, rows), "", *details(ids, rows, notes)]))
    return "\n\n".join(parts) + "\n"


def faults_of(row: dict) -> list[str]:
    """The rules that a row breaks, in words."""
    found = []
    if row.get("schema") != bench_row.SCHEMA:
        return [f"schema {row.get('schema')}, expected {bench_row.SCHEMA}"]
    if "could_not_run" in row:
        return []
    found += [f"has no {key}" for key in ("commit", "machine", "load_average", "date") if not row.get(key)]
    if "not_here" in row:
        return found
    everyone = [row["ours"], *row["peers"]]
    rounds = {len(each["samples"]) for each in everyone}
    if len(rounds) != 1:
        found.append(f"not by turns: {sorted(rounds)} samples")
    if min(rounds) < FEWEST_ROUNDS:
        found.append(f"{min(rounds)} rounds, at least {FEWEST_ROUNDS} are wanted")
        return found
    for each in everyone:
        for stage in ("from", "to"):
            if each[stage] != row[stage]:
                found.append(f"{each['name']} is taken {stage} {each[stage]}, the row {stage} {row[stage]}")
    if row["peers"]:
        found += setting_faults(row)
    again = bench_row.summary({key: value for key, value in row.items() if key != "ratio"})
    for key in ("ours", "peers", "ratio", "goal"):
        if not same(row.get(key), again.get(key)):
            found.append(f"{key} is not what its samples give")
    return found


def setting_faults(row: dict) -> list[str]:
    found = []
    ours = row["ours"]
    for name in sorted({peer["name"] for peer in row["peers"]}):
        settings = [peer for peer in row["peers"] if peer["name"] == name]
        for wanted in ("default", "best"):
            if not any(wanted in peer["setting"] for peer in settings):
                found.append(f"{name} is not measured at its {wanted} setting")
        best = [peer for peer in settings if "best" in peer["setting"]]
        if best and not any(peer["threads"] == ours["threads"] for peer in best):
            found.append(f"{name}'s best has {best[0]['threads']} threads, ours {ours['threads']}")
    if bench_row.strongest(row) is None:
        found.append(f"no peer has our threads and precision ({ours['threads']}, {ours['precision']}), and no note says why")
    elif "ratio" not in row:
        found.append("has no ratio")
    return found


def same(one: object, other: object) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9)
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


def quoted(text: str, rows: dict[str, dict], where: str, faults: list[str]) -> str:
    """The text with its quotations as the rows have them."""
    def block(match: re.Match) -> str:
        ids = match[2].split()
        faults.extend(f"{where} quotes {row_id}, which is no row" for row_id in ids if row_id not in ROWS)
        return match[1] + "\n".join(table(ids, rows)) + "\n" + match[4]

    def inline(match: re.Match) -> str:
        row = rows.get(match[2])
        if row is None or "ours" not in row:
            faults.append(f"{where} quotes {match[2]}, which was not measured")
            return match[0]
        peer = bench_row.strongest(row)
        value = {"ours": f"{number(row['ours']['value'])} {row['unit']}", "ratio": f"{row['ratio']['value']:.2f}" if "ratio" in row else "",
                 "peer": f"{number(peer['value'])} {row['unit']}" if peer else ""}[match[3]]
        return match[1] + value + match[5]

    return INLINE.sub(inline, BLOCK.sub(block, text))


def collect(folder: pathlib.Path) -> list[dict]:
    """The rows of the catalogue as they lie in a folder; those that are not there say so."""
    rows = []
    for row_id, benchmark in ROWS.items():
        try:
            rows.append(json.loads(bench_row.file_of(folder, row_id).read_text()))
        except (OSError, ValueError) as error:
            rows.append({"schema": bench_row.SCHEMA, "id": row_id, "could_not_run": f"{benchmark.script} left no row ({type(error).__name__})"})
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--docs", type=pathlib.Path, default=ROOT / "docs")
    parser.add_argument("--readme", type=pathlib.Path, default=ROOT / "README.md")
    parser.add_argument("--collect", type=pathlib.Path, metavar="FOLDER", help="of the rows of `make bench`")
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    source, target = arguments.docs / "performance.json", arguments.docs / "performance.md"
    if arguments.collect:
        source.write_text(json.dumps({"schema": "bench/1", "rows": collect(arguments.collect)}, indent=None, separators=(",", ":")).replace('{"schema":"bench-row', '\n{"schema":"bench-row') + "\n")
    if not source.exists():
        if target.exists() and not target.read_text().startswith(INTRODUCTION[:200]):
            print(f"{source.name} is not there yet: `make bench` writes it, and the page from it")
            return 0
        print(f"{target} is written from {source}, which is not there", file=sys.stderr)
        return 1
    listed = json.loads(source.read_text())["rows"]
    rows = {row["id"]: row for row in listed}
    notes_file = arguments.docs / "performance-notes.json"
    notes = json.loads(notes_file.read_text()) if notes_file.exists() else {}
    faults = [f"row {row_id}: {fault}" for row_id, row in rows.items() for fault in faults_of(row)]
    faults += [f"row {row_id} of the catalogue is missing" for row_id in ROWS if row_id not in rows]
    faults += [f"row {row_id} is not in the catalogue" for row_id in rows if row_id not in ROWS]
    faults += [f"{notes_file.name} has a note on {row_id}, which is no row" for row_id in notes if row_id not in ROWS]
    wanted = {target: page(rows, notes)}
    for guide in [arguments.readme, *sorted((arguments.docs / "guides").glob("*.md"))]:
        if guide.exists():
            wanted[guide] = quoted(guide.read_text(), rows, guide.name, faults)
    for path, text in wanted.items():
        if arguments.check:
            if not path.exists() or path.read_text() != text:
                faults.append(f"{path.name} is not what {pathlib.Path(__file__).name} writes: run it")
        else:
            path.write_text(text)
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
