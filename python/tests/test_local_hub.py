"""The launcher of `slipway serve`, tried on shell scripts in its place."""

import os
import time
from pathlib import Path

import pytest

from python.tools.local_hub import HubDidNotStart, LocalHub, descendants, missing_executables

BUILD = Path(os.environ.get("SLIPWAY_BUILD", Path(__file__).resolve().parents[2] / "build/release"))


def program(folder, text):
    folder.mkdir(exist_ok=True)
    path = folder / "slipway"
    path.write_text("#!/bin/bash\n" + text)
    path.chmod(0o755)
    return folder


def gone(pid):
    for _ in range(100):
        try:
            if open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()[0] == "Z":
                return True
        except FileNotFoundError:
            return True
        time.sleep(0.02)
    return False


def test_the_ready_line_gives_the_address(tmp_path):
    build = program(tmp_path / "build", 'echo starting\necho "Slipway hub ready at http://127.0.0.1:1234"\nexec sleep 60\n')
    with LocalHub(build, tmp_path / "data") as hub:
        assert hub.url == "http://127.0.0.1:1234"
        assert 0 < hub.ready_seconds < 10
        assert hub.is_running()
        pid = hub.pid
    assert gone(pid)


def test_a_program_that_ends_before_it_is_ready_is_reported_with_its_words(tmp_path):
    build = program(tmp_path / "build", "echo cannot listen >&2\nexit 1\n")
    with pytest.raises(HubDidNotStart, match="cannot listen"):
        LocalHub(build, tmp_path / "data").start(timeout_seconds=10)


def test_kill_leaves_no_child_behind(tmp_path):
    build = program(tmp_path / "build", 'sleep 60 &\n(sleep 61 & wait) &\necho "Slipway hub ready at http://x"\nwait\n')
    hub = LocalHub(build, tmp_path / "data")
    hub.start()
    for _ in range(250):  # the inner shell may need a moment for its child
        pids = [process.pid for process in hub.processes()]
        if len(pids) >= 4:
            break
        time.sleep(0.02)
    assert len(pids) >= 4
    hub.kill()
    assert all(gone(pid) for pid in pids)


def test_a_program_that_ignores_the_request_to_end_is_killed(tmp_path):
    build = program(tmp_path / "build", "trap '' TERM\necho 'Slipway hub ready at http://x'\nwhile true; do sleep 1; done\n")
    hub = LocalHub(build, tmp_path / "data")
    hub.start()
    pid = hub.pid
    assert hub.stop(timeout_seconds=0.5) is None
    assert gone(pid)


@pytest.mark.skipif(bool(missing_executables(BUILD)), reason=f"{BUILD} has no programs")
def test_hub_and_agent_without_slipway_are_those_of_slipway_serve(tmp_path):
    """As the demo starts them: ready with a registered agent, and both gone at the end."""
    told = {}
    for needs_slipway in (False, True):
        with LocalHub(BUILD, tmp_path / f"data-{needs_slipway}", needs_slipway=needs_slipway) as hub:
            processes = [each for each in hub.processes() if each.program in ("slipway-hub", "slipway-worker")]
            told[needs_slipway] = sorted((each.program, each.arguments[1]) for each in processes)
            assert hub.ini.is_file() and hub.token()
        assert all(gone(each.pid) for each in processes)
    assert told[False] == told[True] == [("slipway-hub", "serve"), ("slipway-worker", "agent")]


def test_descendants_of_this_process_do_not_include_strangers():
    assert all(process.pid != 1 for process in descendants(os.getpid()))


def test_missing_executables_are_named(tmp_path):
    (tmp_path / "slipway").touch()
    assert missing_executables(tmp_path) == ["slipway-hub", "slipway-worker"]
