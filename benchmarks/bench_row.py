"""A row of the page of figures, as every benchmark writes it, and the turns in which its figures are taken.

A row says what was measured, from which stage to which, and holds every sample of every contender, round by round:
medians, spreads and ratios are computed from those, here and again by tools/performance_page.py, which refuses a row whose
numbers do not follow from its samples.
"""

from __future__ import annotations

import dataclasses
import datetime
import json
import os
import pathlib
import platform
import re
import statistics
import subprocess
import time
from collections.abc import Callable

ROOT = pathlib.Path(__file__).resolve().parent.parent
SCHEMA = "bench-row/1"
# Units of which more is better.
SPEEDS = ("MB/s", "GFLOP/s", "x")
PAUSE_SECONDS = 0.05  # threads of a session that just ran spin on for a while


@dataclasses.dataclass
class Contender:
    """Who was measured, and how it was set.

    setting: "default", "best" (the best that its documentation names), or "default and best" where it has one way to run.
    """

    name: str
    setting: str
    threads: int | None
    precision: str = "float32"
    samples: list[float] = dataclasses.field(default_factory=list)
    stages: dict[str, str] = dataclasses.field(default_factory=dict)  # "from", "to", where they differ from the row's: a fault


def quartiles(values: list[float]) -> list[float]:
    if len(values) < 2:
        return [values[0], values[0]]
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return [low, high]


def ratios(ours: list[float], theirs: list[float], unit: str) -> list[float]:
    """Round by round how many times as good ours is."""
    pairs = list(zip(ours, theirs))
    return [mine / their for mine, their in pairs] if unit in SPEEDS else [their / mine for mine, their in pairs]


def strongest(row: dict) -> dict | None:
    """The peer that the row is held against: of those with our threads and precision the best by median; where a note says
    that no peer has our precision, the best of those with our threads."""
    ours = row["ours"]
    equal = [peer for peer in row["peers"] if peer["threads"] == ours["threads"]
             and (peer["precision"] == ours["precision"] or row.get("precision_note"))]
    if not equal:
        return None
    pick = max if row["unit"] in SPEEDS else min
    return pick(equal, key=lambda peer: statistics.median(peer["samples"]))


def summary(row: dict) -> dict:
    """What follows from the samples: value and spread of each, the ratio, the goals."""
    def of(contender: dict) -> dict:
        return contender | {"value": statistics.median(contender["samples"]), "spread": quartiles(contender["samples"])}

    done = row | {"ours": of(row["ours"]), "peers": [of(peer) for peer in row["peers"]]}
    if against := strongest(row):
        all_ratios = ratios(row["ours"]["samples"], against["samples"], row["unit"])
        done["ratio"] = {"against": against["name"], "value": statistics.median(all_ratios), "spread": quartiles(all_ratios)}
    done["goal"] = judge(done)
    return done


def judge(row: dict) -> dict | None:
    goal = row["goal"]
    if goal is None:
        return None
    figure = row["ours"]["value"] if goal["of"] == "value" else row.get("ratio", {}).get("value")
    met = figure is not None and ("least" not in goal or figure >= goal["least"]) and ("most" not in goal or figure <= goal["most"])
    return goal | {"met": met}


