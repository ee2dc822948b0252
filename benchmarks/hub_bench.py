#!/usr/bin/env python3
"""What the hub costs: until it is ready, while it idles, from a submission to its end, in moving bytes, and under load.

    benchmarks/hub_bench.py --build build/release [--output FOLDER] [--peer nginx|python]

Each figure stands beside its goal; transfers stand beside a plain web server that the same Python client library writes
to and reads from, in turn with ours.
"""

from __future__ import annotations

import concurrent.futures
import http.server
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests/conformance")]

import qai_hub  # noqa: E402
import requests  # noqa: E402
import tiny_models  # noqa: E402
from qai_hub import api_utils, public_rest_api  # noqa: E402
from qai_hub.api_utils import load_api_config_from_file  # noqa: E402
from qai_hub.public_api_pb2 import (  # noqa: E402
    JOB_STATE_DONE,
    JOB_STATE_FAILED,
    MODEL_TYPE_ONNX,
    CreateUpdateResponse,
    FileMultipartUploadComplete,
    FileMultipartUploadURL,
    Model,
)

from bench_command import make_parser  # noqa: E402
from bench_row import Contender, Rows  # noqa: E402
from own_hub import OwnHub  # noqa: E402
from python.tools.local_hub import LocalHub, missing_executables, port_is_free  # noqa: E402

READY_STARTS = 5
LATENCY_RUNS = 20
TRANSFER_RUNS = 5
TRANSFER_BYTES = 256 << 20
JOBS_AT_ONCE = 200
PASSES = 3  # of what has no rounds of its own
SUBMITTERS = 16
JOINED_UPLOADS = 3
JOINED_BYTES = 1 << 30
INSPECT_KIND = 100


def resident_bytes(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"process {pid} has no resident memory")


def measure_ready(build: Path, folder: Path) -> list[float]:
    """Seconds from starting `slipway serve` to its ready line; the first start also makes the data folder."""
    seconds = []
    for number in range(READY_STARTS):
        with LocalHub(build, folder / f"ready{number}") as hub:
            seconds.append(hub.ready_seconds)
    return seconds


def measure_idle(hub: LocalHub) -> dict[str, int]:
    """Resident bytes of each of the hub's processes after five idle seconds."""
    time.sleep(5)
    return {process.program: resident_bytes(process.pid) for process in hub.processes()}


def measure_latency(client: qai_hub.Client, folder: Path) -> list[float]:
    """Seconds from the submission of a tiny compile job to the first reading that finds it done.

    Read every 5 ms: reading without pause would take one of a small machine's processors from what is measured.
    """
    device = client.get_devices()[0]
    model = client.upload_model(str(tiny_models.save(tiny_models.convolution(), folder / "tiny.onnx")))
    seconds = []
    for _ in range(LATENCY_RUNS + 1):
        begun = time.perf_counter()
        job = client.submit_compile_job(model, device, options="--target_runtime onnx")
        while True:
            found = public_rest_api.get_job(client.config, job.job_id).compile_job
            if found.job_state in (JOB_STATE_DONE, JOB_STATE_FAILED):
                break
            time.sleep(0.005)
        seconds.append(time.perf_counter() - begun)
        if found.job_state == JOB_STATE_FAILED:
            raise RuntimeError(f"the tiny compile failed: {found.failure_reason}")
    return seconds[1:]  # the first one warms up


