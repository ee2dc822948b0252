"""Starts a real hub for the session and gives the official client for it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import qai_hub  # noqa: E402

from python.tools.local_hub import LocalHub, missing_executables  # noqa: E402

@pytest.fixture(scope="session")
def build() -> Path:
    folder = Path(os.environ.get("SLIPWAY_BUILD", ROOT / "build" / "release"))
    missing = missing_executables(folder)
    if missing:
        message = f"{folder} lacks {', '.join(missing)}: run `make build`, or name another folder in SLIPWAY_BUILD"
        if os.environ.get("SLIPWAY_CONFORMANCE_REQUIRED"):
            pytest.fail(message)
        pytest.skip(message)
    return folder


@pytest.fixture(scope="session")
def hub(build, tmp_path_factory):
    with LocalHub(build, tmp_path_factory.mktemp("hub") / "data") as running:
        yield running
        assert running.is_running(), f"the hub ended during the tests:\n{running.tail()}"


@pytest.fixture(scope="session")
def client(hub) -> qai_hub.Client:
    from expectations import make_client

    return make_client(hub)


@pytest.fixture(scope="session")
def cpu(client) -> qai_hub.Device:
    """This machine, first in the list."""
    return client.get_devices()[0]


@pytest.fixture(scope="session")
def npu() -> qai_hub.Device:
    """A Snapdragon that the catalogue knows and nobody offers."""
    from expectations import SNAPDRAGON

    return qai_hub.Device(SNAPDRAGON)


@pytest.fixture(scope="session")
def tab_s7() -> qai_hub.Device:
    """Its Hexagon is v66: no HTP."""
    return qai_hub.Device("Samsung Galaxy Tab S7")


@pytest.fixture(scope="session")
def convolution(client, tmp_path_factory):
    """The convolution as an uploaded model, and as ONNX."""
    import tiny_models

    model = tiny_models.convolution()
    path = tiny_models.save(model, tmp_path_factory.mktemp("models") / "convolution.onnx")
    return client.upload_model(str(path)), model
