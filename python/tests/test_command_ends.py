"""Every verb ends as Unix tools do: by signals, on a full disk, when nobody reads; and half of a result is called that."""

from __future__ import annotations

import fcntl
import os
import resource
import signal
import struct
import subprocess
import termios
import time
from pathlib import Path

import pytest

from python.tests.command_table import FINISHING, SERVE, VERBS
from python.tests.commands import SLIPWAY, needs_slipway
from python.tests.test_command_files import ENDS_WITHIN_SECONDS, start  # noqa: F401: a fixture
from python.tests.test_command_guard import filled, folder, run  # noqa: F401: fixtures

pytestmark = needs_slipway

STREAMING = [name for name, verb in VERBS.items() if verb.stream and name not in ("compile to a file",)]
SIGNALS = [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]


def hidden(folder: Path, temporary: Path) -> list[str]:  # noqa: F811
    return [str(p) for p in folder.rglob(".*")] + [str(p) for p in temporary.iterdir()]


def bytes_in(pipe) -> int:
    """What was written into it and not read yet."""
    return struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)))[0]


def stalled(start, name: str, folder: Path) -> tuple[subprocess.Popen, Path]:  # noqa: F811
    """The verb, waiting on standard input for what comes behind the first byte."""
    verb = VERBS[name]
    temporary = folder.parent / "temporary"
    temporary.mkdir()
    words = ["-" if word == verb.stream else word for word in verb.command()]
    process = start([str(SLIPWAY), *words], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "TMPDIR": str(temporary)})
    process.stdin.write((folder / verb.stream).read_bytes()[:1])
    process.stdin.flush()
    end = time.monotonic() + 30
    while bytes_in(process.stdin):
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < end, "it does not read its input"
        time.sleep(0.01)
    time.sleep(0.05)
    return process, temporary


@pytest.mark.parametrize(("sent", "status"), SIGNALS, ids=lambda value: getattr(value, "name", ""))
@pytest.mark.parametrize("name", STREAMING)
def test_a_signal_ends_a_verb_whose_input_stalls(start, name: str, sent: signal.Signals, status: int, folder: Path) -> None:  # noqa: F811
    process, temporary = stalled(start, name, folder)
    begin = time.monotonic()
    process.send_signal(sent)
    assert process.wait(10) == status, process.stderr.read()
    assert time.monotonic() - begin < ENDS_WITHIN_SECONDS
    said = process.stderr.read().decode()
    assert "stopped by" in said and hidden(folder, temporary) == [], said


@pytest.mark.parametrize("name", STREAMING)
def test_a_second_signal_ends_a_stalled_verb_at_once(start, name: str, folder: Path) -> None:  # noqa: F811
    process, temporary = stalled(start, name, folder)
    begin = time.monotonic()
    process.send_signal(signal.SIGINT)
    time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 130, process.stderr.read()
    assert time.monotonic() - begin < ENDS_WITHIN_SECONDS and hidden(folder, temporary) == []


@pytest.mark.parametrize("name", [name for name in FINISHING])
@pytest.mark.parametrize("words", [["--json"], []], ids=["json", "text"])
def test_a_full_disk_behind_standard_output_is_an_error_of_every_verb(name: str, words: list[str], folder: Path) -> None:  # noqa: F811
    with open("/dev/full", "wb") as full:
        done = subprocess.run([str(SLIPWAY), *FINISHING[name].command(), *words], cwd=folder, stdout=full, stderr=subprocess.PIPE, check=False, timeout=120)
    assert done.returncode == 1 and b"No space left" in done.stderr, done.stderr.decode()


@pytest.mark.parametrize("name", [name for name in FINISHING])
def test_nobody_reads_and_every_verb_ends_in_silence(name: str, folder: Path) -> None:  # noqa: F811
    ours, theirs = os.pipe()
    os.close(ours)
    done = subprocess.run([str(SLIPWAY), *FINISHING[name].command(), "--json"], cwd=folder, stdout=theirs, stderr=subprocess.PIPE, check=False, timeout=120)
    os.close(theirs)
    assert done.returncode == 128 + signal.SIGPIPE, done.stderr.decode()
    assert b"slipway:" not in done.stderr and b"ipe" not in done.stderr.replace(b"ipeline", b""), done.stderr.decode()


@pytest.mark.parametrize(("name", "option"), [(name, option) for name, verb in FINISHING.items() for option in verb.files])
def test_an_output_on_a_full_disk_is_an_error_that_names_it(name: str, option: str, folder: Path) -> None:  # noqa: F811
    wanted = FINISHING[name].files[option]
    (folder / f"full-{wanted}").symlink_to("/dev/full")
    done = run(folder, FINISHING[name].command(**{option: f"full-{wanted}"}))
    assert done.returncode == 1, done.stderr.decode()
    assert b"No space left" in done.stderr and f"full-{wanted}".encode() in done.stderr, done.stderr.decode()
    assert (folder / f"full-{wanted}").is_symlink()


def limited() -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50, 50))


# The inputs of these are small enough to be read; what they make is not small enough to be written.
LIMITED = [(name, option) for name, verb in FINISHING.items() for option in verb.files if name not in ("compile", "compile to a file", "profile", "bench")]


@pytest.mark.parametrize(("name", "option"), LIMITED)
def test_what_does_not_fit_leaves_what_was_there(name: str, option: str, folder: Path) -> None:  # noqa: F811
    wanted = FINISHING[name].files[option]
    (folder / wanted).write_text("old")
    temporary = folder.parent / "temporary"
    temporary.mkdir()
    done = run(folder, FINISHING[name].command(**{option: wanted}), preexec_fn=limited, env={**os.environ, "TMPDIR": str(temporary)})
    assert done.returncode == 1, done.stderr.decode()
    assert b"too large" in done.stderr.lower() or b"space" in done.stderr.lower(), done.stderr.decode()
    assert (folder / wanted).read_text() == "old" and hidden(folder, temporary) == []


@pytest.mark.parametrize("name", [name for name, verb in FINISHING.items() if verb.folders])
def test_a_folder_of_outputs_that_do_not_fit_is_not_half_filled(name: str, folder: Path) -> None:  # noqa: F811
    [(option, _)] = FINISHING[name].folders.items()
    done = run(folder, FINISHING[name].command(**{option: "half"}), preexec_fn=limited)
    assert done.returncode == 1, done.stderr.decode()
    assert not (folder / "half").exists() or not [p for p in (folder / "half").rglob("*") if p.is_file()], done.stderr.decode()


@pytest.mark.parametrize(("sent", "status"), SIGNALS, ids=lambda value: getattr(value, "name", ""))
def test_a_hub_ends_in_order_by_any_of_the_signals(start, sent: signal.Signals, status: int, folder: Path) -> None:  # noqa: F811
    """It is asked to end, and does: exit status 0, nothing of it left."""
    process = start([str(SLIPWAY), *SERVE.command(), "--json"], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert b"slipway-ready/1" in process.stdout.readline(), process.stderr.read()
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    assert len(children) == 2
    process.send_signal(sent)
    assert process.wait(30) == 0, process.stderr.read()
    assert not any(Path(f"/proc/{child}").exists() for child in children)
