#!/usr/bin/env python3
"""Checks that the code says one word for one thing and that tests are named alike.

The glossary of ARCHITECTURE.md has a column of words that are not used for what it names: no identifier of C++, and none
that Python code gives, may have one as a part (`hand_over`: as parts side by side; `Seen`: as a whole). Those of its
table of verbs are free in the names of C++'s tests, which are sentences in snake_case, of three words or more; in those of
Python's all are. What only tests use lies in a folder testing/ and its module's namespace testing. Exit status 1 with one
line per violation.
"""

import ast
import pathlib
import re
import subprocess
import sys

root = pathlib.Path(__file__).resolve().parent.parent
literal_or_comment = re.compile(r'R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|//[^\n]*|/\*.*?\*/', re.DOTALL)
# Names that other libraries give.
names_of_others = {"keep_alive", "take_all"}
# The classes and arguments of this file stand in golden archives.
archived_names_in = "python/reference/convert/torch_script_golden.py"
test_name = re.compile(r"^(?:TEST|TEST_F|TEST_P|TYPED_TEST|TYPED_TEST_P)\(\s*(\w+),\s*(\w+)\)", re.MULTILINE)


def banned_words() -> tuple[dict[str, str], dict[str, str]]:
    """From words that are not used to those that are, out of `| word | what it is | not |`: of things, and of verbs."""
    text = (root / "ARCHITECTURE.md").read_text(encoding="utf-8")
    tables = text[text.index("## Words"):].split("| verb |")
    if len(tables) != 2:
        sys.exit("ARCHITECTURE.md: expected two tables below `## Words`, of words and of verbs")
    rows = [re.findall(r"^\| \*\*([^*]+)\*\* \|[^|\n]*\|([^|\n]*)\|$", table, re.MULTILINE) for table in tables]
    if len(rows[0]) < 20 or not rows[1]:
        sys.exit(f"ARCHITECTURE.md: the glossary has {len(rows[0])} words and {len(rows[1])} verbs, expected 20 and some")
    things, verbs = ({banned: word for word, cell in table for banned in re.findall(r"`(\w+)`", cell)} for table in rows)
    return things, verbs


def parts_of(identifier: str) -> list[str]:
    return [part.lower() for part in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", identifier)]


def banned_in(identifier: str, banned: dict[str, str]) -> str | None:
    """The word to use instead of one that the identifier has as a whole, a part, or parts side by side."""
    parts = parts_of(identifier)
    candidates = [identifier, *parts, *(part.removesuffix("s") for part in parts),
                  *(f"{first}_{second}" for first, second in zip(parts, parts[1:]))]
    return next((banned[word] for word in candidates if word in banned), None)


def check_file(relative: str, things: dict[str, str], verbs: dict[str, str]) -> list[str]:
    text = (root / relative).read_text(encoding="utf-8")
    code = literal_or_comment.sub(lambda match: re.sub(r"[^\n]", " ", match.group(0)), text)
    problems = []
    sentences = {name for _, name in test_name.findall(code)}
    for number, line in enumerate(code.splitlines(), 1):
        is_sentence = test_name.match(line) is not None
        for identifier in re.findall(r"[A-Za-z_]\w*", line):
            word = banned_in(identifier, things if is_sentence or identifier in sentences else things | verbs)
            if word and identifier not in names_of_others:
                problems.append(f"{relative}:{number}: {identifier}: the word is `{word}`")
    for suite, name in test_name.findall(code):
        if name != name.lower() or name.count("_") < 2:
            problems.append(f"{relative}: TEST({suite}, {name}): expected a sentence like says_what_holds")
    says_testing = re.search(r"^namespace [\w:]+::testing \{", code, re.MULTILINE) is not None
    if "/testing/" in relative and relative.endswith(".hpp") and not says_testing:
        problems.append(f"{relative}: what only tests use is in the module's namespace testing")
    is_for_tests = "<gtest/" in text or "<gmock/" in text
    if is_for_tests and relative.endswith(".hpp") and relative.startswith("src/") and "/testing/" not in relative:
        problems.append(f"{relative}: a header for tests lies in a folder testing/")
    return problems


def given_names(tree: ast.AST) -> list[tuple[int, str]]:
    """What a Python file names itself: functions but for tests, classes, arguments, variables."""
    names = []
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("test_"):
            names.append((node.lineno, node.name))
        elif isinstance(node, ast.arg):
            names.append((node.lineno, node.arg))
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.append((node.lineno, node.id))
    return names


def check_python(relative: str, banned: dict[str, str]) -> list[str]:
    names = given_names(ast.parse((root / relative).read_text(encoding="utf-8")))
    return [f"{relative}:{line}: {name}: the word is `{word}`" for line, name in sorted(names)
            if name not in names_of_others and (word := banned_in(name, banned))]


def main() -> int:
    things, verbs = banned_words()
    listed = subprocess.run(["git", "ls-files"], cwd=root, check=True, capture_output=True, text=True).stdout.split()
    files = [name for name in listed if name.endswith((".cpp", ".hpp", ".py")) and (root / name).is_file()]
    problems = [problem for name in files if name != archived_names_in for problem in
                (check_python(name, things | verbs) if name.endswith(".py") else check_file(name, things, verbs))]
    for problem in problems:
        print(problem)
    print(f"{len(files)} files, {len(things) + len(verbs)} words that are not used, {len(problems)} violations")
    return 1 if problems else 0


sys.exit(main())
