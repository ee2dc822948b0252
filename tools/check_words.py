#!/usr/bin/env python3
"""Checks that the code says one word for one thing and that tests are named alike.

The glossary of ARCHITECTURE.md has a column of words that are not used for what it names: no identifier of src/, apps/,
examples/ and benchmarks/ may have one as a part. Names of tests are sentences in snake_case, of three words or more, and what only tests
use lies in a folder testing/. Exit status 1 with one line per violation.
"""

import pathlib
import re
import subprocess
import sys

root = pathlib.Path(__file__).resolve().parent.parent
literal_or_comment = re.compile(r'R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|//[^\n]*|/\*.*?\*/', re.DOTALL)
test_name = re.compile(r"^(?:TEST|TEST_F|TEST_P|TYPED_TEST)\(\s*(\w+),\s*(\w+)\)", re.MULTILINE)


def banned_words() -> dict[str, str]:
    """From a word that is not used to the one that is, out of `| word | what it is | not |`."""
    text = (root / "ARCHITECTURE.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \*\*([^*]+)\*\* \|[^|\n]*\|([^|\n]*)\|$", text[text.index("## Words"):], re.MULTILINE)
    if len(rows) < 20:
        sys.exit(f"ARCHITECTURE.md: the glossary below `## Words` has {len(rows)} words, expected 20 or more")
    return {banned: word for word, cell in rows for banned in re.findall(r"`(\w+)`", cell)}


def parts_of(identifier: str) -> list[str]:
    return [part.lower() for part in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", identifier)]


def check_file(relative: str, banned: dict[str, str]) -> list[str]:
    text = (root / relative).read_text(encoding="utf-8")
    code = literal_or_comment.sub(lambda match: re.sub(r"[^\n]", " ", match.group(0)), text)
    problems = []
    for number, line in enumerate(code.splitlines(), 1):
        for identifier in re.findall(r"[A-Za-z_]\w*", line):
            for part in parts_of(identifier):
                word = banned.get(part) or banned.get(part.removesuffix("s"))
                if word:
                    problems.append(f"{relative}:{number}: {identifier}: the word is `{word}`")
    for suite, name in test_name.findall(code):
        if name != name.lower() or name.count("_") < 2:
            problems.append(f"{relative}: TEST({suite}, {name}): expected a sentence like says_what_holds")
    is_for_tests = "<gtest/" in text or "<gmock/" in text
    if is_for_tests and relative.endswith(".hpp") and relative.startswith("src/") and "/testing/" not in relative:
        problems.append(f"{relative}: a header for tests lies in a folder testing/")
    return problems


def main() -> int:
    banned = banned_words()
    listed = subprocess.run(["git", "ls-files", "src", "apps", "examples", "benchmarks", "tests"], cwd=root, check=True,
                            capture_output=True, text=True).stdout.split()
    files = [name for name in listed if name.endswith((".cpp", ".hpp")) and (root / name).is_file()]
    problems = [problem for name in files for problem in check_file(name, banned)]
    for problem in problems:
        print(problem)
    print(f"{len(files)} files, {len(banned)} words that are not used, {len(problems)} violations")
    return 1 if problems else 0


sys.exit(main())