def measure_jobs_at_once(client: qai_hub.Client, folder: Path, number_of_pass: int) -> dict[str, object]:
    """Seconds until all of 200 tiny compile jobs are done, and of each from its submission to the reading that finds it done.

    Read every 50 ms, all at once, by one request of the newest 200.
    """
    device = client.get_devices()[0]
    model = client.upload_model(str(tiny_models.save(tiny_models.convolution(), folder / "tiny.onnx")))
    submitted: dict[str, float] = {}
    ended: dict[str, float] = {}

    def submit(number: int) -> None:
        begun = time.perf_counter()
        job = client.submit_compile_job(model, device, name=f"at once {number_of_pass} {number}", options="--target_runtime onnx")
        submitted[job.job_id] = begun

    begun = time.perf_counter()
    with concurrent.futures.ThreadPoolExecutor(SUBMITTERS) as pool:
        waiting = [pool.submit(submit, number) for number in range(JOBS_AT_ONCE)]
        while len(ended) < JOBS_AT_ONCE:
            done = public_rest_api.get_job_summary_list(client.config, 0, JOBS_AT_ONCE, states=[JOB_STATE_DONE, JOB_STATE_FAILED])
            now = time.perf_counter()
            for summary in done.job_summaries:
                entry = summary.compile_job_summary
                if entry.name.startswith(f"at once {number_of_pass} "):
                    if entry.job_state == JOB_STATE_FAILED:
                        raise RuntimeError(f"job {entry.job_id} of {JOBS_AT_ONCE} at once failed")
                    ended.setdefault(entry.job_id, now)
            time.sleep(0.05)
        for job in waiting:
            job.result()
    return {"jobs": JOBS_AT_ONCE, "submitters": SUBMITTERS, "seconds_in_all": max(ended.values()) - begun,
            "seconds_each": [ended[job] - submitted[job] for job in ended]}


def text_field(number: int, text: str) -> bytes:
    """A text of an agent's message, shorter than 128 bytes."""
    return bytes([number << 3 | 2, len(text)]) + text.encode()


def first_texts(message: bytes) -> list[str]:
    """The texts with which an agent's message begins, each shorter than 128 bytes."""
    texts = []
    while message and message[0] & 7 == 2 and message[1] < 128:
        texts.append(message[2:2 + message[1]].decode(errors="replace"))
        message = message[2 + message[1]:]
    return texts


def measure_renewals(build: Path, folder: Path) -> dict[str, object]:
    """Seconds of each renewal of a lease, one after the other, while three uploads of 1 GiB are joined at once.

    Their parts arrive last first, so that joining has to copy all of them. A session that is kept asks for the renewals, as
    an agent does.
    """
    with OwnHub(build, folder, agents=0) as hub:
        client, url = hub.client, hub.client.config.api_url.rstrip("/")
        agent = requests.Session()
        agent.headers["Authorization"] = "token " + (folder / "data/agent.token").read_text().strip()

        def ask(path: str, body: bytes) -> requests.Response:
            reply = agent.post(f"{url}/agent/v1/{path}/", data=body, timeout=60)
            reply.raise_for_status()
            return reply

        client.upload_model(str(tiny_models.save(tiny_models.convolution(), folder / "tiny.onnx")))
        agent_id = first_texts(ask("register", text_field(1, "bench")).content)[0]
        job, token = first_texts(ask("lease", text_field(1, agent_id) + bytes([2 << 3, INSPECT_KIND])).content)[:2]

        user = {"Authorization": f"token {client.config.api_token}", "Content-Type": "application/x-protobuf"}

        def send_parts(number: int) -> tuple[str, FileMultipartUploadComplete]:
            made = requests.post(f"{url}/api/v1/models/", timeout=60, headers=user, data=Model(
                name=f"large{number}.onnx", model_type=MODEL_TYPE_ONNX).SerializeToString())
            model = CreateUpdateResponse.FromString(made.content)
            plan = FileMultipartUploadURL.FromString(requests.get(
                f"{url}/api/v1/models/{model.id}/multipart_upload/?file_size={JOINED_BYTES}", timeout=60, headers=user).content)
            etags: list[str] = []
            for index, part in reversed(list(enumerate(plan.urls))):
                size = min(plan.max_part_size, JOINED_BYTES - index * plan.max_part_size)
                reply = requests.put(part, data=os.urandom(1 << 20) * (size >> 20) + bytes(size & 0xFFFFF), timeout=120)
                reply.raise_for_status()
                etags.insert(0, reply.headers["ETag"])
            return model.id, FileMultipartUploadComplete(upload_id=plan.upload_id, etags=etags)

        def join(model_id: str, complete: FileMultipartUploadComplete) -> float:
            return timed(lambda: requests.post(f"{url}/api/v1/models/{model_id}/multipart_upload/", timeout=300, headers=user,
                                               data=complete.SerializeToString()).raise_for_status())

        uploads = [send_parts(number) for number in range(JOINED_UPLOADS)]
        seconds = []
        with concurrent.futures.ThreadPoolExecutor(JOINED_UPLOADS) as pool:
            joins = [pool.submit(join, *upload) for upload in uploads]
            while not all(one.done() for one in joins):
                seconds.append(timed(lambda: ask(f"jobs/{job}/renew", text_field(1, token))))
                time.sleep(0.005)
            join_seconds = [one.result() for one in joins]
        return {"uploads": JOINED_UPLOADS, "upload_bytes": JOINED_BYTES, "join_seconds": join_seconds, "renewal_seconds": seconds}


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


