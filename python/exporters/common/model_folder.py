"""Writes model.yaml: the description that stands beside a model's ONNX files."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./+()-]*(?: [A-Za-z0-9_./+()-]+)*\Z")
_WORDS_WITH_MEANING = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}


def put_in_place(work: Path, output: Path) -> None:
    """Gives a finished folder its name; a model folder that has it goes.

    Raises FileExistsError when something else stands there.
    """
    work.chmod(0o755)
    if output.exists():
        if not (output / "model.yaml").exists() and any(output.iterdir()):
            raise FileExistsError(f"{output}: expected a model folder or nothing, found other files; choose another --output")
        shutil.rmtree(output)
    work.rename(output)


def write_description(folder: Path, description: dict[str, Any]) -> Path:
    """description: nested dicts, lists and scalars; the first key is `schema`."""
    path = folder / "model.yaml"
    path.write_text("\n".join(_block(description, 0)) + "\n", encoding="utf-8")
    return path


def _block(value: dict[str, Any], depth: int) -> list[str]:
    lines = []
    for key, item in value.items():
        indent = "  " * depth
        if isinstance(item, dict) and item:
            lines += [f"{indent}{key}:", *_block(item, depth + 1)]
        elif isinstance(item, list) and any(isinstance(element, dict) for element in item):
            lines.append(f"{indent}{key}:")
            lines += [f"{indent}  - {_flow(element)}" for element in item]
        else:
            lines.append(f"{indent}{key}: {_flow(item)}")
    return lines


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_flow(item) for item in value) + "]"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        text = repr(value)
        # YAML takes an exponent for a number only when there is a dot before it.
        return text.replace("e", ".0e") if "e" in text and "." not in text else text
    text = str(value)
    if _PLAIN.match(text) and text.lower() not in _WORDS_WITH_MEANING:
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
