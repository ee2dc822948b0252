"""kill -9 at the worst moment: nothing is lost, nothing is done twice, and the job ends.

Each scenario has a hub of its own. They run side by side, because most of their time is waiting for a lease to end.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime

import numpy as np
import pytest
import tiny_models
from expectations import make_client, read_log, succeed, wait_for
from own_hub import OwnHub
from qai_hub import public_rest_api

from python.tools.local_hub import LocalHub, Process, descendants

SAMPLES = 24  # a fifth of a second each


class Scenario:
    """A hub with a model, a dataset and a job that has been running for a moment."""

    # Where a kill leaves the hub is a race; starting one at a time keeps the beginnings alike.
    _one_at_a_time = threading.Lock()

    def __init__(self, build, folder):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.hub = LocalHub(build, folder / "data", f"127.0.0.1:{port}")
        self.folder = folder

    def begin(self):
        with self._one_at_a_time:
            self.hub.start()
            self.client = make_client(self.hub)
            self.cpu = self.client.get_devices()[0]
            path = tiny_models.save(tiny_models.slow(), self.folder / "slow.onnx")
            self.model = self.client.upload_model(str(path))
            self.compiled = succeed(self.client.submit_compile_job(self.model, self.cpu, name="finished before"))
            self.values = [np.full((1, 1), number + 1, np.float32) for number in range(SAMPLES)]
            self.dataset = self.client.upload_dataset({"x": self.values}, name="inputs")
            self.job = self.client.submit_inference_job(self.model, self.cpu, self.dataset, name="interrupted", profile=False)
            self.pending = self.client.submit_compile_job(self.model, self.cpu, name="still waiting")
            self.wait_until_it_runs()

    def is_job(self, process: Process) -> bool:
        """The process of the interrupted job, not the sandbox around it nor another job's."""
        return (process.program == "slipway-worker" and process.arguments[1:2] == ["job"]
                and self.job.job_id in process.arguments[2])

    @staticmethod
    def is_agent(process: Process) -> bool:
        return process.program == "slipway-worker" and "agent" in process.arguments[1:2]

    @staticmethod
    def is_server(process: Process) -> bool:
        return process.program == "slipway-hub"

    def wait_until_it_runs(self, timeout_seconds=20.0):
        """Until the job's process has been there for half a second."""
        deadline = time.monotonic() + timeout_seconds
        while time.monotonic() < deadline:
            state = public_rest_api.get_job(self.client.config, self.job.job_id).inference_job.job_state
            if state not in (0, 1, 10, 30) and any(self.is_job(process) for process in self.hub.processes()):
                time.sleep(0.5)
                return
            time.sleep(0.05)
        raise TimeoutError("the job does not run: " + "; ".join(" ".join(p.arguments) for p in self.hub.processes()))

    def kill(self, wanted, number=signal.SIGKILL):
        victims = [process for process in self.hub.processes() if wanted(process)]
        assert victims, "nothing to kill among " + "; ".join(" ".join(p.arguments) for p in self.hub.processes())
        for process in victims:
            os.kill(process.pid, number)

    def revive(self):
        """`slipway serve` may bring a killed part back, or end; then it is started again on the same data."""
        time.sleep(1.0)
        for _ in range(50):
            if not self.hub.is_running():
                self.hub.stop()
                self.hub.start()
                return
            try:
                with socket.create_connection(("127.0.0.1", int(self.hub.listen.rpartition(":")[2])), timeout=1):
                    return
            except OSError:
                time.sleep(0.2)
        raise AssertionError("the hub neither came back nor ended")

    def end(self):
        self.hub.stop()


def kill_server(scenario):
    scenario.kill(scenario.is_server)
    scenario.revive()


def kill_agent(scenario):
    scenario.kill(scenario.is_agent)
    scenario.revive()


def kill_job(scenario):
    scenario.kill(scenario.is_job)


def crash_job(scenario):
    scenario.kill(scenario.is_job, signal.SIGSEGV)


def kill_everything(scenario):
    scenario.hub.kill()
    scenario.hub.start()


def stop_in_order(scenario):
    """SIGTERM for `slipway serve`, as systemd and Ctrl-C do it."""
    asked = time.monotonic()
    assert scenario.hub.stop() == 0
    scenario.stop_seconds = time.monotonic() - asked
    scenario.hub.start()
    scenario.restarted = time.monotonic()


def stop_agent(scenario):
    """SIGTERM for the agent alone; `slipway serve` brings it back."""
    scenario.kill(scenario.is_agent, signal.SIGTERM)
    scenario.restarted = time.monotonic()


FAULTS = {fault.__name__: fault for fault in (kill_server, kill_agent, kill_job, crash_job, kill_everything, stop_in_order,
                                                stop_agent)}


@pytest.fixture(scope="module")
def scenarios(build, tmp_path_factory):
    """Every scenario past its fault and at the end of its job, as futures."""

    def play(name) -> Scenario:
        scenario = Scenario(build, tmp_path_factory.mktemp(name))
        started.append(scenario)
        scenario.begin()
        FAULTS[name](scenario)
        scenario.status = wait_for(scenario.job, timeout_seconds=150)
        scenario.ended = time.monotonic()
        return scenario

    started: list[Scenario] = []
    with ThreadPoolExecutor(len(FAULTS)) as pool:
        futures: dict[str, Future[Scenario]] = {name: pool.submit(play, name) for name in FAULTS}
        yield futures
    for scenario in started:
        scenario.end()


