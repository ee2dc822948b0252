"""What `slipway serve` starts, without that program: a hub and its local agent until a signal ends both.

    python -m python.tools.serve --build build/release --data DIR [--listen ADDRESS:PORT]

The demo runs this, so that it need not wait for the command line's pipelines to be compiled. Nothing is started again when it
ends: `slipway serve` does that.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import signal
import subprocess
import sys

PATIENCE_S = 10.0  # for each program at the end
REGISTERED = "Slipway agent registered: "


class Ended(RuntimeError):
    pass


def start(command: list[str], running: list[subprocess.Popen]) -> subprocess.Popen:
    running.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True, bufsize=1))
    return running[-1]


def ready_hub(process: subprocess.Popen) -> dict:
    """What the hub says of itself: url, client_ini, agent_token."""
    for line in process.stdout:
        try:
            said = json.loads(line)
        except ValueError:
            continue
        if isinstance(said, dict) and said.get("schema") == "slipway-ready/1":
            return said
    raise Ended(f"slipway-hub ended with {process.wait()} before it was ready")


def registered_device(process: subprocess.Popen) -> str:
    for line in process.stdout:
        if line.startswith(REGISTERED):
            return line.removeprefix(REGISTERED).strip()
    raise Ended(f"the agent ended with {process.wait()} before it was registered")


def end(running: list[subprocess.Popen]) -> None:
    """The agent first: it returns its job to the hub."""
    for process in reversed(running):
        process.terminate()
        try:
            process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--listen", default="127.0.0.1:8400")
    options = parser.parse_args()
    data = options.data.absolute()
    running: list[subprocess.Popen] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    try:
        hub = start([str(options.build / "slipway-hub"), "serve", "--data", str(data), "--listen", options.listen, "--json"], running)
        said = ready_hub(hub)
        agent = start([str(options.build / "slipway-worker"), "agent", "--hub", said["url"], "--token-file", said["agent_token"],
                       "--work", str(data / "work"), "--name", "local"], running)
        print(f"Slipway hub ready at {said['url']}\n  this machine's device: {registered_device(agent)}", flush=True)
        for process in (agent, hub):  # what they say later must not fill a pipe
            for _ in process.stdout:
                pass
        raise Ended(f"slipway-hub ended with {hub.wait()}, the agent with {agent.wait()}")
    except Ended as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        end(running)


if __name__ == "__main__":
    sys.exit(main())
