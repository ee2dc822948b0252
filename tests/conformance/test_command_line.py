"""The `qai-hub` command, with nothing but QAIHUB_CLIENT_INI set."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tiny_models
from expectations import succeed

from python.tools.comparison import assert_close

PROGRAM = Path(sys.executable).with_name("qai-hub")


@pytest.fixture
def qai_hub_command(hub, tmp_path):
    def run(*arguments, ini=None):
        environment = dict(os.environ, QAIHUB_CLIENT_INI=str(ini or hub.ini), COLUMNS="200")
        result = subprocess.run([str(PROGRAM), *arguments], env=environment, capture_output=True, text=True, timeout=120,
                                cwd=tmp_path)
        return result.returncode, result.stdout + result.stderr

    return run


def test_the_configuration_that_the_first_start_wrote_is_private(hub):
    assert hub.ini.stat().st_mode & 0o777 == 0o600


def test_list_devices(qai_hub_command, cpu):
    status, text = qai_hub_command("list-devices")
    assert status == 0, text
    assert cpu.name in text and "Samsung Galaxy Tab S7" in text


def test_list_devices_with_filters_in_detail(qai_hub_command):
    status, text = qai_hub_command("list-devices", "--device-attr", "vendor:samsung", "--device-os", "[13,14)", "--format",
                                   "details")
    assert status == 0, text
    assert "Samsung Galaxy S23" in text and "Samsung Galaxy S24" not in text


def test_list_frameworks(qai_hub_command):
    status, text = qai_hub_command("list-frameworks", "--json")
    assert status == 0, text
    versions = {entry["framework"]: entry["api_version"] for entry in json.loads(text)}
    assert versions["QAIRT"] == "2.50"


def test_a_model_is_uploaded_compiled_profiled_and_run(qai_hub_command, client, cpu, tmp_path):
    source = tiny_models.convolution()
    path = tiny_models.save(source, tmp_path / "net.onnx")
    status, text = qai_hub_command("upload-model", "--model", str(path), "--name", "by command")
    assert status == 0, text
    model_id = re.search(r"model_id\s*: (\w+)", text)[1]

    status, text = qai_hub_command("submit-compile-job", "--model", model_id, "--device", cpu.name, "--input_specs",
                                   "{'x': ((1, 3, 16, 16), 'float32')}", "--compile_options", " --target_runtime onnx",
                                   "--name", "compiled by command")
    assert status == 0, text
    (job_id,) = set(re.findall(r"job \((\w+)\)", text))
    job = succeed(client.get_job(job_id))
    assert job.name == "compiled by command" and job.options == "--target_runtime onnx"

    data = client.upload_dataset({"x": [np.ones((1, 3, 16, 16), np.float32)]})
    status, text = qai_hub_command("submit-inference-job", "--model", job.get_target_model().model_id, "--device", cpu.name,
                                   "--inputs", data.dataset_id)
    assert status == 0, text
    (job_id,) = set(re.findall(r"job \((\w+)\)", text))
    found = succeed(client.get_job(job_id)).download_output_data()
    expected = tiny_models.run(source, {"x": np.ones((1, 3, 16, 16), np.float32)})
    assert_close(found["scores"][0], expected["scores"], atol=1e-5)

    status, text = qai_hub_command("submit-profile-job", "--clone", job_id)
    assert status == 0, text
    (clone_id,) = set(re.findall(r"job \((\w+)\)", text))
    assert succeed(client.get_job(clone_id)).model.model_id == job.get_target_model().model_id


def test_a_bad_token_ends_with_the_clients_words(qai_hub_command, hub, tmp_path):
    bad = tmp_path / "bad.ini"
    bad.write_text(hub.ini.read_text().replace(hub.token(), "slw_wrong"))
    status, text = qai_hub_command("list-devices", ini=bad)
    assert status == 1
    assert "Failed to authenticate" in text


def test_configure_with_a_token_makes_a_working_configuration(qai_hub_command, hub, tmp_path):
    ini = tmp_path / "made.ini"
    status, text = qai_hub_command("configure", "--api_token", hub.token(), "--api_url", hub.url, "--web_url", hub.url,
                                   ini=ini)
    assert status == 0, text
    assert qai_hub_command("list-frameworks", ini=ini)[0] == 0
