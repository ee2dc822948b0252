"""The pages behind the links that the client prints."""

from pathlib import Path

import numpy as np
import pytest
import requests
from expectations import succeed, wait_for


def test_a_jobs_page_needs_a_sign_in(client, cpu, convolution):
    job = succeed(client.submit_compile_job(convolution[0], cpu, name="a secret name"))
    reply = requests.get(job.url, timeout=20, allow_redirects=True)
    assert "a secret name" not in reply.text
    assert reply.status_code in (200, 401, 403)
    assert "<form" in reply.text.lower(), "the way in is shown"


def test_the_pages_do_not_take_another_sites_scripts(hub):
    reply = requests.get(hub.url, timeout=20)
    policy = reply.headers.get("Content-Security-Policy", "")
    assert "default-src 'self'" in policy or "default-src 'none'" in policy
    assert reply.headers.get("X-Content-Type-Options") == "nosniff"


@pytest.fixture(scope="module")
def browser(hub):
    """Signed in as a browser is: by the form."""
    with requests.Session() as session:
        reply = session.post(hub.url + "/sign-in/", data={"token": hub.token(), "next": "/jobs/"}, timeout=20)
        assert reply.status_code == 200 and "list.js" in reply.text
        yield session


def test_the_link_of_a_model_opens_its_page(hub, client, cpu, convolution, browser):
    job = succeed(client.submit_compile_job(convolution[0], cpu, name="made for its page"))
    for model in (convolution[0], job.get_target_model()):
        url = client._web_url_of_model(model.model_id)  # what the client prints after an upload
        assert url == f"{hub.url}/models/{model.model_id}/"
        assert "<form" in requests.get(url, timeout=20).text.lower(), "the way in is shown"
        assert "content.js" in browser.get(url, timeout=20).text
    about = browser.get(f"{hub.url}/api/v1/models/{convolution[0].model_id}/report/", timeout=20).json()
    assert about["state"] == "ready"
    assert about["content"]["name"] == convolution[0].name
    assert [tensor["name"] for tensor in about["content"]["outputs"]] == ["features", "scores"]
    assert about["content"]["content"]["size_bytes"] == len(browser.get(hub.url + about["content"]["download_url"], timeout=20).content)
    assert job.job_id in [entry["id"] for entry in about["jobs"]]
    made = browser.get(f"{hub.url}/api/v1/models/{job.get_target_model().model_id}/report/", timeout=20).json()
    assert made["producer"]["id"] == job.job_id
    assert "list.js" in browser.get(hub.url + "/models/", timeout=20).text
    listed = browser.get(hub.url + "/api/v1/recent_models/?limit=2", timeout=20).json()["models"]
    assert listed[0]["id"] == job.get_target_model().model_id and listed[0]["producer_job_id"] == job.job_id
    assert listed[0]["state"] == "ready" and len(listed) == 2


def test_the_link_of_a_dataset_opens_its_page(hub, client, cpu, convolution, browser):
    values = np.zeros((1, 3, 16, 16), np.float32)
    dataset = client.upload_dataset({"x": [values, values]}, name="<script>alert(1)</script>")
    job = succeed(client.submit_inference_job(convolution[0], cpu, dataset))
    page = browser.get(f"{hub.url}/datasets/{dataset.dataset_id}/", timeout=20)
    assert page.status_code == 200
    assert "alert(1)" not in page.text
    about = browser.get(f"{hub.url}/api/v1/datasets/{dataset.dataset_id}/report/", timeout=20).json()
    assert about["content"]["name"] == "<script>alert(1)</script>"
    assert [(entry["name"], entry["type"], entry["samples"]) for entry in about["content"]["entries"]] == [
        ("x", "float32[1,3,16,16]", 2)]
    assert job.job_id in [entry["id"] for entry in about["jobs"]]


def test_a_warning_about_a_result_is_in_what_the_page_shows(hub, client, npu, browser):
    model = Path(__file__).parents[1] / "golden" / "compile" / "u8_image_net.onnx"
    job = client.submit_compile_job(str(model), npu, options="--target_runtime qnn_context_binary")
    message = wait_for(job).message
    about = browser.get(f"{hub.url}/api/v1/jobs/{job.job_id}/report/", timeout=20).json()
    assert " ".join(about["warnings"]) == message
    assert about["job"]["has_warnings"] == bool(message)
    assert [bool(row["alarm"]) for row in about["agreement"]["rows"]] == [bool(message)]


@pytest.mark.parametrize("path", ["/models/mnone/", "/datasets/dnone/", "/models/%3Cscript%3E/"])
def test_an_unknown_model_or_dataset_gets_the_friendly_page(hub, browser, path):
    reply = browser.get(hub.url + path, timeout=20)
    assert reply.status_code == 404
    assert "Nothing here" in reply.text and "<script>" not in reply.text
