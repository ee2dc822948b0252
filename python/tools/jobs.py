"""Waits for jobs of the official client at a pace that suits a hub on the same machine (its own wait() polls every 10 s)."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import qai_hub


class JobFailed(RuntimeError):
    """The message holds the reason and the last lines of the job's log."""


def wait_for(job: qai_hub.Job, timeout_seconds: float = 300.0, poll_seconds: float = 0.1) -> qai_hub.client.JobStatus:
    """Returns the final status. Raises TimeoutError."""
    deadline = time.monotonic() + timeout_seconds
    while True:
        status = job.get_status()
        if status.finished:
            return status
        if time.monotonic() > deadline:
            raise TimeoutError(f"job {job.job_id} is still {status.code} after {timeout_seconds:g} s")
        time.sleep(poll_seconds)


def succeed(job: qai_hub.Job, timeout_seconds: float = 300.0) -> qai_hub.Job:
    """Waits for a job that must succeed. Raises JobFailed with its reason and log."""
    status = wait_for(job, timeout_seconds)
    if not status.success:
        raise JobFailed(f"{job.job_type} job {job.job_id} failed: {status.message}\n{read_log(job)}")
    return job


def read_log(job: qai_hub.Job) -> str:
    """The job's logs, one after the other."""
    with tempfile.TemporaryDirectory() as folder:
        return "\n".join(Path(path).read_text(errors="replace") for path in job.download_job_logs(folder))