def expected():
    return [tiny_models.run(tiny_models.slow(), {"x": np.full((1, 1), number + 1, np.float32)})["y"]
            for number in range(SAMPLES)]


@pytest.mark.parametrize("fault", ["kill_server", "kill_agent", "kill_everything", "stop_in_order", "stop_agent"])
def test_the_job_ends_with_its_result(scenarios, fault):
    scenario = scenarios[fault].result()
    assert scenario.status.success, f"{scenario.status.message}\n{scenario.hub.tail()}"
    found = scenario.job.download_output_data()["y"]
    np.testing.assert_allclose(found, expected(), rtol=1e-4)


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_there_is_one_result_and_no_second(scenarios, fault):
    scenario = scenarios[fault].result()
    datasets = [dataset.dataset_id for dataset in scenario.client.get_datasets(limit=50)]
    assert len(datasets) == (2 if scenario.status.success else 1)
    assert len(set(datasets)) == len(datasets)
    summaries = [summary.name for summary in scenario.client.get_job_summaries(limit=50)]
    assert sorted(summaries) == ["finished before", "interrupted", "still waiting"]


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_what_was_there_before_is_there_after(scenarios, fault):
    scenario = scenarios[fault].result()
    client = make_client(scenario.hub)
    assert client.get_job(scenario.compiled.job_id).get_status().success
    copy = client.get_model(scenario.model.model_id).download(str(scenario.folder / "copy.onnx"))
    assert open(copy, "rb").read() == (scenario.folder / "slow.onnx").read_bytes()
    assert client.get_model(scenario.compiled.get_target_model().model_id).download(str(scenario.folder / "target"))
    data = client.get_dataset(scenario.dataset.dataset_id).download()
    np.testing.assert_array_equal(data["x"], scenario.values)
    assert read_log(client.get_job(scenario.compiled.job_id))


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_the_job_that_waited_behind_it_ends_too(scenarios, fault):
    scenario = scenarios[fault].result()
    assert wait_for(scenario.pending, timeout_seconds=60).success


@pytest.mark.parametrize("fault", ["stop_in_order", "stop_agent"])
def test_a_job_that_was_stopped_in_order_does_not_wait_for_its_lease(scenarios, fault):
    scenario = scenarios[fault].result()
    log = read_log(scenario.job)
    assert "handed back" in log
    assert "attempt 2" not in log, "an attempt that was handed back does not count"
    # The job itself takes five seconds alone, and longer beside the others; a lease takes thirty to end.
    assert scenario.ended - scenario.restarted < 28


def test_serve_ends_quickly_when_told_so(scenarios):
    assert scenarios["stop_in_order"].result().stop_seconds < 4


def test_a_crash_fails_the_job_with_what_happened(scenarios):
    scenario = scenarios["crash_job"].result()
    assert scenario.status.failure
    assert "signal 11" in scenario.status.message
    from qai_hub import public_api_pb2 as messages

    job = public_rest_api.get_job(scenario.client.config, scenario.job.job_id)
    assert job.failure_type == messages.JOB_FAILURE_TYPE_RUNTIME_CRASH
    assert read_log(scenario.job)


def test_a_killed_job_process_ends_its_job(scenarios):
    """By its own failure, or by another attempt that succeeds."""
    scenario = scenarios["kill_job"].result()
    assert scenario.status.finished
    if scenario.status.failure:
        assert "signal 9" in scenario.status.message or "memory" in scenario.status.message


@pytest.mark.parametrize("name", ["agent {}", "one name for both"])
def test_the_job_of_an_agent_that_is_told_to_end_is_finished_by_another_in_the_same_attempt(build, tmp_path, name):
    with OwnHub(build, tmp_path, agents=2, agent_name=name) as hub:
        client = hub.client
        model = client.upload_model(str(tiny_models.save(tiny_models.slow(), tmp_path / "slow.onnx")))
        values = [np.full((1, 1), number + 1, np.float32) for number in range(SAMPLES)]
        job = client.submit_inference_job(model, client.get_devices()[0], {"x": values}, profile=False)

        def has_the_job(agent):
            return any("job" in process.arguments[1:2] and job.job_id in process.arguments[2]
                       for process in descendants(agent.pid))

        deadline = time.monotonic() + 20
        while not (leaving := [agent for agent in hub.agents if has_the_job(agent)]):
            assert time.monotonic() < deadline, "no agent takes the job"
            time.sleep(0.02)
        leaving[0].send_signal(signal.SIGTERM)
        assert leaving[0].wait(10) == 0
        hub.agents.remove(leaving[0])
        np.testing.assert_allclose(succeed(job).download_output_data()["y"], expected(), rtol=1e-4)
        log = read_log(job)
        starts = re.findall(r"(\S+Z) attempt (\d) of 3 by agent (.*)", log)
        assert [attempt for _, attempt, _ in starts] == ["1", "1"], log
        assert starts[0][2] != starts[1][2], "another agent took it"
        (returned,) = re.findall(r"(\S+Z) .*handed back", log)
        waited = datetime.fromisoformat(starts[1][0]) - datetime.fromisoformat(returned)
        assert waited.total_seconds() < 10, "it did not wait for the lease of 30 s to end"
        assert len(client.get_datasets(limit=50)) == 2, "the inputs and one result"
