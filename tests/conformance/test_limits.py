"""What one job may use, and how often one may try a wrong token: whoever takes more is told so, and nobody else suffers."""

from __future__ import annotations

import numpy as np
import pytest
import requests
import tiny_models
from expectations import read_log, succeed, wait_for
from own_hub import OwnHub
from qai_hub import public_api_pb2 as messages
from qai_hub import public_rest_api

MEMORY_MB = 500


@pytest.fixture(scope="module")
def frugal(build, tmp_path_factory):
    """A hub whose one agent gives each job little memory."""
    with OwnHub(build, tmp_path_factory.mktemp("frugal"), agent_arguments=("--job-memory-mb", str(MEMORY_MB))) as hub:
        yield hub.client


def test_a_job_that_takes_too_much_memory_is_ended_with_that_reason(frugal, tmp_path):
    cpu = frugal.get_devices()[0]
    model = frugal.upload_model(str(tiny_models.save(tiny_models.greedy(), tmp_path / "greedy.onnx")))
    job = frugal.submit_inference_job(model, cpu, {"x": [np.ones(1, np.float32)]}, profile=False)
    status = wait_for(job, timeout_seconds=120)
    assert status.failure
    assert f"memory limit of {MEMORY_MB} MB" in status.message, status.message
    found = public_rest_api.get_job(frugal.config, job.job_id)
    assert found.failure_type == messages.JOB_FAILURE_TYPE_RUNTIME_OUT_OF_MEMORY
    assert "failed" in read_log(job)


def test_the_agent_goes_on_after_it(frugal, tmp_path):
    cpu = frugal.get_devices()[0]
    model = frugal.upload_model(str(tiny_models.save(tiny_models.convolution(), tmp_path / "small.onnx")))
    succeed(frugal.submit_compile_job(model, cpu))


def test_wrong_tokens_are_told_to_wait_and_the_official_client_goes_on(frugal):
    def ask(token):
        return requests.get(frugal.config.api_url.rstrip("/") + "/api/v1/devices/", timeout=20,
                            headers={"Authorization": f"token {token}"})

    answers = [ask(f"slw_wrong{number}") for number in range(25)]
    assert [answer.status_code for answer in answers[:20]] == [401] * 20
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["Retry-After"]) >= 1
    assert "try again in" in answers[-1].json()["detail"]
    for _ in range(3):
        assert frugal.get_devices(), "a valid token from the same address"
        assert ask("slw_wrong").status_code == 429