class PlainServer:
    """Takes a PUT into a file and gives it back, in a process of its own: nginx's DAV module, or Python's own server."""

    def __init__(self, folder: Path, kind: str):
        self.folder, self.kind = folder, kind

    def __enter__(self) -> PlainServer:
        self.folder.mkdir(parents=True)
        port = next(port for port in range(18480, 18580) if port_is_free(port))
        self.url = f"http://127.0.0.1:{port}"
        if self.kind == "nginx":
            configuration = self.folder / "nginx.conf"
            configuration.write_text(
                f"daemon off; worker_processes 1; pid {self.folder}/pid; error_log {self.folder}/error.log;\n"
                f"events {{}}\nhttp {{ access_log off; client_max_body_size 0; client_body_temp_path {self.folder}/body;\n"
                f"server {{ listen 127.0.0.1:{port}; root {self.folder}/files; dav_methods PUT; }} }}\n")
            (self.folder / "files").mkdir()
            os.chmod(self.folder, 0o777)
            os.chmod(self.folder / "files", 0o777)
            command = ["nginx", "-p", str(self.folder), "-c", str(configuration)]
            if os.geteuid() == 0:
                command += ["-g", "user root;"]
        else:
            command = [sys.executable, __file__, "--serve-plainly", str(self.folder), str(port)]
        self.process = subprocess.Popen(command)
        for _ in range(1200):  # a busy machine imports the client for seconds
            try:
                requests.get(self.url, timeout=1)
                return self
            except requests.ConnectionError:
                time.sleep(0.05)
        self.process.kill()
        raise RuntimeError(f"the plain server ({self.kind}) did not start")

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait()


