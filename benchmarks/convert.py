"""From a torch.export archive to an ONNX file: `slipway convert` beside PyTorch's own exporter, torch.onnx.export(dynamo=True).

Both start from the same archive and end with a file. The exporter runs in a process that has imported PyTorch and exported
another model before the clock starts; ours is timed as a whole process. Rounds turn. The goal is for
the clock; the ratio of processor time stands beside it, which a busy machine changes less. Memory is the peak of each
process; of the exporter's also what it had taken before. Then ONNX Runtime runs both graphs by turns, and
the figure is the median of the ratios with its 95 % interval (bootstrap); beside it stand the nodes that ONNX Runtime makes of
each graph, which no other work on the machine changes. Needs the environment that `tools/setup.sh torch`
makes (.deps/venv-torch, or SLIPWAY_TORCH_PYTHON); this script restarts itself in it.
"""

import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent

try:
    import torch
except ImportError:
    interpreter = pathlib.Path(os.environ.get("SLIPWAY_TORCH_PYTHON", ROOT / ".deps/venv-torch/bin/python"))
    if not interpreter.exists() or os.environ.get("SLIPWAY_BENCH_RESTARTED"):
        sys.exit("convert.py: PyTorch is not here: run tools/setup.sh torch")
    os.environ["SLIPWAY_BENCH_RESTARTED"] = "1"
    os.execv(interpreter, [str(interpreter), *sys.argv])

import numpy as np
import onnx
import onnxruntime

from bench_command import make_parser
from bench_row import Contender, Rows

# Rows of tests/acceptance/convert/models.txt: convolutions, attention, many small nodes.
MODELS = ["torchvision/resnet18", "torchvision/vit_b_16", "ultralytics/yolov8n"]
GOAL_EACH = 5.0

EXPORTER = """
import resource, sys, time, warnings, logging
warnings.filterwarnings("ignore")
import torch
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
logging.disable(logging.WARNING)
torch.onnx.export(torch.export.export(torch.nn.Linear(2, 2), (torch.ones(1, 2),)), dynamo=True, verbose=False)
print("ready", peak(), flush=True)
for line in sys.stdin:
    archive, target = line.split()
    start, cpu = time.perf_counter(), time.process_time()
    torch.onnx.export(torch.export.load(archive), dynamo=True, verbose=False).save(target)
    print("took", time.perf_counter() - start, time.process_time() - cpu, peak(), flush=True)
"""

# A small process that becomes no one's parent but ours: what a child inherits of its parent counts in the child's peak.
RUN = """
import os, sys, time
start = time.perf_counter()
child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)])
_, status, usage = os.wait4(child, 0)
print(time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)
sys.exit(os.waitstatus_to_exitcode(status))
"""


class Exporter:
    """PyTorch's exporter in a process of its own, warm."""

    def __init__(self):
        self.process = subprocess.Popen([sys.executable, "-c", EXPORTER], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True)
        self.base_bytes = int(self._answer("ready")[0])
        self.peak_bytes = self.base_bytes

    def _answer(self, word: str) -> list[str]:
        for line in self.process.stdout:
            if line.startswith(word + " "):
                return line.split()[1:]
        raise RuntimeError("the exporter ended")

    def export(self, archive: pathlib.Path, target: pathlib.Path) -> tuple[float, float]:
        """Seconds on the clock, and of the processor."""
        self.process.stdin.write(f"{archive} {target}\n")
        self.process.stdin.flush()
        seconds, cpu_seconds, peak = self._answer("took")
        self.peak_bytes = int(peak)
        return float(seconds), float(cpu_seconds)

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait()


def convert(slipway: pathlib.Path, archive: pathlib.Path, target: pathlib.Path) -> tuple[float, float, int]:
    """Seconds on the clock, and of the processor, and the peak of memory."""
    done = subprocess.run([sys.executable, "-S", "-E", "-c", RUN, str(slipway), "convert", str(archive), "-o", str(target)],
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"slipway convert {archive.name}: {done.stderr.strip()[-300:]}")
    seconds, cpu_seconds, peak = done.stdout.split()
    return float(seconds), float(cpu_seconds), int(peak)


def session_of(model: pathlib.Path, threads: int):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])


def ratios_of_runs(ours: pathlib.Path, theirs: pathlib.Path, inputs: list[np.ndarray], threads: int, seconds: float) -> list[float]:
    """Time of our graph over the time of theirs, pair by pair; which goes first turns. Of one thread it is the processor's
    time, which waiting for a processor does not change."""
    now = time.process_time if threads == 1 else time.perf_counter
    sessions = [session_of(ours, threads), session_of(theirs, threads)]
    feeds = [dict(zip([each.name for each in session.get_inputs()], inputs)) for session in sessions]

    def timed(which: int) -> float:
        start = now()
        sessions[which].run(None, feeds[which])
        return now() - start

    for which in (0, 1, 0, 1):
        timed(which)
    ratios, end = [], time.perf_counter() + seconds
    while len(ratios) < 20 or (time.perf_counter() < end and len(ratios) < 400):
        order = (0, 1) if len(ratios) % 2 == 0 else (1, 0)
        took = {which: timed(which) for which in order}
        ratios.append(took[0] / took[1])
    return ratios


