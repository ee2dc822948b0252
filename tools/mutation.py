#!/usr/bin/env python3
"""Changes one thing of a rule at a time and sees whether a test notices: `make mutation`.

Mutants are drawn by a seed over the rule files of src/pipelines and src/hub/domain, by the operators below. A mutant is compiled
beside the build with the file's own command and linked in front of the libraries, so that neither sources nor build change;
then the tests of its module run. A mutant on which they all pass has survived: what it changed is asserted nowhere (or changes
nothing that can be seen). Survivors are listed at the end; the goal is under a tenth of what could be built.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import dataclasses
import json
import pathlib
import random
import re
import shlex
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
PARTS = ("src/pipelines", "src/hub/domain")
# Reading, drawing and binding are no rules; a mutant in a message or a time is no finding.
NO_RULES = re.compile(r"(_test|_json|plot|overlay|trace|timing|draw|labels|raw_file|network|signature|model_folder|frame_loop|frame_source|document.*)\.cpp$")
GOAL = 0.1

# What is found, by what it is replaced. Binary operators stand between blanks (clang-format sees to it).
OPERATORS = {
    "bound": [(" < ", " <= "), (" <= ", " < "), (" > ", " >= "), (" >= ", " > ")],
    "comparison": [(" == ", " != "), (" != ", " == "), (" < ", " >= "), (" > ", " <= ")],
    "arithmetic": [(" + ", " - "), (" - ", " + "), (" * ", " / "), (" / ", " * ")],
    "logic": [(" && ", " || "), (" || ", " && ")],
    "extreme": [("std::max(", "std::min("), ("std::min(", "std::max("), ("std::floor(", "std::ceil("), ("std::ceil(", "std::floor(")],
    "truth": [("return true;", "return false;"), ("return false;", "return true;")],
}
NUMBER = re.compile(r"(?<![\w.\"'])(\d+\.?\d*(?:e-?\d+)?)(F?)(?![\w.\"'])")
# Lines without arithmetic of their own.
PASSED_OVER = re.compile(r"^\s*(//|#|SLIPWAY_CHECK|static_assert|template|using |namespace )|fmt::format|fail\(|operator|Error\{")


@dataclasses.dataclass(frozen=True)
class Mutant:
    file: str
    line: int  # from 1
    begin: int
    end: int
    replacement: str
    operator: str

    def changed(self, text: str) -> str:
        lines = text.split("\n")
        row = lines[self.line - 1]
        lines[self.line - 1] = row[: self.begin] + self.replacement + row[self.end :]
        return "\n".join(lines)

    def said(self, text: str) -> str:
        row = text.split("\n")[self.line - 1]
        return f"{self.file}:{self.line}: {row[self.begin : self.end].strip()} -> {self.replacement.strip()} in `{row.strip()}`"


def code_of(row: str) -> str:
    """The line with what is in quotes or a comment blanked."""
    row = re.sub(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)\'', lambda found: " " * len(found[0]), row)
    at = row.find("//")
    return row if at < 0 else row[:at]


def mutants_of(file: str, text: str):
    for number, raw in enumerate(text.split("\n"), 1):
        if PASSED_OVER.search(raw):
            continue
        row = code_of(raw)
        for operator, pairs in OPERATORS.items():
            for found, replacement in pairs:
                for place in re.finditer(re.escape(found), row):
                    yield Mutant(file, number, place.start(), place.end(), replacement, operator)
        for place in NUMBER.finditer(row):
            digits, suffix = place[1], place[2]
            new = f"{float(digits) * 1.5 + (0.5 if float(digits) == 0 else 0)}{suffix}" if "." in digits or "e" in digits else str(int(digits) + 1)
            yield Mutant(file, number, place.start(), place.end(), new if "." in digits or "e" in digits else new + suffix, "number")


def drawn(count: int, seed: int, part: str) -> list[Mutant]:
    """As many of each file as it has places, but every file has its turn."""
    files = sorted(str(path.relative_to(ROOT)) for folder in PARTS for path in (ROOT / folder).rglob("*.cpp")
                   if "testing" not in path.parts and not NO_RULES.search(path.name))
    generator = random.Random(seed)
    every = [mutant for file in files if part in file for mutant in mutants_of(file, (ROOT / file).read_text())]
    generator.shuffle(every)
    return every[:count]


class Builder:
    def __init__(self, build: pathlib.Path):
        self.build = build
        rows = json.loads((build / "compile_commands.json").read_text())
        self.commands = {row["file"]: row["command"] for row in rows}
        self.links: dict[str, str] = {}

    def target_of(self, file: str) -> str:
        folder = pathlib.Path(file).relative_to("src")
        return "hub_domain_test" if folder.parts[0] == "hub" else f"pipelines_{folder.parts[1]}_test"

    def program_of(self, target: str) -> pathlib.Path:
        folder = "hub/domain" if target == "hub_domain_test" else f"pipelines/{target.removeprefix('pipelines_').removesuffix('_test')}"
        return self.build / "src" / folder / target

    def link_of(self, target: str) -> str:
        if target not in self.links:
            listed = subprocess.run(["ninja", "-C", str(self.build), "-t", "commands", target], capture_output=True, text=True, check=True).stdout
            self.links[target] = next(line for line in reversed(listed.splitlines()) if f"-o {self.program_of(target).relative_to(self.build)}" in line)
        return self.links[target]

    def compiled(self, file: str, source: pathlib.Path, output: pathlib.Path) -> bool:
        words = shlex.split(self.commands[str(ROOT / file)])
        at, of = words.index("-o"), words.index("-c")
        words[at + 1], words[of + 1] = str(output), str(source)
        words = [word for word in words if word != "ccache"]
        return subprocess.run(words, cwd=self.build, capture_output=True).returncode == 0

    def linked(self, target: str, added: pathlib.Path, output: pathlib.Path) -> bool:
        line = self.link_of(target)
        line = line.removeprefix(": && ").removesuffix(" && :")
        own = str(self.program_of(target).relative_to(self.build))
        words = shlex.split(line)
        words[words.index(own)] = str(output)
        first = next(k for k, word in enumerate(words) if word.endswith(".o"))
        words.insert(first, str(added))
        return subprocess.run(words, cwd=self.build, capture_output=True).returncode == 0


def tested(program: pathlib.Path, limit_s: float) -> str:
    """passed, failed, or what else ended it."""
    try:
        done = subprocess.run([str(program), "--gtest_fail_fast", "--gtest_brief=1"], cwd=ROOT, capture_output=True, timeout=limit_s)
    except subprocess.TimeoutExpired:
        return "too slow"
    return "passed" if done.returncode == 0 else "failed" if done.returncode == 1 else "crashed"


def outcome(builder: Builder, mutant: Mutant, limits: dict[str, float]) -> str:
    target = builder.target_of(mutant.file)
    with tempfile.TemporaryDirectory(prefix="slipway-mutant-") as folder:
        source = pathlib.Path(folder) / pathlib.Path(mutant.file).name
        source.write_text(mutant.changed((ROOT / mutant.file).read_text()))
        made, program = pathlib.Path(folder) / "mutant.o", pathlib.Path(folder) / "tests"
        if not builder.compiled(mutant.file, source, made) or not builder.linked(target, made, program):
            return "not built"
        result = tested(program, limits[target])
        return "survived" if result == "passed" else result


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--part", default="", help="only files whose path holds this")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--minutes", type=float, default=60, help="no mutant begins after that; the figure counts those that ran")
    options = parser.parse_args()
    builder = Builder(options.build.resolve())
    mutants = drawn(options.count, options.seed, options.part)
    limits = {}
    for target in sorted({builder.target_of(mutant.file) for mutant in mutants}):
        begin = time.monotonic()
        if (said := tested(builder.program_of(target), 600)) != "passed":
            print(f"{target} without a mutant: {said}; build the tests first and repair what fails", file=sys.stderr)
            return 1
        limits[target] = 20 + 5 * (time.monotonic() - begin)
    begin, rows = time.monotonic(), []
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        def run(mutant: Mutant):
            return None if time.monotonic() - begin > 60 * options.minutes else outcome(builder, mutant, limits)
        for mutant, result in zip(mutants, pool.map(run, mutants)):
            if result is None:
                continue
            rows.append((mutant, result))
            print(f"{len(rows):4} {result:10} {mutant.operator:11} {mutant.said((ROOT / mutant.file).read_text())}", flush=True)
    built = [row for row in rows if row[1] != "not built"]
    survivors = [mutant for mutant, result in built if result == "survived"]
    print(f"\n{len(rows)} of {options.count} mutants of seed {options.seed} in {(time.monotonic() - begin) / 60:.1f} minutes, {len(built)} built, "
          f"{len(survivors)} survived ({100 * len(survivors) / max(1, len(built)):.1f} %; goal under {100 * GOAL:g})")
    for mutant in survivors:
        print("  " + mutant.said((ROOT / mutant.file).read_text()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
