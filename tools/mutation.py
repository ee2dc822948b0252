#!/usr/bin/env python3
"""Changes one thing of a rule at a time and sees whether a test notices: `make mutation`.

Mutants are drawn by a seed over the rule files of src/pipelines and src/hub/domain, by the operators below. A mutant is compiled
beside the build with the file's own command and linked in front of the libraries, so that neither sources nor build change;
then the tests of its module run, and where these pass those of the modules that link it, quickest first. A mutant on which they
all pass has survived: what it changed is asserted nowhere (or changes nothing that can be seen). Survivors are listed at the
end; the goal is under a tenth of what could be built. Only the tests that can see a drawn file are built.
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
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
PARTS = ("src/pipelines", "src/hub/domain")
# Reading, drawing and binding are no rules; a mutant in a message or a time is no finding.
NO_RULES = re.compile(r"(_test|_json|plot|overlay|trace|timing|draw|labels|raw_file|network|signature|model_folder|frame_loop|frame_source|document.*)\.cpp$")
GOAL = 0.1
# They run for minutes and see no rule.
NO_MEMORY_TESTS = "--gtest_filter=-*keeps_its_memory*:*TenThousandFrames*:*takes_no_memory*"

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
        # Tests compile some of the files once more, in ways of their own.
        self.commands = {row["file"]: row["command"] for row in rows if " -o src/" in row["command"]}
        self.links = self.links_of_tests()
        self.usual_s: dict[str, float] = {}
        self.measuring = threading.Lock()

    def links_of_tests(self) -> dict[str, str]:
        """The command that links each test of the modules and of tests/, by the program's place in the build."""
        programs = subprocess.run(["ninja", "-C", str(self.build), "-t", "targets", "all"], capture_output=True, text=True, check=True).stdout
        names = [line.split(":")[0] for line in programs.splitlines() if re.match(r"(src|tests)/\S+_test: CXX_EXECUTABLE_LINKER", line)]
        listed = subprocess.run(["ninja", "-C", str(self.build), "-t", "commands", *names], capture_output=True, text=True, check=True).stdout
        found = (re.search(r" -o (\S+_test) ", line) for line in listed.splitlines() if line.startswith(": && "))
        return {place[1]: place.string for place in found if place and place[1] in names}

    def tests_of(self, file: str) -> list[str]:
        """The programs that link the file's library: those of its own folder first, then the quickest."""
        source = next(word for word in shlex.split(self.commands[str(ROOT / file)]) if word.endswith(".o"))
        folder = source.partition("/CMakeFiles/")[0]
        library = f"{folder}/lib{source.partition('/CMakeFiles/')[2].partition('.dir/')[0]}.a"
        seeing = [test for test, command in self.links.items() if f" {library} " in command]
        return sorted(seeing, key=lambda test: (not test.startswith(folder + "/"), self.usual_s.get(test, 60), test))

    def limit_s(self, test: str) -> float:
        """What a mutant may take, by what the test takes without one, which must pass."""
        with self.measuring:
            if test not in self.usual_s:
                begin = time.monotonic()
                if (said := tested(self.build / test, 600)) != "passed":
                    raise RuntimeError(f"{test} without a mutant: {said}; repair what fails first")
                self.usual_s[test] = time.monotonic() - begin
        return 20 + 5 * self.usual_s[test]

    def compiled(self, file: str, source: pathlib.Path, output: pathlib.Path) -> bool:
        words = shlex.split(self.commands[str(ROOT / file)])
        at, of = words.index("-o"), words.index("-c")
        words[at + 1], words[of + 1] = str(output), str(source)
        words = [word for word in words if word != "ccache"]
        return subprocess.run(words, cwd=self.build, capture_output=True).returncode == 0

    def linked(self, test: str, added: pathlib.Path, output: pathlib.Path) -> bool:
        words = shlex.split(self.links[test].removeprefix(": && ").removesuffix(" && :"))
        words[words.index(test)] = str(output)
        first = next(k for k, word in enumerate(words) if word.endswith(".o"))
        words.insert(first, str(added))
        return subprocess.run(words, cwd=self.build, capture_output=True).returncode == 0


def tested(program: pathlib.Path, limit_s: float) -> str:
    """passed, failed, or what else ended it."""
    try:
        done = subprocess.run([str(program), "--gtest_fail_fast", "--gtest_brief=1", NO_MEMORY_TESTS], cwd=ROOT, capture_output=True, timeout=limit_s)
    except subprocess.TimeoutExpired:
        return "too slow"
    return "passed" if done.returncode == 0 else "failed" if done.returncode == 1 else "crashed"


def outcome(builder: Builder, mutant: Mutant) -> str:
    with tempfile.TemporaryDirectory(prefix="slipway-mutant-") as folder:
        source = pathlib.Path(folder) / pathlib.Path(mutant.file).name
        source.write_text(mutant.changed((ROOT / mutant.file).read_text()))
        made, program = pathlib.Path(folder) / "mutant.o", pathlib.Path(folder) / "tests"
        if not builder.compiled(mutant.file, source, made):
            return "not built"
        for test in builder.tests_of(mutant.file):
            if not builder.linked(test, made, program):
                return "not built"
            result = tested(program, builder.limit_s(test))
            program.unlink()
            if result != "passed":
                return result
        return "survived"


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
    tests = sorted({test for mutant in mutants for test in builder.tests_of(mutant.file)})
    subprocess.run(["ninja", "-C", str(options.build), *tests], check=True)
    begin, rows = time.monotonic(), []
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        def run(mutant: Mutant):
            return None if time.monotonic() - begin > 60 * options.minutes else outcome(builder, mutant)
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
