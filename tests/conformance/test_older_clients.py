"""Clients that still send profile jobs in an arm of their own get an answer in that arm."""

import time

import pytest
from qai_hub import public_api_pb2 as messages
from qai_hub import public_rest_api


def finished(client, job_id, arm):
    for _ in range(600):
        job = public_rest_api.get_job(client.config, job_id)
        assert job.WhichOneof("job") == arm
        if getattr(job, arm).job_state in (messages.JOB_STATE_DONE, messages.JOB_STATE_FAILED):
            return job
        time.sleep(0.05)
    raise TimeoutError(job_id)


@pytest.fixture(scope="module")
def profile_job(client, cpu, convolution):
    request = messages.ProfileJob(model=messages.Model(model_id=convolution[0].model_id), name="older")
    request.device.name, request.device.os = cpu.name, cpu.os
    request.device.attributes.extend(cpu.attributes)
    return public_rest_api.create_profile_job(client.config, request).id


def test_a_profile_job_is_answered_in_kind(client, cpu, profile_job):
    job = finished(client, profile_job, "profile_job")
    assert job.profile_job.job_state == messages.JOB_STATE_DONE, job.profile_job.failure_reason
    assert job.profile_job.device.name == cpu.name
    assert job.profile_job.execution_time > 0


def test_its_result_is_a_profile(client, profile_job):
    finished(client, profile_job, "profile_job")
    result = public_rest_api.get_job_results(client.config, profile_job)
    assert result.WhichOneof("result") == "profile_job_result"
    detail = result.profile_job_result.profile
    assert (detail.major_version, detail.minor_version >= 2) == (1, True)
    assert detail.execution_time > 0 and len(detail.layer_details) > 0


def test_bare_plans_are_given_to_clients_that_know_no_wrapper(client, convolution):
    """Without supports_s3_credentials the plan is the message itself."""
    plan = public_rest_api.get_model_download_url(client.config, convolution[0].model_id)
    assert plan.url.startswith("http") and plan.filename.endswith(".onnx")