def machine() -> dict:
    name = next((line.split(": ", 1)[1] for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
                 if line.startswith("model name")), platform.machine())
    flags = next((line for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("flags")), "")
    return {"processor": name.strip(), "cores": os.cpu_count(),
            "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9),
            "instructions": [word for word in ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_tile") if f" {word}" in flags]}


def commit() -> str:
    """The commit that is measured; "+" behind it: with changes."""
    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()
    changed = git("status", "--porcelain", "--untracked-files=no", "--", "src", "apps", "benchmarks", "python", "CMakeLists.txt", "cmake")
    return (git("rev-parse", "--short=12", "HEAD") or "unknown") + ("+" if changed else "")


class Rows:
    """The rows that a benchmark was asked for, each in a file of its own as soon as it is whole."""

    def __init__(self, folder: pathlib.Path, asked: list[str] | None):
        self.folder, self.asked = folder, asked
        folder.mkdir(parents=True, exist_ok=True)
        self.load = os.getloadavg()
        self.common = {"machine": machine(), "commit": commit()}

    def wants(self, *ids: str) -> bool:
        return self.asked is None or any(each in self.asked for each in ids)

    def write(self, row_id: str, what: str, stages: tuple[str, str], unit: str, ours: Contender, peers: list[Contender] = (), *,
              goal: dict | None = None, gflop: float | None = None, not_run: list[dict] = (), precision_note: str = "",
              facts: dict | None = None) -> None:
        """goal: {"of": "ratio" or "value", "least" or "most": number}; gflop: of one unit of what was timed;
        not_run: [{"name", "reason"}], peers that cannot run this."""
        def of(contender: Contender) -> dict:
            fields = dataclasses.asdict(contender)
            return {"from": stages[0], "to": stages[1]} | fields.pop("stages") | fields

        row = {"schema": SCHEMA, "id": row_id, "what": what, "from": stages[0], "to": stages[1], "unit": unit,
               "ours": of(ours), "peers": [of(peer) for peer in peers], "goal": goal, "gflop": gflop,
               "not_run": list(not_run), "precision_note": precision_note, "facts": facts or {}}
        self._store(summary(row))

    def not_here(self, row_id: str, what: str, reason: str) -> None:
        """A row that this machine cannot have: its benchmark ended with status 3."""
        self._store({"schema": SCHEMA, "id": row_id, "what": what, "not_here": reason})

    def _store(self, row: dict) -> None:
        if not self.wants(row["id"]):
            return
        row |= self.common | {"load_average": [self.load, os.getloadavg()],
                              "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M")}
        target = file_of(self.folder, row["id"])
        part = target.with_suffix(".part")
        part.write_text(json.dumps(row, indent=1) + "\n")
        part.replace(target)
        print(line_of(row), flush=True)


def file_of(folder: pathlib.Path, row_id: str) -> pathlib.Path:
    return folder / (re.sub(r"[^a-zA-Z0-9.-]", "_", row_id) + ".json")


def line_of(row: dict) -> str:
    """The row for whoever watches."""
    if "not_here" in row:
        return f"  {row['id']:34} not on this machine: {row['not_here']}"
    text = f"  {row['id']:34}{row['ours']['value']:10.4g} {row['unit']}"
    if "ratio" in row:
        low, high = row["ratio"]["spread"]
        text += f"  {row['ratio']['value']:6.3f} [{low:.3f}, {high:.3f}] x {row['ratio']['against']}"
    if row["goal"]:
        text += "  goal met" if row["goal"]["met"] else "  goal MISSED"
    return text + f"  load {row['load_average'][0][0]:.1f}"


def by_turns(contenders: dict[str, Callable[[], float]], seconds: float, least: int = 5, most: int = 40, warm_up: bool = True) -> dict[str, list[float]]:
    """Rounds in which each runs once, in an order that turns round by round; the first round warms up and is left out.

    At least `least` rounds whatever they take; no further one begins after `seconds`. warm_up False: the first round counts, for turns so
    long that what they load weighs nothing.
    """
    samples: dict[str, list[float]] = {name: [] for name in contenders}
    names = list(contenders)
    end = None if warm_up else time.perf_counter() + seconds
    for number in range(0 if warm_up else 1, most + 1):
        if number > least and time.perf_counter() > end:
            break
        for name in names if number % 2 == 0 else names[::-1]:
            time.sleep(PAUSE_SECONDS)
            value = contenders[name]()
            if number > 0:
                samples[name].append(value)
        end = end or time.perf_counter() + seconds
    return samples


def median_ms(call: Callable[[], object], runs: int) -> float:
    """Median milliseconds of a call, after one that warms up."""
    call()
    spans = []
    for _ in range(runs):
        begin = time.perf_counter()
        call()
        spans.append((time.perf_counter() - begin) * 1e3)
    return statistics.median(spans)
