"""Source separation: `slipway demucs` beside PyTorch's demucs and a default ONNX Runtime session in Python.

One run, interleaved rounds, the same song, seeded weights and number of threads. Needs the environment that
`tools/setup.sh torch` makes (.deps/venv-torch, or SLIPWAY_TORCH_PYTHON); this script restarts itself in it.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

try:
    import torch
except ImportError:
    interpreter = pathlib.Path(os.environ.get("SLIPWAY_TORCH_PYTHON", ROOT / ".deps/venv-torch/bin/python"))
    if not interpreter.exists() or os.environ.get("SLIPWAY_BENCH_RESTARTED"):
        sys.exit("demucs_bench.py: PyTorch is not here: run tools/setup.sh torch")
    os.environ["SLIPWAY_BENCH_RESTARTED"] = "1"
    os.execv(interpreter, [str(interpreter), *sys.argv])

import numpy as np
import onnxruntime
from demucs.apply import apply_model

from python.exporters.demucs import checkpoint

SEED = 1
RATE = 44100
SEGMENT = 343980
GFLOP_PER_SEGMENT = 335  # field notes of the project: 167 GMAC


def noise_song(seconds: float) -> torch.Tensor:
    """Stereo noise with a falling spectrum, full scale."""
    count = int(seconds * RATE)
    noise = torch.randn(2, count, generator=torch.Generator().manual_seed(3))
    spectrum = torch.fft.rfft(noise) / torch.arange(1, count // 2 + 2).sqrt()
    wave = torch.fft.irfft(spectrum, n=count)
    return 0.9 * wave / wave.abs().max()


def write_wav(path: pathlib.Path, wave: torch.Tensor) -> None:
    """Float WAV, so that all start from the same bits."""
    from demucs.audio import encode_wav
    encode_wav(wave, path, RATE, as_float=True)


def separate(model, wave: torch.Tensor) -> torch.Tensor:
    """demucs/api.py Separator.separate_tensor with the defaults of this benchmark."""
    reference = wave.mean(0)
    mean, deviation = reference.mean(), reference.std() + 1e-8
    return (apply_model(model, ((wave - mean) / deviation)[None], shifts=0, overlap=0.25) * deviation + mean)[0]


class Core(torch.nn.Module):
    """HTDemucs between its transforms, as people export it: (mix, x) -> (spectrogram, wave)."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, mix, x):
        held = {}
        model = self.model
        model._spec = lambda _: None
        model._magnitude = lambda _: x
        model._mask = lambda _, m: held.update(spectrogram=m)
        model._ispec = lambda *_: torch.zeros(())
        try:
            wave = model(mix)
        finally:
            for name in ("_spec", "_magnitude", "_mask", "_ispec"):
                delattr(model, name)
        return held["spectrogram"], wave


class PlainSession:
    """The peer in Python: torch's own exporter, a session with default options, torch's transforms around it."""

    def __init__(self, model, folder: pathlib.Path):
        self.model = model
        file = folder / "plain.onnx"
        x = torch.zeros(1, 4, 2048, 336)
        with torch.no_grad():
            torch.onnx.export(Core(model), (torch.zeros(1, 2, SEGMENT), x), str(file), opset_version=17, dynamo=False,
                              input_names=["input", "x"], output_names=["output", "add_67"])
        self.session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
        # What apply_model asks of a model.
        self.sources, self.samplerate, self.segment, self.audio_channels = model.sources, RATE, model.segment, 2

    def to(self, _):
        return self

    def eval(self):
        return self

    def valid_length(self, length):
        return self.model.valid_length(length)

    def __call__(self, mix):
        x = self.model._magnitude(self.model._spec(mix))
        spectrogram, wave = self.session.run(None, {"input": mix.numpy(), "x": x.numpy()})
        z = self.model._mask(None, torch.from_numpy(spectrogram))
        return torch.from_numpy(wave) + self.model._ispec(z, SEGMENT)


def high_water_kb(pid: int) -> int:
    try:
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    name = next((line.split()[1] for line in status.splitlines() if line.startswith("Name:")), "")
    high = next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")), 0)
    return high if name == "slipway" else 0


def run_slipway(build: pathlib.Path, song: pathlib.Path, model: pathlib.Path, output: pathlib.Path, threads: int) -> dict:
    with tempfile.TemporaryFile("w+") as out:
        child = subprocess.Popen([str(build / "slipway"), "demucs", str(song), "--model", str(model), "--output", str(output),
                                  "--threads", str(threads), "--json"], stdout=out)
        # Not from rusage: its peak remembers this process, which the child was before it became slipway.
        peak_kb = 0
        while child.poll() is None:
            peak_kb = max(peak_kb, high_water_kb(child.pid))
            time.sleep(0.05)
        if child.returncode != 0:
            sys.exit(f"slipway demucs ended with {child.returncode}")
        out.seek(0)
        report = json.loads(out.read())
    report["peak_bytes"] = peak_kb * 1024
    return report


