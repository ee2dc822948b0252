#!/usr/bin/env python3
"""Checks that folder, CMake target, namespace and line of ARCHITECTURE.md are one list, and that arrows point down only.

Against cmake/layers.json: every #include of src/ and apps/ (own modules by arrow, foreign headers by home, which is a
module or a single file), who may write messages of the ONNX format, what each CMake target links, the namespaces, the
README of each module (there, short, naming files that exist), and that the headers of the installed package include
nothing that is not installed. Exit status 1 with one line per violation.
"""

import json
import pathlib
import re
import sys

root = pathlib.Path(__file__).resolve().parent.parent
layers = json.loads((root / "cmake/layers.json").read_text())
modules: dict[str, list[str]] = layers["modules"]
foreign: dict[str, list[str]] = layers["foreign"]
namespaces: dict[str, str] = layers["namespaces"]
onnx_readers: list[str] = layers["onnx_readers"]
include_line = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]')
# A message of the ONNX format that is not const, but for its constants and as a type's argument: what could be written.
onnx_message_to_write = re.compile(r"(?<!const )\bonnx::\w+Proto\b(?!::)|\bmutable_proto\(")
text_or_comment = re.compile(r'"(?:\\.|[^"\\\n])*"|//[^\n]*')
longest_readme = 20
file_names = {path.name for top in ("src", "apps") for path in (root / top).rglob("*.[ch]pp")}


def folder_of(name: str) -> str:
    return name if name.startswith("apps/") else f"src/{name}"


def module_of(path: str) -> str | None:
    """The longest module name that is a folder of the path."""
    found = [name for name in modules if path.startswith(name + "/")]
    return max(found, key=len, default=None)


def includes_of(file: pathlib.Path) -> list[tuple[int, str]]:
    lines = enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
    return [(number, match.group(2)) for number, line in lines if (match := include_line.match(line))]


def check_file(file: pathlib.Path) -> list[str]:
    relative = file.relative_to(root).as_posix()
    own = module_of(relative.removeprefix("src/"))
    if own is None:
        return [f"{relative}: belongs to no module of cmake/layers.json"]
    problems = []
    is_test = file.stem.endswith(("_test", "_bench", "_fuzz")) or "testing" in file.parts
    for number, target in includes_of(file):
        other = module_of(target)
        if other and other != own and other not in modules[own] and not is_test:
            problems.append(f"{relative}:{number}: {own} may not include {other} ({target})")
        for prefix, homes in foreign.items():
            if target.startswith(prefix) and own not in homes and relative not in homes:
                problems.append(f"{relative}:{number}: <{target}> lives in {', '.join(homes)} only")
    problems += check_who_writes_graphs(file, relative)
    wanted = namespaces.get(own, "slipway::" + own.replace("/", "::"))
    for found in re.findall(r"^namespace (slipway[\w:]*)", file.read_text(encoding="utf-8"), re.MULTILINE):
        if not (found + "::").startswith(wanted + "::"):
            problems.append(f"{relative}: namespace {found}, expected {wanted}")
    return problems


def check_who_writes_graphs(file: pathlib.Path, relative: str) -> list[str]:
    """Files that may include the ONNX format but are readers of it, and all that may not."""
    is_writer = relative in foreign["onnx.pb.h"] and relative not in onnx_readers
    if is_writer or file.suffix != ".cpp":
        return []
    code = text_or_comment.sub("", file.read_text(encoding="utf-8"))
    lines = enumerate(code.splitlines(), 1)
    return [f"{relative}:{number}: only the rewriter writes graphs (compile/onnx_graph/rewriter.hpp), and this file may "
            f"write {match.group(0)}" for number, line in lines if (match := onnx_message_to_write.search(line))]


