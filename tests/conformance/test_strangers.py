"""Strangers who hold connections without a token: they cost nobody else a place. They come from another loopback address."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
import tiny_models
from expectations import succeed

STRANGERS = 500


@pytest.fixture(params=["127.0.0.2", "127.0.0.1"], ids=["from elsewhere", "from the client's own address"])
def strangers(hub, request):
    """Half-sent requests that are kept open."""
    address = (urlsplit(hub.url).hostname, urlsplit(hub.url).port)

    def half_sent() -> socket.socket:
        connection = socket.create_connection(address, timeout=10, source_address=(request.param, 0))
        connection.sendall(b"GET /api/v1/devices/ HTTP/1.1\r\nHost: hub\r\nX-Slow: ")
        return connection

    connections = [half_sent() for _ in range(STRANGERS)]
    yield connections
    for connection in connections:
        connection.close()


def test_half_sent_requests_do_not_keep_the_official_client_out(strangers, client, cpu, tmp_path):
    begun = time.monotonic()
    model = client.upload_model(str(tiny_models.save(tiny_models.convolution(), tmp_path / "small.onnx")))
    succeed(client.submit_compile_job(model, cpu))
    # The client waits before it tries again, so having been refused shows in the time.
    assert client.get_devices()
    assert time.monotonic() - begun < 30


def test_the_health_is_told_meanwhile(strangers, hub):
    reply = requests.get(f"{hub.url}/healthz", timeout=5)
    assert reply.status_code == 200
    assert reply.json()["status"] == "ok"


def test_head_and_options_are_answered(hub):
    for path in ("/healthz", "/sign-in/", "/web/app.css"):
        head, whole = requests.head(hub.url + path, timeout=5), requests.get(hub.url + path, timeout=5)
        assert head.status_code == whole.status_code == 200
        assert head.headers["Content-Length"] == str(len(whole.content))
        assert head.content == b""
    options = requests.options(f"{hub.url}/sign-in/", timeout=5)
    assert (options.status_code, options.headers["Allow"]) == (200, "GET, HEAD, POST, OPTIONS")
    refused = requests.delete(f"{hub.url}/sign-in/", timeout=5)
    assert (refused.status_code, refused.headers["Allow"]) == (405, "GET, HEAD, POST, OPTIONS")


def descriptors(pid: int) -> list[str]:
    """What a process has open. An entry may go between listing and reading."""
    links = []
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            links.append(os.readlink(entry))
        except FileNotFoundError:
            pass
    return links


def test_no_descriptor_stays_behind_in_the_hub_and_its_agent(hub, client, cpu, tmp_path):
    def work():
        model = client.upload_model(str(tiny_models.save(tiny_models.convolution(), tmp_path / "small.onnx")))
        succeed(client.submit_compile_job(model, cpu))
        with pytest.raises(Exception):
            client.get_model("mnone")

    def settled(pid: int) -> int:
        """The fewest of some readings: connections that have ended close a moment later."""
        readings = []
        for _ in range(10):
            readings.append(len(descriptors(pid)))
            time.sleep(0.1)
        return min(readings)

    processes = [process for process in hub.processes() if process.program in ("slipway-hub", "slipway-worker")
                 and "job" not in process.arguments[1:2]]
    assert {process.program for process in processes} == {"slipway-hub", "slipway-worker"}
    for _ in range(2):
        work()
    before = {process.pid: settled(process.pid) for process in processes}
    for _ in range(6):
        work()
    for process in processes:
        assert settled(process.pid) <= before[process.pid] + 2, (process.program, descriptors(process.pid))
        assert descriptors(process.pid).count("/dev/null") <= 1, f"{process.program} inherited more than its standard input"