def peak_gflops(threads: int) -> float:
    torch.set_num_threads(threads)
    a = torch.randn(3072, 3072)
    torch.mm(a, a)
    best = 0.0
    for _ in range(5):
        start = time.perf_counter()
        torch.mm(a, a)
        best = max(best, 2 * 3072**3 / (time.perf_counter() - start) / 1e9)
    return best


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="build/release", type=pathlib.Path)
    parser.add_argument("--json-file", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=20.0, help="length of the song")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.backends.mha.set_fastpath_enabled(False)
    with tempfile.TemporaryDirectory(prefix="slipway-bench-") as name:
        folder = pathlib.Path(name)
        model_folder = folder / "htdemucs"
        subprocess.run([sys.executable, "-m", "python.exporters.demucs", "--seed", str(SEED), "--output", str(model_folder),
                        "--threads", str(options.threads)], cwd=ROOT, check=True)
        wave = noise_song(options.seconds)
        write_wav(folder / "song.wav", wave)
        model = checkpoint.seeded(SEED, 4)
        plain = PlainSession(model, folder)

        times = {"pytorch": [], "plain": [], "slipway": []}
        reports = []
        reference = None
        loads_before = os.getloadavg()
        for _ in range(options.rounds):
            start = time.perf_counter()
            reference = separate(model, wave)
            times["pytorch"].append(time.perf_counter() - start)
            start = time.perf_counter()
            by_plain = separate(plain, wave)
            times["plain"].append(time.perf_counter() - start)
            reports.append(run_slipway(options.build, folder / "song.wav", model_folder, folder / "stems", options.threads))
            times["slipway"].append(reports[-1]["seconds"]["total"])
        import sphn
        stems = np.stack([np.asarray(sphn.read(str(folder / f"stems/{s}.wav"))[0]) for s in model.sources])
        difference = float(np.abs(stems - reference.numpy()).max())
        plain_difference = float(np.abs(by_plain.numpy() - reference.numpy()).max())

    medians = {k: statistics.median(v) for k, v in times.items()}
    last = sorted(reports, key=lambda r: r["seconds"]["total"])[len(reports) // 2]
    s = last["seconds"]
    around = (s["stft"] + s["istft"] + s["overlap_add"]) / s["total"]
    peak = peak_gflops(options.threads)
    reached = GFLOP_PER_SEGMENT * last["segments"] / s["network"]
    result = {
        "threads": options.threads, "song_seconds": options.seconds, "rounds": options.rounds, "load_average": loads_before,
        "seconds": medians, "all_seconds": times, "ratio_to_pytorch": medians["pytorch"] / medians["slipway"],
        "ratio_of_plain_to_pytorch": medians["pytorch"] / medians["plain"], "max_abs_difference": difference,
        "max_abs_difference_of_plain": plain_difference, "transforms_share": around,
        "peak_bytes": max(r["peak_bytes"] for r in reports), "network_runs": s["network_runs"], "parts": s,
        "gemm_peak_gflops": peak, "network_gflops": reached,
    }
    print(f"{options.seconds:g} s of stereo, {options.threads} threads, {options.rounds} interleaved rounds, medians; "
          f"load average at the start {loads_before[0]:.1f}")
    for key, label in (("pytorch", "PyTorch demucs"), ("plain", "default session, Python"), ("slipway", "slipway demucs, float32")):
        print(f"  {label:26s}{medians[key]:8.2f} s  real-time factor {medians[key] / options.seconds:.3f}  "
              f"{medians['pytorch'] / medians[key]:5.2f} x PyTorch")
    goals = [
        ("speed against PyTorch", f"{result['ratio_to_pytorch']:.2f} x", ">= 1.25", result["ratio_to_pytorch"] >= 1.25),
        ("largest difference", f"{difference:.1e} (default session {plain_difference:.1e})", "<= 1e-5", difference <= 1e-5),
        ("transforms and overlap-add", f"{100 * around:.2f} %", "< 1 %", around < 0.01),
        ("peak memory", f"{result['peak_bytes'] / 1e9:.2f} GB", "< 1.2 GB", result["peak_bytes"] < 1.2e9),
    ]
    runs = s["network_runs"]
    if len(runs) > 2:
        goals.append(("first segment against third", f"{runs[0] / runs[2]:.2f}", "<= 1", runs[0] <= runs[2]))
    for label, value, goal, met in goals:
        print(f"  {label:28s}{value:36s}goal {goal:10s}{'met' if met else 'missed'}")
    print(f"  network {reached:.0f} GFLOP/s; a 3072 x 3072 float product on the same threads {peak:.0f} GFLOP/s")
    print("  BF16: not run here; it needs an ONNX Runtime build with the OpenVINO provider")
    if options.json_file:
        options.json_file.write_text(json.dumps(result, indent=1) + "\n")
    return 0


sys.exit(main())
