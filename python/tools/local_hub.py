"""Starts `slipway serve` for as long as a block runs: what the demo, the conformance tests and the benchmarks stand on."""

from __future__ import annotations

import collections
import configparser
import dataclasses
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

_READY = re.compile(r"Slipway hub ready at (http\S+)")
EXECUTABLES = ("slipway", "slipway-hub", "slipway-worker")
ROOT = Path(__file__).resolve().parents[2]


class HubDidNotStart(RuntimeError):
    """The message holds what the hub said last."""


@dataclasses.dataclass(frozen=True)
class Process:
    pid: int
    parent: int
    arguments: list[str]

    @property
    def program(self) -> str:
        return Path(self.arguments[0]).name if self.arguments else ""


def missing_executables(build: Path, names: tuple[str, ...] = EXECUTABLES) -> list[str]:
    """Those of the names that BUILD lacks."""
    return [name for name in names if not (build / name).is_file()]


def port_is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


class LocalHub:
    """A hub of its own data folder. `with LocalHub(build, data) as hub:` stops it at the end; start() and kill() may alternate.

    needs_slipway: False starts hub and agent by python/tools/serve.py, where only these two are built.
    url: where it listens, once ready. ready_seconds: from the start of the process to the ready line.
    """

    def __init__(self, build: Path, data: Path, listen: str = "127.0.0.1:0", arguments: list[str] | None = None,
                 needs_slipway: bool = True):
        self._launcher = ([str(Path(build) / "slipway"), "serve"] if needs_slipway
                          else [sys.executable, str(ROOT / "python/tools/serve.py"), "--build", str(build)])
        self.build, self.data, self.listen, self.arguments = Path(build), Path(data), listen, arguments or []
        self.log = self.data.with_name(self.data.name + ".log")
        self.url = ""
        self.ready_seconds = 0.0
        self._process: subprocess.Popen | None = None
        self._said: collections.deque[str] = collections.deque(maxlen=50)

    def __enter__(self) -> LocalHub:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def ini(self) -> Path:
        return self.data / "client.ini"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def token(self) -> str:
        ini = configparser.ConfigParser()
        ini.read(self.ini)
        return ini["api"]["api_token"]

    def start(self, timeout_seconds: float = 30.0) -> None:
        """Returns when the hub is ready. Raises HubDidNotStart."""
        self.data.parent.mkdir(parents=True, exist_ok=True)
        command = [*self._launcher, "--data", str(self.data), "--listen", self.listen, *self.arguments]
        begun = time.perf_counter()
        with self.log.open("ab") as log:
            # A session of its own: Ctrl-C reaches this script, which then stops the hub in order.
            self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, bufsize=1,
                                             start_new_session=True)
        self._said.clear()
        ready = threading.Event()
        threading.Thread(target=self._read, args=(self._process, ready), daemon=True).start()
        if not ready.wait(timeout_seconds) or not self.url:
            self.kill()
            raise HubDidNotStart(f"{' '.join(command)}\ndid not say that it is ready within {timeout_seconds:g} s:\n"
                                 + "\n".join(self._said) + self.tail())
        self.ready_seconds = self._ready_at - begun

    def _read(self, process: subprocess.Popen, ready: threading.Event) -> None:
        self.url = ""
        for line in process.stdout:
            self._said.append(line.rstrip())
            match = _READY.search(line)
            if match:
                self._ready_at = time.perf_counter()
                self.url = match[1]
                ready.set()
        ready.set()

    def stop(self, timeout_seconds: float = 15.0) -> int | None:
        """Asks the hub to end and waits; returns its exit status, or None when it had to be killed."""
        process, self._process = self._process, None
        if process is None:
            return None
        process.terminate()
        try:
            return process.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            _kill_all([process.pid, *(child.pid for child in descendants(process.pid))])
            process.wait()
            return None

    def kill(self) -> None:
        """kill -9 of everything at once, as a power cut would."""
        process, self._process = self._process, None
        if process is not None:
            _kill_all([process.pid, *(child.pid for child in descendants(process.pid))])
            process.wait()

    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def processes(self) -> list[Process]:
        """Everything below `slipway serve`, and that itself."""
        return descendants(self.pid, include_self=True)

    def tail(self, lines: int = 30) -> str:
        """The last lines of the hub's own log."""
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])


def _kill_all(pids: list[int]) -> None:
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def descendants(root: int, include_self: bool = False) -> list[Process]:
    """The processes below ROOT, parents before children, as /proc shows them now."""
    found: dict[int, Process] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            # The name in parentheses may hold blanks and parentheses.
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            arguments = (entry / "cmdline").read_bytes().decode(errors="replace").rstrip("\0").split("\0")
        except (OSError, IndexError):
            continue
        if fields[0] != "Z":
            found[int(entry.name)] = Process(int(entry.name), int(fields[1]), arguments)
    result = [found[root]] if include_self and root in found else []
    level = {root}
    while level:
        children = [process for process in found.values() if process.parent in level]
        result += children
        level = {process.pid for process in children}
    return result
