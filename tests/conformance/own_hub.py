"""A hub server and agents as they run on machines of their own: `slipway-hub serve` and `slipway-worker agent`, without `slipway serve`."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
from pathlib import Path

import qai_hub
from qai_hub.api_utils import load_api_config_from_file


class OwnHub:
    """`with OwnHub(build, folder, agents=2) as hub:` stops all of it in order at the end and insists on exit status 0.

    agents: their processes, registered with the hub. client: the official client of the hub's administrator.
    """

    def __init__(self, build: Path, folder: Path, agents: int = 1, agent_arguments: tuple[str, ...] = (),
                 agent_name: str = "agent {}"):
        self.build, self.folder, self.agent_arguments, self.agent_name = build, folder, agent_arguments, agent_name
        self.log = folder / "log"
        self.agents: list[subprocess.Popen] = []
        self._agent_count = agents

    def _start(self, *command: object) -> subprocess.Popen:
        with self.log.open("ab") as log:
            return subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, stderr=log, text=True)

    def __enter__(self) -> OwnHub:
        self.server = self._start(self.build / "slipway-hub", "serve", "--data", self.folder / "data", "--listen", "127.0.0.1:0",
                                  "--json")
        ready = json.loads(self.server.stdout.readline())
        for number in range(self._agent_count):
            agent = self._start(self.build / "slipway-worker", "agent", "--hub", ready["url"], "--token-file",
                                ready["agent_token"], "--work", self.folder / f"work {number}", "--name",
                                self.agent_name.format(number),
                                *self.agent_arguments)
            self.agents.append(agent)
            registered = threading.Event()
            threading.Thread(target=lambda agent=agent, event=registered: (agent.stdout.readline(), event.set()),
                             daemon=True).start()
            assert registered.wait(30), self.log.read_text()
        config = load_api_config_from_file(ready["client_ini"])
        config.verbose = False
        self.client = qai_hub.Client(config=config)
        return self

    def __exit__(self, *_: object) -> None:
        for process in (*self.agents, self.server):
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0, self.log.read_text()
