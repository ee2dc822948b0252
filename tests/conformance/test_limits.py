"""What one job may use: a job that takes more ends with a typed reason, and nothing else ends with it."""

from __future__ import annotations

import json
import signal
import subprocess
import threading

import numpy as np
import pytest
import tiny_models
from expectations import read_log, succeed, wait_for
from qai_hub import public_api_pb2 as messages
from qai_hub import public_rest_api
import qai_hub
from qai_hub.api_utils import load_api_config_from_file

MEMORY_MB = 500


@pytest.fixture(scope="module")
def frugal(build, tmp_path_factory):
    """A hub whose one agent gives each job little memory."""
    folder = tmp_path_factory.mktemp("frugal")
    data = folder / "data"
    with (folder / "log").open("wb") as log:
        hub = subprocess.Popen([build / "slipway-hub", "serve", "--data", data, "--listen", "127.0.0.1:0", "--json"],
                               stdout=subprocess.PIPE, stderr=log, text=True)
        ready = json.loads(hub.stdout.readline())
        agent = subprocess.Popen([build / "slipway-worker", "agent", "--hub", ready["url"], "--token-file", ready["agent_token"],
                                  "--work", folder / "work", "--job-memory-mb", str(MEMORY_MB)],
                                 stdout=subprocess.PIPE, stderr=log, text=True)
        registered = threading.Event()
        threading.Thread(target=lambda: (agent.stdout.readline(), registered.set()), daemon=True).start()
        assert registered.wait(30), (folder / "log").read_text()
        config = load_api_config_from_file(ready["client_ini"])
        config.verbose = False
        yield qai_hub.Client(config=config)
        for process in (agent, hub):
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0


def test_a_job_that_takes_too_much_memory_is_ended_with_that_reason(frugal, tmp_path):
    cpu = frugal.get_devices()[0]
    model = frugal.upload_model(str(tiny_models.save(tiny_models.greedy(), tmp_path / "greedy.onnx")))
    job = frugal.submit_inference_job(model, cpu, {"x": [np.ones(1, np.float32)]}, profile=False)
    status = wait_for(job, timeout_seconds=120)
    assert status.failure
    assert "memory" in status.message and str(MEMORY_MB) in status.message, status.message
    found = public_rest_api.get_job(frugal.config, job.job_id)
    assert found.failure_type == messages.JOB_FAILURE_TYPE_OUT_OF_MEMORY
    assert "failed" in read_log(job)


def test_the_agent_goes_on_after_it(frugal, tmp_path):
    cpu = frugal.get_devices()[0]
    model = frugal.upload_model(str(tiny_models.save(tiny_models.convolution(), tmp_path / "small.onnx")))
    succeed(frugal.submit_compile_job(model, cpu))
