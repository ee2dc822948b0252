"""No verb writes over what it reads, in whatever way the output is spelled."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from python.tests.command_table import FINISHING, SERVE, VERBS, fill
from python.tests.commands import SLIPWAY, needs_slipway
from python.tests.test_command_files import contents

pytestmark = needs_slipway


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inputs")
    fill(folder)
    return folder


@pytest.fixture
def folder(filled: Path, tmp_path: Path) -> Path:
    shutil.copytree(filled, tmp_path / "run")
    return tmp_path / "run"


def run(folder: Path, command: list[str], **options) -> subprocess.CompletedProcess:
    return subprocess.run([str(SLIPWAY), *command], cwd=folder, check=False, capture_output=True, timeout=120, **options)


def spelled(folder: Path, name: str, spelling: str) -> str:
    """Another way to say the file."""
    path = folder / name
    if spelling == "symbolic link":
        (folder / "symbolic").symlink_to(name)
        return "symbolic"
    if spelling == "link to a link":
        (folder / "between").symlink_to(name)
        (folder / "twice").symlink_to("between")
        return "twice"
    if spelling == "hard link":
        os.link(path, folder / "hard")
        return "hard"
    if spelling == "linked folder":
        (folder / "there").symlink_to(".")
        return f"there/{name}"
    if spelling == "folder that is new":
        return f"new/../{name}"
    return {"as it is": name, "dots": f"./frames/../{name}", "from the root": str(path), "many slashes": f".////{name}"}[spelling]


SPELLINGS = ["as it is", "dots", "from the root", "many slashes", "symbolic link", "link to a link", "hard link", "linked folder", "folder that is new"]
ALL = {**VERBS, "serve": SERVE}
FILE_OUTPUTS = [(name, option) for name, verb in ALL.items() for option in verb.files]


@pytest.mark.parametrize(("name", "option"), FILE_OUTPUTS)
def test_an_output_that_is_read_is_refused(name: str, option: str, folder: Path) -> None:
    """Every input of the verb in the output's place, and one of them in every spelling."""
    reads = ALL[name].reads
    outputs = [*reads, *(spelled(folder, reads[-1], spelling) for spelling in SPELLINGS[1:])]
    before = contents(folder)
    for output in outputs:
        done = run(folder, ALL[name].command(**{option: output}))
        assert done.returncode == 2, (output, done.stderr.decode())
        assert contents(folder) == before, output
        # A name's ending may be what is said first.
        assert b"would be written over" in done.stderr or b"expected a" in done.stderr, (output, done.stderr.decode())


@pytest.mark.parametrize(("name", "option"), [(name, option) for name, verb in VERBS.items() for option in verb.files if len(verb.files) + len(verb.folders) > 1 and option != "--json-file"])
def test_two_outputs_are_two_files(name: str, option: str, folder: Path) -> None:
    before = contents(folder)
    done = run(folder, VERBS[name].command(**{option: VERBS[name].files[option], "--json-file": f"./frames/../{VERBS[name].files[option]}"}))
    assert done.returncode == 2 and b"would be written over" in done.stderr, done.stderr.decode()
    assert contents(folder) == before


FOLDER_OUTPUTS = [(name, option) for name, verb in VERBS.items() for option in verb.folders]


@pytest.mark.parametrize("extra", [[], ["--overwrite"]], ids=["plain", "overwrite"])
@pytest.mark.parametrize(("name", "option"), FOLDER_OUTPUTS)
def test_files_of_another_are_replaced_on_request_alone_and_inputs_never(name: str, option: str, extra: list[str], folder: Path) -> None:
    """Whatever the verb would make is there already: once as a user's own file, once as a link to what it reads."""
    verb = VERBS[name]
    done = run(folder, verb.command(**{option: "first"}))
    assert done.returncode == 0, done.stderr.decode()
    made = sorted(p.name for p in (folder / "first").iterdir())
    assert made
    read = folder / verb.reads[-1]
    for links in (False, True):
        out = folder / f"again {links}"
        out.mkdir()
        for each in made:
            (out / each).symlink_to(read) if links else (out / each).write_text("a diary")
        before = contents(folder)
        done = run(folder, [*verb.command(**{option: out.name}), *extra])
        if extra and not links:
            assert done.returncode == 0, done.stderr.decode()
            assert all((out / each).read_bytes() != b"a diary" for each in made)
        else:
            assert done.returncode == 2, done.stderr.decode()
            assert contents(folder) == before
    assert read.is_file()


@pytest.mark.parametrize(("name", "option"), FOLDER_OUTPUTS)
def test_a_folder_with_inputs_is_not_filled(name: str, option: str, folder: Path) -> None:
    model = [word for word in VERBS[name].reads if "/" in word]
    where = str(Path(model[-1]).parent) if model else "."
    before = contents(folder)
    done = run(folder, VERBS[name].command(**{option: where}))
    if model or name == "compile":
        assert done.returncode == 2, done.stderr.decode()
    assert {k: contents(folder).get(k) for k in before} == before


@pytest.mark.parametrize(("name", "option"), [(name, option) for name, verb in FINISHING.items() for option in verb.files])
def test_a_file_that_was_named_is_replaced_whole(name: str, option: str, folder: Path) -> None:
    target = folder / FINISHING[name].files[option]
    target.write_text("old")
    target.chmod(0o644)
    done = run(folder, FINISHING[name].command(**{option: target.name}))
    assert done.returncode == 0, done.stderr.decode()
    assert target.read_bytes() != b"old" and not list(folder.glob(".slipway*"))


def test_the_data_file_of_a_converted_model_is_not_ours_to_replace(folder: Path) -> None:
    """It gets its name of itself."""
    (folder / "large").mkdir()
    for each in ("net.pt2",):
        shutil.copy(folder / each, folder / "large")
    (folder / "large/model.data").write_text("a diary")
    done = run(folder, ["convert", "large/net.pt2", "-o", "large/made.onnx"])
    assert (folder / "large/model.data").read_text() == "a diary", done.stderr.decode()


@pytest.mark.parametrize("name", [name for name, verb in VERBS.items() if verb.stream and "-i " in verb.words])
def test_standard_input_is_one_input(name: str, folder: Path) -> None:
    words = VERBS[name].command()
    words[1], words[words.index("-i") + 1] = "-", "-"
    done = run(folder, words, input=b"")
    assert done.returncode == 2 and b"standard input" in done.stderr, done.stderr.decode()


def test_frames_below_a_folder_are_inputs_when_they_are_read(folder: Path) -> None:
    (folder / "frames/below").mkdir()
    shutil.copy(folder / "x.png", folder / "frames/below/y.png")
    before = contents(folder)
    for extra in ([], ["--overwrite"]):
        done = run(folder, ["face-det-lite", "-m", "faces.onnx", "frames", "--recursive", "-o", "frames/below", *extra])
        assert {k: contents(folder).get(k) for k in before} == before, done.stderr.decode()
