"""Where the hub and its agent keep their things is told to nobody who uploads: not in a job's log, not in its reason of failure."""

from __future__ import annotations

from pathlib import Path

import pytest
import qai_hub
import tiny_models
from expectations import read_log, wait_for
from qai_hub.client import UserError

ROOT = Path(__file__).resolve().parents[2]


def test_logs_and_reasons_name_no_folder_of_the_server(hub, client, cpu, npu, build, tmp_path):
    small = client.upload_model(str(tiny_models.save(tiny_models.convolution(), tmp_path / "small.onnx")))
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"no ONNX at all")
    # ONNX Runtime tells what it refuses with the file's whole path.
    cycle = client.upload_model(str(ROOT / "tests/golden/compile/cycle.onnx"))
    jobs: list[qai_hub.Job] = [
        client.submit_compile_job(cycle, cpu),
        client.submit_profile_job(cycle, cpu),
        client.submit_compile_job(cycle, npu, options="--target_runtime qnn_dlc"),
        client.submit_compile_job(small, cpu, options="--target_runtime onnx"),
        client.submit_compile_job(small, npu, options="--target_runtime qnn_context_binary"),
        client.submit_profile_job(small, cpu)]
    with pytest.raises(UserError) as refusal:
        client.submit_compile_job(client.upload_model(str(broken)), cpu)
    private = (str(hub.data), str(build.resolve()), str(build))
    texts = [str(refusal.value)]
    for job in jobs:
        status = wait_for(job, timeout_seconds=180)
        texts.append(read_log(job) + "\n" + (status.message or ""))
    for text in texts:
        for folder in private:
            assert folder not in text, text
    assert sum(map(len, texts)) > 200
