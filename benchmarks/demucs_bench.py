"""Source separation: `slipway demucs` beside PyTorch's demucs and a default ONNX Runtime session in Python.

One run, interleaved rounds, the same song, seeded weights and number of threads; ours on ONNX Runtime's CPU provider and,
where `tools/setup.sh openvino` was run, by OpenVINO in float32 and in bfloat16. Needs the environment that
`tools/setup.sh torch` makes (.deps/venv-torch, or SLIPWAY_TORCH_PYTHON); this script restarts itself in it.
"""

import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
import warnings

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
from bench_command import make_parser, write_figures
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
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of tracing, about shapes that are fixed here
            if not file.exists():
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


def run_slipway(build: pathlib.Path, song: pathlib.Path, model: pathlib.Path, output: pathlib.Path, threads: int,
                provider: list[str]) -> dict:
    with tempfile.TemporaryFile("w+") as out:
        child = subprocess.Popen([str(build / "slipway"), "demucs", str(song), "--model", str(model), "--output", str(output),
                                  "--threads", str(threads), "--json", *provider], stdout=out)
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


def has_openvino(build: pathlib.Path) -> bool:
    done = subprocess.run([str(build / "slipway"), "doctor", "--json"], capture_output=True, text=True, check=False)
    providers = json.loads(done.stdout.splitlines()[0]).get("providers", [])
    return any(p["name"] == "openvino" and p["available"] for p in providers)


def read_stems(folder: pathlib.Path, sources: list[str]) -> np.ndarray:
    import sphn
    return np.stack([np.asarray(sphn.read(str(folder / f"{name}.wav"))[0]) for name in sources])


def si_sdr(estimate: np.ndarray, reference: np.ndarray) -> float:
    """Scale-invariant signal-to-distortion ratio in dB; the lowest of the stems."""
    def of(e, r):
        r = r * (np.dot(e, r) / np.dot(r, r))
        return 10 * np.log10(np.dot(r, r) / np.dot(e - r, e - r))
    return min(of(e.ravel().astype(np.float64), r.ravel().astype(np.float64)) for e, r in zip(estimate, reference))


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
    parser = make_parser(__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=20.0, help="length of the song")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--models", type=pathlib.Path, metavar="DIR",
                        help="keep the exported models here, and take those that are here already; with --rounds 0: only export")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.backends.mha.set_fastpath_enabled(False)
    variants = {"slipway": ("slipway demucs, float32", "cpu", [])}
    if has_openvino(options.build):
        for key, label, precision in (("openvino", "the same by OpenVINO", "float32"), ("bf16", "by OpenVINO, bfloat16", "bf16")):
            variants[key] = (label, "openvino", ["--provider", "openvino", "--precision", precision])
    with tempfile.TemporaryDirectory(prefix="slipway-bench-") as name:
        folder = pathlib.Path(name)
        models = (options.models or folder).resolve()
        models.mkdir(parents=True, exist_ok=True)
        for layout in {layout for _, layout, _ in variants.values()}:
            if not (models / layout).exists():
                subprocess.run([sys.executable, "-m", "python.exporters.demucs", "--seed", str(SEED), "--layout", layout, "--output",
                                str(models / layout), "--threads", str(options.threads)], cwd=ROOT, check=True)
        wave = noise_song(options.seconds)
        write_wav(folder / "song.wav", wave)
        model = checkpoint.seeded(SEED, 4)
        plain = PlainSession(model, models)
        if options.rounds < 1:
            return 0

        times = {key: [] for key in ("pytorch", "plain", *variants)}
        reports = {key: [] for key in variants}
        peers = {}
        loads_before = os.getloadavg()
        for _ in range(options.rounds):
            for key, network in (("pytorch", model), ("plain", plain)):
                start = time.perf_counter()
                peers[key] = separate(network, wave).numpy()
                times[key].append(time.perf_counter() - start)
            for key, (_, layout, provider) in variants.items():
                reports[key].append(run_slipway(options.build, folder / "song.wav", models / layout, folder / key, options.threads,
                                                provider))
                times[key].append(reports[key][-1]["seconds"]["total"])
            print("  ".join(f"{key} {value[-1]:.2f} s" for key, value in times.items()), file=sys.stderr, flush=True)
        stems = {key: read_stems(folder / key, model.sources) for key in variants}
    reference, stems["plain"] = peers["pytorch"], peers["plain"]

    medians = {key: statistics.median(value) for key, value in times.items()}
    difference = {key: float(np.abs(value - reference).max()) for key, value in stems.items()}
    quality = {key: si_sdr(value, reference) for key, value in stems.items()}
    peak = peak_gflops(options.threads)
    print(f"{options.seconds:g} s of stereo, {options.threads} threads, {options.rounds} interleaved rounds, medians; "
          f"load average at the start {loads_before[0]:.1f}; a 3072 x 3072 float product {peak:.0f} GFLOP/s")
    print(f"  {'':26s}{'time':>9s}{'real time':>11s}{'x PyTorch':>11s}{'difference':>12s}{'SI-SDR':>10s}{'GFLOP/s':>9s}"
          f"{'transforms':>12s}{'peak':>9s}{'1st / 3rd':>11s}{'load':>8s}")
    result = {"threads": options.threads, "song_seconds": options.seconds, "rounds": options.rounds, "load_average": loads_before,
              "gemm_peak_gflops": peak, "seconds": medians, "all_seconds": times, "variants": {}}
    labels = {"pytorch": "PyTorch demucs", "plain": "default session, Python"}
    for key in times:
        line = f"  {labels.get(key) or variants[key][0]:26s}{medians[key]:7.2f} s{medians[key] / options.seconds:11.3f}" \
               f"{medians['pytorch'] / medians[key]:11.2f}"
        if key in difference:
            line += f"{difference[key]:12.1e}{quality[key]:7.1f} dB"
        if key in variants:
            facts = facts_of(reports[key])
            result["variants"][key] = {"ratio_to_pytorch": medians["pytorch"] / medians[key], "max_abs_difference": difference[key],
                                       "si_sdr_db": quality[key], **facts}
            line += f"{facts['network_gflops']:9.0f}{100 * facts['transforms_share']:10.2f} %{facts['peak_bytes'] / 1e9:6.2f} GB" \
                    f"{facts['first_to_third']:11.2f}{facts['load_seconds']:6.1f} s"
        print(line)
    for text, is_met in goals_of(result["variants"]):
        print(f"  {'met   ' if is_met else 'missed'}  {text}")
    if "bf16" not in variants:
        print("  skipped: bfloat16 needs the build of ONNX Runtime with OpenVINO: run tools/setup.sh openvino")
    write_figures(options, result)
    return 0