def optimised_nodes(model: pathlib.Path) -> int:
    """Nodes of what ONNX Runtime runs of a model."""
    with tempfile.TemporaryDirectory(prefix="slipway-bench-") as folder:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        options.optimized_model_filepath = str(pathlib.Path(folder) / "optimised.onnx")
        onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        return len(onnx.load(options.optimized_model_filepath, load_external_data=False).graph.node)


def interval(values: list[float], rng: np.random.Generator) -> tuple[float, float]:
    """95 % interval of the median."""
    draws = np.median(rng.choice(values, (2000, len(values))), axis=1)
    return float(np.quantile(draws, 0.025)), float(np.quantile(draws, 0.975))


def measure(name: str, slipway: pathlib.Path, archives: pathlib.Path, folder: pathlib.Path, rounds: int, seconds: float, rng) -> dict:
    stem = name.replace("/", "__")
    archive = archives / f"{stem}.pt2"
    exporter = Exporter()
    ours, theirs, ours_cpu, theirs_cpu, peaks = [], [], [], [], []
    mine, peer = folder / "ours" / "model.onnx", folder / "theirs" / "model.onnx"
    mine.parent.mkdir(exist_ok=True), peer.parent.mkdir(exist_ok=True)
    for number in range(rounds):
        for turn in (0, 1) if number % 2 == 0 else (1, 0):
            if turn == 1:
                took, cpu_seconds = exporter.export(archive, peer)
                theirs.append(took)
                theirs_cpu.append(cpu_seconds)
                continue
            took, cpu_seconds, peak = convert(slipway, archive, mine)
            ours.append(took)
            ours_cpu.append(cpu_seconds)
            peaks.append(peak)
    exporter.close()
    with np.load(archives / f"{stem}.npz") as held:
        inputs = [held[f"in_{i}"] for i in range(sum(key.startswith("in_") for key in held.files))]
    ratios = ratios_of_runs(mine, peer, inputs, 1, seconds)
    return {"name": name, "archive_bytes": archive.stat().st_size, "ours_seconds": ours, "theirs_seconds": theirs,
            "ours_cpu_seconds": ours_cpu, "theirs_cpu_seconds": theirs_cpu,
            "less_cpu": statistics.median(theirs_cpu) / max(statistics.median(ours_cpu), 1e-3), "ours_peak_bytes": max(peaks),
            "theirs_peak_bytes": exporter.peak_bytes, "theirs_base_bytes": exporter.base_bytes,
            "run_ratio": statistics.median(ratios), "run_interval": interval(ratios, rng), "runs": len(ratios),
            "our_nodes": optimised_nodes(mine), "their_nodes": optimised_nodes(peer)}


def main() -> int:
    parser = make_parser(__doc__)
    options = parser.parse_args()
    slipway, archives = (options.build / "slipway").resolve(), (options.models / "archives").resolve()
    rows = Rows(options.output, options.rows)
    models = {f"convert.{name.split('/')[1]}": name for name in MODELS if rows.wants(f"convert.{name.split('/')[1]}")}
    missing = [name for name in models.values() if not (archives / (name.replace("/", "__") + ".pt2")).exists()]
    if missing:
        subprocess.run([sys.executable, str(ROOT / "tests/acceptance/convert/export.py"), str(archives), *missing], check=True)
    if options.prepare:
        return 0
    rng = np.random.default_rng(1)
    for row_id, name in models.items():
        with tempfile.TemporaryDirectory(prefix="slipway-bench-") as folder:
            try:
                found = measure(name, slipway, archives, pathlib.Path(folder), options.rounds, options.seconds / len(models) / 2, rng)
            except Exception as error:  # whatever the exporter or ONNX Runtime say of a model
                print(f"{name}: {error}", file=sys.stderr)
                return 1
        low, high = found["run_interval"]
        rows.write(row_id, f"{name}, a torch.export archive to an ONNX file", ("an archive on disk", "an ONNX file on disk"), "s",
                   Contender("slipway convert, a process", "default", None, samples=found["ours_seconds"]),
                   [Contender(f"PyTorch {torch.__version__}, torch.onnx.export(dynamo=True), warm", "default and best", None,
                              samples=found["theirs_seconds"])],
                   goal={"of": "ratio", "least": GOAL_EACH},
                   facts={"processor time, times less": found["less_cpu"], "our peak MB": found["ours_peak_bytes"] / 1e6,
                          "its peak MB": found["theirs_peak_bytes"] / 1e6, "before it began": found["theirs_base_bytes"] / 1e6,
                          "run of our graph / of its, one thread, processor time": f"{found['run_ratio']:.3f} [{low:.3f}, {high:.3f}]",
                          "nodes": f"{found['our_nodes']} / {found['their_nodes']}"})
    return 0


if __name__ == "__main__":
    sys.exit(main())