class CMakeFile:
    """The calls that make targets in the CMakeLists.txt of one module."""

    def __init__(self, name: str):
        self.path = f"{folder_of(name)}/CMakeLists.txt"
        text = re.sub(r"#.*", "", (root / self.path).read_text(encoding="utf-8"))
        calls = [(call, words.split()) for call, words in re.findall(r"(\w+)\(([^()]*)\)", text)]
        self.targets = {words[0].removeprefix("slipway_") for call, words in calls
                        if call in ("slipway_module", "slipway_executable", "add_library")}
        self.public = [word for call, words in calls if call == "slipway_module" for word in part(words, "PUBLIC_HEADERS")]
        self.links = {word for call, words in calls if call in ("slipway_module", "slipway_executable")
                      for word in part(words, "DEPENDS")}
        self.links |= {word.removeprefix("slipway_") for call, words in calls if call == "slipway_module"
                       for word in part(words, "LIBRARIES") if word.startswith("slipway_")}
        # A library by hand, as the commands of an executable apart from its main().
        self.links |= {word.removeprefix("slipway_") for call, words in calls
                       if call == "target_link_libraries" and words[0].removeprefix("slipway_") in self.targets
                       and not words[0].endswith("_testing")
                       for word in words[1:] if word.startswith("slipway_")}


def part(words: list[str], key: str) -> list[str]:
    """The words of a CMake call from a key to the next."""
    if key not in words:
        return []
    rest = words[words.index(key) + 1:]
    return rest[:next((i for i, word in enumerate(rest) if word.isupper() and len(word) > 1), len(rest))]


def check_targets() -> list[str]:
    problems = []
    target_of = {name: name.replace("/", "_") for name in modules if not name.startswith("apps/")}
    module_of_target = {target: name for name, target in target_of.items()}
    files = {name: CMakeFile(name) for name in modules}
    installed = {f"{name}/{header}" for name, file in files.items() for header in file.public}
    for name, file in files.items():
        if name in target_of and target_of[name] not in file.targets:
            problems.append(f"{file.path}: expected the target slipway_{target_of[name]}, as the folder is called")
        for link in sorted(file.links - file.targets):
            other = module_of_target.get(link)
            if other is None:
                problems.append(f"{file.path}: slipway_{link} is no module of cmake/layers.json")
            elif other != name and other not in modules[name]:
                problems.append(f"{file.path}: {name} may not link {other}")
        for header in file.public:
            source = root / folder_of(name) / header
            if not source.is_file():
                problems.append(f"{file.path}: public header {header}: no such file")
                continue
            for number, target in includes_of(source):
                is_own = (root / "src" / target).is_file()
                if is_own and target not in installed:
                    problems.append(f"src/{name}/{header}:{number}: is installed and includes {target}, which is not")
                if any(target.startswith(prefix) for prefix in foreign):
                    problems.append(f"src/{name}/{header}:{number}: is installed and includes <{target}>, which has a home")
    return problems


def check_lists() -> list[str]:
    map_text = (root / "ARCHITECTURE.md").read_text(encoding="utf-8")
    problems = []
    for name in modules:
        folder = root / folder_of(name)
        if not folder.is_dir():
            problems.append(f"cmake/layers.json: {name} is not a folder")
            continue
        if f"`{folder_of(name)}`" not in map_text:
            problems.append(f"ARCHITECTURE.md: `{folder_of(name)}` is missing from the map")
        readme = folder / "README.md"
        if not readme.is_file():
            problems.append(f"{folder_of(name)}: has no README.md: what it is for, its entry header, what it must not know")
        elif len(readme.read_text(encoding="utf-8").splitlines()) > longest_readme:
            problems.append(f"{folder_of(name)}/README.md: longer than {longest_readme} lines")
        else:
            named = re.findall(r"`(?:\w+/)*(\w+\.[ch]pp)`", readme.read_text(encoding="utf-8"))
            problems += [f"{folder_of(name)}/README.md: names {file}, which is nowhere below src/ and apps/"
                         for file in named if file not in file_names]
    for name, namespace in namespaces.items():
        if f"`{namespace}`" not in map_text:
            problems.append(f"ARCHITECTURE.md: does not say that {name} is the namespace `{namespace}`")
    return problems


def main() -> int:
    sources = [p for top in ("src", "apps") for p in (root / top).rglob("*") if p.suffix in {".cpp", ".hpp", ".h"}]
    problems = check_lists() + check_targets() + [problem for file in sorted(sources) for problem in check_file(file)]
    for problem in problems:
        print(problem)
    print(f"{len(sources)} files, {len(problems)} violations")
    return 1 if problems else 0


sys.exit(main())