def facts_of(reports: list[dict]) -> dict:
    """Of the median run; the highest memory of all."""
    middle = sorted(reports, key=lambda r: r["seconds"]["total"])[len(reports) // 2]
    parts = middle["seconds"]
    # The first of a song pays for what the provider does late; the median over rounds, for one run is all noise.
    first = [r["seconds"]["network_runs"][0] / r["seconds"]["network_runs"][2] for r in reports if len(r["seconds"]["network_runs"]) > 2]
    return {
        "network_gflops": GFLOP_PER_SEGMENT * middle["segments"] / parts["network"],
        "transforms_share": (parts["stft"] + parts["istft"] + parts["overlap_add"]) / parts["total"],
        "peak_bytes": max(r["peak_bytes"] for r in reports),
        "first_to_third": statistics.median(first) if first else float("nan"),
        "load_seconds": parts["load"], "parts": parts, "placement": middle["placement"]["summary"],
    }


def goals_of(variants: dict) -> list[tuple[str, bool]]:
    goals = []
    for key, label, ratio, figure, limit, unit, is_upper in (
            ("slipway", "float32", 1.25, "max_abs_difference", 1e-5, "of full scale", True),
            ("bf16", "bfloat16", 2.0, "si_sdr_db", 25, "dB", False)):
        if key not in variants:
            continue
        found = variants[key]
        goals.append((f"{label}: at least {ratio} x PyTorch", found["ratio_to_pytorch"] >= ratio))
        goals.append((f"{label}: {figure} {'<=' if is_upper else '>='} {limit:g} {unit}",
                      found[figure] <= limit if is_upper else found[figure] >= limit))
        goals.append((f"{label}: transforms and overlap-add under 1 %", found["transforms_share"] < 0.01))
        goals.append((f"{label}: peak memory under 1.2 GB", found["peak_bytes"] < 1.2e9))
        # A tenth more is within what a run differs from the next.
        goals.append((f"{label}: first segment no slower than the third", found["first_to_third"] <= 1.1))
    return goals


sys.exit(main())
