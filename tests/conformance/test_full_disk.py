"""A hub whose disk is full: what is there can be read, refusals are in words, and it goes on once there is room."""

import contextlib
import datetime
import filecmp
import http.client
import json
import os
import subprocess
import time
import urllib.parse
from pathlib import Path

import numpy as np
import pytest
import qai_hub
import requests
import tiny_models
from expectations import make_client, succeed, wait_for
from own_hub import OwnHub
from qai_hub import public_api_pb2 as messages
from qai_hub import public_rest_api
from qai_hub.client import UserError

from python.tools.local_hub import LocalHub

SIZE_MB = 30
FULL = "this hub's disk has no room for this"


@contextlib.contextmanager
def small_disk(folder: Path):
    """A file system of 30 MB."""
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE_MB}m", "slipway-test", str(folder)],
                             capture_output=True, text=True, check=False)
    if mounted.returncode != 0:
        pytest.skip(f"mounting a file system is not permitted here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def disk(tmp_path):
    with small_disk(tmp_path / "small disk") as folder:
        yield folder


@pytest.fixture
def hub(build, disk):
    with LocalHub(build, disk) as running:
        yield running


def free_bytes(folder: Path) -> int:
    about = os.statvfs(folder)
    return about.f_bavail * about.f_frsize


def fill(folder: Path, leave: int = 0) -> Path:
    """Takes the room, all but `leave` bytes of it. Removing the file gives it back."""
    filling = folder / "filling"
    with filling.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while free_bytes(folder) > leave:
            file.write(bytes(min(1 << 16, max(4096, free_bytes(folder) - leave))))
    return filling


def upload_random(client, path: Path, megabytes: int) -> qai_hub.Model:
    path.write_bytes(os.urandom(megabytes << 20))
    return client.upload_model(str(path))


def token_of_a_user(build: Path, data: Path) -> str:
    """A token of the administrator's that was never used."""
    made = subprocess.run([str(build / "slipway-hub"), "token", "create", "--data", str(data), "--json"], capture_output=True,
                          text=True, check=True)
    return json.loads(made.stdout)["token"]


def failure_type(client, job) -> int:
    return public_rest_api.get_job(client.config, job.job_id).failure_type


def bytes_in(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def put_while_the_disk_fills(url: str, content: bytes, folder: Path) -> tuple[int, str]:
    """Sends half of a part, fills the disk, sends the rest. Returns the reply's status and words."""
    parts = urllib.parse.urlsplit(url)
    with contextlib.closing(http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)) as connection:
        connection.putrequest("PUT", parts.path)
        connection.putheader("Content-Length", str(len(content)))
        connection.endheaders()
        connection.send(content[:len(content) // 2])
        deadline = time.monotonic() + 20
        while bytes_in(folder / "uploads") < len(content) // 4 and time.monotonic() < deadline:
            time.sleep(0.05)
        filling = fill(folder)
        with contextlib.suppress(OSError):
            connection.send(content[len(content) // 2:])
        reply = connection.getresponse()
        words = reply.read().decode()
        filling.unlink()
        return reply.status, words


def refused(action) -> str:
    with pytest.raises(UserError) as refusal:
        action()
    words = str(refusal.value)
    assert FULL in words
    assert "support" not in words and str(Path.home()) not in words and "/small disk" not in words
    return words


def test_what_does_not_fit_is_refused_in_words_and_leaves_nothing(hub, disk, tmp_path):
    client = make_client(hub)
    before = free_bytes(disk)
    refused(lambda: upload_random(client, tmp_path / "large.bin", 40))
    path = tmp_path / "fits.bin"
    path.write_bytes(os.urandom(20 << 20))
    filling = fill(disk, leave=22 << 20)
    refused(lambda: client.upload_model(str(path)))
    filling.unlink()
    # What fits when it is announced, and no longer when it comes.
    headers = {"Authorization": f"token {client.config.api_token}", "Content-Type": "application/x-protobuf"}
    models = f"{hub.url}/api/v1/models/"
    made = requests.post(models, data=messages.Model(name="half.bin", model_type=messages.MODEL_TYPE_ONNX).SerializeToString(),
                         headers=headers, timeout=30)
    model_id = messages.CreateUpdateResponse.FromString(made.content).id
    plan = messages.FileMultipartUploadURL.FromString(
        requests.get(f"{models}{model_id}/multipart_upload/?file_size={16 << 20}", headers=headers, timeout=30).content)
    status, words = put_while_the_disk_fills(plan.urls[0], os.urandom(16 << 20), disk)
    assert (status, FULL in words) == (409, True), words
    assert bytes_in(disk / "uploads") < 10_000
    assert before - free_bytes(disk) < 5 << 20
    model = client.upload_model(str(path))
    assert filecmp.cmp(path, model.download(str(tmp_path / "copy.bin")), shallow=False)


def test_a_full_disk_is_read_and_taken_into_use_again_without_a_restart(hub, disk, build, tmp_path):
    client = make_client(hub)
    source = tiny_models.save(tiny_models.convolution(), tmp_path / "net.onnx")
    model = client.upload_model(str(source))
    cpu = client.get_devices()[0]
    succeed(client.submit_profile_job(model, cpu))
    unused = token_of_a_user(build, disk)
    filling = fill(disk)
    assert free_bytes(disk) == 0

    # That a token was used is noted, where there is room for it.
    again = make_client(hub)
    again.config.api_token = unused
    assert [listed.model_id for listed in again.get_models()] == [model.model_id]
    assert len(again.get_job_summaries()) == 1
    assert filecmp.cmp(source, again.get_model(model.model_id).download(str(tmp_path / "copy.onnx")), shallow=False)
    refused(lambda: again.upload_model(str(source)))
    refused(lambda: again.submit_profile_job(model, cpu))
    refused(lambda: again.upload_dataset({"x": [np.zeros(3, "float32")]}))

    filling.unlink()
    succeed(again.submit_profile_job(again.upload_model(str(source)), cpu))


def test_a_job_whose_result_finds_no_room_ends_in_words(hub, disk, tmp_path):
    client = make_client(hub)
    model = client.upload_model(str(tiny_models.save(tiny_models.convolution(), tmp_path / "net.onnx")))
    cpu = client.get_devices()[0]
    succeed(client.submit_profile_job(model, cpu))
    # Below the reserve that bytes leave to rows.
    filling = fill(disk, leave=2 << 20)
    job = client.submit_compile_job(model, cpu)
    status = wait_for(job)
    assert status.failure, status
    assert FULL in status.message
    assert failure_type(client, job) == messages.JOB_FAILURE_TYPE_RUNTIME_OUT_OF_DISK
    filling.unlink()
    succeed(client.submit_compile_job(model, cpu))


def test_collecting_frees_room_on_a_full_disk_beside_the_hub(hub, disk, build):
    client = make_client(hub)
    loose = disk / "blobs" / "ab" / ("c" * 62)
    loose.parent.mkdir(exist_ok=True)
    loose.write_bytes(bytes(4 << 20))
    age = (datetime.datetime.now() - datetime.timedelta(hours=49)).timestamp()
    os.utime(loose, (age, age))
    fill(disk)
    assert free_bytes(disk) == 0
    collected = subprocess.run([str(build / "slipway-hub"), "collect", "--data", str(disk)], capture_output=True, text=True,
                               check=False)
    assert collected.returncode == 0, collected.stderr
    assert collected.stdout == f"Removed 1 file with {4 << 20} bytes that nothing refers to.\n"
    assert free_bytes(disk) >= 4 << 20
    assert client.upload_dataset({"x": [np.zeros(3, "float32")]}).dataset_id


def test_a_restart_on_a_full_disk_keeps_hub_and_agent(hub, disk):
    filling = fill(disk)
    hub.stop()
    hub.start()
    client = make_client(hub)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and client.get_devices()[0].name.startswith("Samsung"):
        time.sleep(0.2)
    assert "vendor:samsung" not in client.get_devices()[0].attributes, "the agent is not there"
    filling.unlink()
    assert hub.is_running()


def test_a_job_whose_agent_has_no_room_says_so(build, tmp_path):
    """The agent's folder is on a disk of its own, the hub's has room."""
    with small_disk(tmp_path / "work 0") as work, OwnHub(build, tmp_path) as own:
        model = own.client.upload_model(str(tiny_models.save(tiny_models.convolution(), tmp_path / "net.onnx")))
        succeed(own.client.submit_profile_job(model, own.client.get_devices()[0]))
        filling = fill(work)
        job = own.client.submit_profile_job(model, own.client.get_devices()[0])
        status = wait_for(job)
        assert "No space left on device" in status.message
        assert failure_type(own.client, job) == messages.JOB_FAILURE_TYPE_RUNTIME_OUT_OF_DISK
        filling.unlink()
        succeed(own.client.submit_profile_job(model, own.client.get_devices()[0]))
