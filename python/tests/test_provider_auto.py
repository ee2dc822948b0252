"""`--provider auto` measures this machine's providers once per model, keeps the choice in the user's cache, and says so."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from test_command_files import ADD, SLIPWAY

pytestmark = pytest.mark.skipif(not SLIPWAY.is_file(), reason=f"{SLIPWAY} is not built")


def infer(folder: Path, model: Path = ADD) -> subprocess.CompletedProcess:
    (folder / "out.npz").unlink(missing_ok=True)
    environment = dict(os.environ, XDG_CACHE_HOME=str(folder / "cache"))
    return subprocess.run([str(SLIPWAY), "infer", str(model), "--random", "1", "--output", str(folder / "out.npz"), "--provider", "auto", "--threads", "1",
                           "--json"], capture_output=True, text=True, env=environment, check=False)


def choice_of(done: subprocess.CompletedProcess) -> dict:
    return json.loads(done.stdout.splitlines()[-1])["provider_choice"]


def test_the_choice_is_measured_once_kept_and_said(tmp_path):
    first = infer(tmp_path)
    assert first.returncode == 0, first.stderr
    measured = choice_of(first)
    assert not measured["was_kept"] and Path(measured["file"]).is_file()
    assert Path(measured["file"]).is_relative_to(tmp_path / "cache/slipway/providers")
    assert measured["provider"] == json.loads(first.stdout.splitlines()[-1])["provider"]
    assert any(each["provider"] == "cpu" and each["median_us"] > 0 for each in measured["candidates"])
    assert all(each["provider"] != "qnn" for each in measured["candidates"])
    assert f"provider auto: {measured['provider']}" in first.stderr and measured["file"] in first.stderr
    second = infer(tmp_path)
    kept = choice_of(second)
    assert kept["was_kept"] and kept["candidates"] == measured["candidates"] and "kept of" in second.stderr


def test_a_broken_cache_is_ignored_with_a_note(tmp_path):
    file = Path(choice_of(infer(tmp_path))["file"])
    file.write_text("{")
    done = infer(tmp_path)
    assert done.returncode == 0 and "ignored" in choice_of(done)["note"] and "ignored" in done.stderr
    assert choice_of(infer(tmp_path))["was_kept"]


def test_what_cannot_be_measured_is_refused_in_words(tmp_path):
    (tmp_path / "model.pt2").write_bytes(b"no archive")
    done = infer(tmp_path, model=tmp_path / "model.pt2")
    assert done.returncode == 2 and "auto measures .onnx files" in done.stderr
