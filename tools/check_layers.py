#!/usr/bin/env python3
"""Checks every #include of src/ and apps/ against cmake/layers.json: own modules by arrow, foreign headers by home,
which is a module or a single file.

Also checks that each module of the table exists as a folder, a CMake target and a line of ARCHITECTURE.md, so that
the four stay one list. Exit status 1 with one line per violation.
"""

import json
import pathlib
import re
import sys

root = pathlib.Path(__file__).resolve().parent.parent
layers = json.loads((root / "cmake/layers.json").read_text())
modules: dict[str, list[str]] = layers["modules"]
foreign: dict[str, list[str]] = layers["foreign"]
include_line = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]')


def module_of(path: str) -> str | None:
    """The longest module name that is a folder of the path."""
    found = [name for name in modules if path.startswith(name + "/")]
    return max(found, key=len, default=None)


def check_file(file: pathlib.Path) -> list[str]:
    relative = file.relative_to(root).as_posix()
    own = module_of(relative.removeprefix("src/"))
    if own is None:
        return [f"{relative}: belongs to no module of cmake/layers.json"]
    problems = []
    is_test = file.stem.endswith(("_test", "_bench", "_fuzz"))
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        match = include_line.match(line)
        if not match:
            continue
        target = match.group(2)
        other = module_of(target)
        if other and other != own and other not in modules[own] and not is_test:
            problems.append(f"{relative}:{number}: {own} may not include {other} ({target})")
        for prefix, homes in foreign.items():
            if target.startswith(prefix) and own not in homes and relative not in homes:
                problems.append(f"{relative}:{number}: <{target}> lives in {', '.join(homes)} only")
    return problems


def check_lists() -> list[str]:
    map_text = (root / "ARCHITECTURE.md").read_text(encoding="utf-8")
    problems = []
    for name in modules:
        folder = root / (name if name.startswith("apps/") else f"src/{name}")
        if not folder.is_dir():
            problems.append(f"cmake/layers.json: {name} is not a folder")
        shown = name if name.startswith("apps/") else f"src/{name}"
        if f"`{shown}`" not in map_text:
            problems.append(f"ARCHITECTURE.md: `{shown}` is missing from the map")
    return problems


def main() -> int:
    sources = [p for top in ("src", "apps") for p in (root / top).rglob("*") if p.suffix in {".cpp", ".hpp", ".h"}]
    problems = check_lists() + [problem for file in sorted(sources) for problem in check_file(file)]
    for problem in problems:
        print(problem)
    print(f"{len(sources)} files, {len(problems)} violations")
    return 1 if problems else 0


sys.exit(main())
