"""Pages as people see them: headless Chromium, told what to do over a pipe (the DevTools protocol)."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import time
from pathlib import Path


def chromium() -> str | None:
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class Browser:
    """`with Browser(folder) as browser:` is a Chromium with a profile of its own below folder."""

    def __init__(self, folder: Path):
        self.folder = folder
        self._number = 0

    def __enter__(self) -> Browser:
        commands, self._commands = os.pipe()
        self._answers, answers = os.pipe()

        def as_three_and_four() -> None:  # the numbers that Chromium reads from and writes to
            first, second = os.dup(commands), os.dup(answers)
            os.dup2(first, 3)
            os.dup2(second, 4)

        # Without Chromium's own sandbox, which root may not make: the pages are this hub's.
        self._process = subprocess.Popen(
            [chromium(), "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
             "--remote-debugging-pipe", f"--user-data-dir={self.folder}", "--window-size=1100,1400", "about:blank"],
            close_fds=False, preexec_fn=as_three_and_four, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=(self.folder.parent / "chromium.log").open("w"))
        os.close(commands)
        os.close(answers)
        self._read = b""
        target = self._ask("Target.createTarget", {"url": "about:blank"})["targetId"]
        self._session = self._ask("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._commands)
        self._process.kill()
        self._process.wait()
        os.close(self._answers)

    def _ask(self, method: str, arguments: dict | None = None, session: str | None = None) -> dict:
        self._number += 1
        message = {"id": self._number, "method": method, "params": arguments or {}} | ({"sessionId": session} if session else {})
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while True:
            while b"\0" not in self._read:
                part = os.read(self._answers, 1 << 16)
                assert part, "Chromium ended"
                self._read += part
            answer, self._read = self._read.split(b"\0", 1)
            answer = json.loads(answer)
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return answer["result"]

    def ask(self, method: str, **arguments: object) -> dict:
        return self._ask(method, arguments, self._session)

    def cookie(self, url: str, name: str, value: str) -> None:
        self.ask("Network.setCookie", url=url, name=name, value=value)

    def value_of(self, script: str) -> object:
        return self.ask("Runtime.evaluate", expression=script, returnByValue=True)["result"].get("value")

    def open(self, url: str, until: str, seconds: float = 60) -> None:
        """Waits until a script's value is true."""
        self.ask("Page.navigate", url=url)
        end = time.monotonic() + seconds
        while not self.value_of(until):
            assert time.monotonic() < end, self.value_of("document.body.innerText")
            time.sleep(0.1)

    def screenshot(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self.ask("Page.captureScreenshot", format="png", captureBeyondViewport=True)["data"]))