def serve_plainly(folder: str, port: int) -> None:
    class Handler(http.server.SimpleHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def __init__(self, *arguments):
            super().__init__(*arguments, directory=folder)

        def do_PUT(self):
            left = int(self.headers["Content-Length"])
            with open(self.translate_path(self.path), "wb") as file:
                while left > 0:
                    block = self.rfile.read(min(left, 1 << 20))
                    file.write(block)
                    left -= len(block)
            self.send_response(201)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()


def timed(action) -> float:
    begun = time.perf_counter()
    action()
    return time.perf_counter() - begun


def measure_transfers(client: qai_hub.Client, folder: Path, kind: str) -> dict[str, list[float]]:
    """Seconds for 256 MiB each way, ours and the plain server's in turn. Every upload has new content."""
    seconds: dict[str, list[float]] = {"upload": [], "upload, plain": [], "download": [], "download, plain": []}
    source, copy = folder / "large.bin", folder / "copy.bin"
    with PlainServer(folder / "plain", kind) as plain:
        session = requests.Session()

        def put():
            with source.open("rb") as file:
                session.put(f"{plain.url}/large.bin", data=file, timeout=120).raise_for_status()

        def get():
            # The client reads a kilobyte at a time, which is most of what a download costs: the same code reads both.
            api_utils.download_file(f"{plain.url}/large.bin", "large.bin", str(copy), verbose=False)

        for number in range(TRANSFER_RUNS + 1):
            with source.open("wb") as file:
                for _ in range(TRANSFER_BYTES >> 20):
                    file.write(os.urandom(1 << 20))
            uploaded: list[qai_hub.Model] = []
            ours = timed(lambda: uploaded.append(client.upload_model(str(source))))
            theirs = timed(put)
            down = timed(lambda: public_rest_api.download_model(client.config, uploaded[0].model_id, str(copy), verbose=False))
            plain_down = timed(get)
            if number > 0:  # the first one warms up
                for key, value in zip(seconds, (ours, theirs, down, plain_down)):
                    seconds[key].append(value)
    return seconds


def main() -> int:
    if sys.argv[1:2] == ["--serve-plainly"]:
        serve_plainly(sys.argv[2], int(sys.argv[3]))
        return 0
    parser = make_parser(__doc__)
    parser.add_argument("--peer", choices=("nginx", "python"), default="nginx" if shutil.which("nginx") else "python",
                        help="what transfers are compared with (default: nginx when it is installed)")
    options = parser.parse_args()
    if options.prepare:
        return 0
    missing = missing_executables(options.build)
    if missing:
        print(f"{options.build} lacks {', '.join(missing)}: run `make build`", file=sys.stderr)
        return 1

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ready = measure_ready(options.build, folder)
        with LocalHub(options.build, folder / "data") as hub:
            config = load_api_config_from_file(str(hub.ini))
            config.verbose = False
            client = qai_hub.Client(config=config)
            idle = [measure_idle(hub) for _ in range(PASSES)]
            latency = measure_latency(client, folder)
            at_once = [measure_jobs_at_once(client, folder, number) for number in range(PASSES)]
            transfers = measure_transfers(client, folder, options.peer)
        renewals = []
        for number in range(PASSES):
            (folder / f"renewals{number}").mkdir()
            renewals.append(measure_renewals(options.build, folder / f"renewals{number}"))

    rows = Rows(options.output, options.rows)

    def alone(row_id: str, what: str, stages: tuple[str, str], unit: str, values: list[float], most: float | None, **facts) -> None:
        rows.write(row_id, what, stages, unit, Contender("slipway serve", "default", None, samples=values),
                   goal={"of": "value", "most": most} if most else None, facts=facts)

    alone("hub.ready", "hub ready", ("`slipway serve` started", "its ready line"), "s", ready, 1)
    alone("hub.idle", "idle server process, resident memory", ("five idle seconds", "VmRSS"), "MB", [each["slipway-hub"] / 1e6 for each in idle], 60)
    alone("hub.tiny-job", "a tiny ONNX compile job", ("its submission", "DONE"), "ms", [each * 1e3 for each in latency], 300)
    for way, stages in (("upload", ("a file on disk", "stored")), ("download", ("stored", "a file on disk"))):
        def speeds(key: str) -> list[float]:
            return [TRANSFER_BYTES / each / 1e6 for each in transfers[key]]
        rows.write(f"hub.{way}", f"{way} of 256 MiB by the official client's code", stages, "MB/s",
                   Contender("slipway serve", "default", None, samples=speeds(way)),
                   [Contender({"nginx": "nginx, DAV", "python": "a bare Python server"}[options.peer], "default and best", None,
                              samples=speeds(f"{way}, plain"))],
                   facts={"the peer": "stores and hands out bytes alone: it keeps no records, checks no user and hashes nothing"})
    each = [value for run in at_once for value in run["seconds_each"]]
    alone("hub.jobs-at-once", f"{JOBS_AT_ONCE} tiny jobs at once, two slots", ("the first submission", "the last DONE"), "s",
          [run["seconds_in_all"] for run in at_once], None, **{"one job: median s": statistics.median(each), "p95 s": percentile(each, 0.95)})
    alone("hub.renewal", f"renewal of a lease while {JOINED_UPLOADS} uploads of 1 GiB are joined: p99 of each pass",
          ("the request", "its answer"), "ms", [percentile(run["renewal_seconds"], 0.99) * 1e3 for run in renewals], 100,
          **{"renewals": sum(len(run["renewal_seconds"]) for run in renewals),
             "median ms": statistics.median(value for run in renewals for value in run["renewal_seconds"]) * 1e3})
    return 0


if __name__ == "__main__":
    sys.exit(main())
