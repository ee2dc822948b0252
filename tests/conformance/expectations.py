"""What the tests ask of a job or a refusal."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import qai_hub
from qai_hub.client import UserError
from qai_hub.api_utils import load_api_config_from_file

from python.tools.jobs import read_log, succeed, wait_for
from python.tools.local_hub import LocalHub

SNAPDRAGON = "Samsung Galaxy S24 (Family)"

__all__ = ["SNAPDRAGON", "download_onnx", "make_client", "outputs", "read_log", "refusal", "refused_at_submission", "squeeze", "succeed", "wait_for"]


def make_client(hub: LocalHub) -> qai_hub.Client:
    """The official client with the configuration that the hub's first start wrote, without progress bars."""
    config = load_api_config_from_file(str(hub.ini))
    config.verbose = False
    return qai_hub.Client(config=config)


def refused_at_submission(submit: Callable[[], object]) -> str:
    """The words of a refusal that comes at once."""
    try:
        submit()
    except UserError as error:
        return str(error)
    raise AssertionError("expected a refusal at submission; it was accepted")


def refusal(submit: Callable[[], qai_hub.Job]) -> str:
    """The words of a refusal, at submission or as the job's failure."""
    try:
        job = submit()
    except UserError as error:
        return str(error)
    status = wait_for(job)
    assert status.failure, f"expected a refusal; job {job.job_id} ended as {status.code}"
    assert status.message, "a failed job must say why"
    return status.message


def squeeze(text: str) -> str:
    """Without blanks and in lower case, so that [1, 3] and [1,3] are the same."""
    return re.sub(r"\s+", "", text).lower()


def download_onnx(model: qai_hub.Model, folder: Path) -> Path:
    """A produced ONNX model, whether it comes as a file or as a zipped directory; the path of the .onnx file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = Path(model.download(str(folder)))
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            archive.extractall(folder / "unzipped")
        (path,) = (folder / "unzipped").rglob("*.onnx")
    onnx.checker.check_model(str(path), check_custom_domain=False)
    return path


def outputs(job: qai_hub.InferenceJob) -> dict[str, list[np.ndarray]]:
    data = succeed(job).download_output_data()
    assert data, f"job {job.job_id} returned no outputs"
    return data
