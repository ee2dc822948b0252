"""Source separation: `slipway demucs` beside PyTorch's demucs and a default ONNX Runtime session in Python.

Turns on the same decoded song, seeded weights and number of threads; ours on ONNX Runtime's CPU provider and by OpenVINO, in float32 and
bfloat16. PyTorch's bfloat16 is torch.autocast. Needs `tools/setup.sh torch openvino`; this script restarts itself in PyTorch's environment.
"""

import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
import warnings

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]
from bench_command import TORCH_PYTHON, make_parser, restart_with

restart_with(TORCH_PYTHON, "torch")
import numpy as np
import onnxruntime
import torch
from bench_row import Contender, Rows, by_turns
from demucs.apply import apply_model

from python.exporters.demucs import checkpoint

SONG_SECONDS = 20.0
MOST_TRANSFORMS, MOST_PEAK_GB = 1.0, 1.2
STAGES = ("decoded samples in memory, 20 s of stereo", "four stems in memory")
# Layout of the export, switches of slipway.
VARIANTS = {"cpu": ("slipway demucs, cpu", "cpu", [], "float32"), "openvino": ("slipway demucs, OpenVINO", "openvino", ["--provider", "openvino"], "float32"),
            "bfloat16": ("slipway demucs, OpenVINO", "openvino", ["--provider", "openvino", "--precision", "bf16"], "bfloat16")}

SEED = 1
RATE = 44100
SEGMENT = 343980
GFLOP_PER_SEGMENT = 335  # 167 GMAC, counted in the network


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
    """The peer in Python: torch's own exporter, a session with default options but its threads, torch's transforms around it."""

    def __init__(self, model, folder: pathlib.Path, threads: int):
        self.model = model
        file = folder / "demucs-plain.onnx"
        x = torch.zeros(1, 4, 2048, 336)
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of tracing, about shapes that are fixed here
            if not file.exists():
                torch.onnx.export(Core(model), (torch.zeros(1, 2, SEGMENT), x), str(file), opset_version=17, dynamo=False,
                                  input_names=["input", "x"], output_names=["output", "add_67"])
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = threads
        self.session = onnxruntime.InferenceSession(str(file), settings, providers=["CPUExecutionProvider"])
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
                                  "--threads", str(threads), "--json", "--overwrite", *provider], stdout=out)
        # Not from rusage: its peak remembers this process, which the child was before it became slipway.
        peak_kb = 0
        while child.poll() is None:
            peak_kb = max(peak_kb, high_water_kb(child.pid))
            time.sleep(0.05)
        if child.returncode != 0:
            raise RuntimeError(f"slipway demucs ended with {child.returncode}")
        out.seek(0)
        report = json.loads(out.read())
    report["peak_bytes"] = peak_kb * 1024
    return report


def read_stems(folder: pathlib.Path, sources: list[str]) -> np.ndarray:
    import sphn
    return np.stack([np.asarray(sphn.read(str(folder / f"{name}.wav"))[0]) for name in sources])


def si_sdr(estimate: np.ndarray, reference: np.ndarray) -> float:
    """Scale-invariant signal-to-distortion ratio in dB; the lowest of the stems."""
    def of(e, r):
        r = r * (np.dot(e, r) / np.dot(r, r))
        return 10 * np.log10(np.dot(r, r) / np.dot(e - r, e - r))
    return min(of(e.ravel().astype(np.float64), r.ravel().astype(np.float64)) for e, r in zip(estimate, reference))


def main() -> int:
    parser = make_parser(__doc__)
    parser.add_argument("--song", type=float, default=SONG_SECONDS, help="its seconds; the page's rows are of 20")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.backends.mha.set_fastpath_enabled(False)
    models = options.models.resolve()
    models.mkdir(parents=True, exist_ok=True)
    for layout in {layout for _, layout, _, _ in VARIANTS.values()}:
        if not (models / f"demucs-{layout}/model.yaml").exists():
            subprocess.run([sys.executable, "-m", "python.exporters.demucs", "--seed", str(SEED), "--layout", layout, "--output",
                            str(models / f"demucs-{layout}"), "--threads", str(options.threads)], cwd=ROOT, check=True)
    model = checkpoint.seeded(SEED, 4)
    plain = PlainSession(model, models, options.threads)
    if options.prepare:
        return 0
    rows = Rows(options.output, options.rows)
    with tempfile.TemporaryDirectory(prefix="slipway-bench-") as name:
        folder = pathlib.Path(name)
        wave = noise_song(options.song)
        write_wav(folder / "song.wav", wave)
        measure(options, rows, model, plain, wave, folder, models)
    return 0


def measure(options, rows: Rows, model, plain, wave: torch.Tensor, folder: pathlib.Path, models: pathlib.Path) -> None:
    reports: dict[str, list[dict]] = {key: [] for key in VARIANTS}
    stems: dict[str, np.ndarray] = {}

    def peer(key: str, network, is_bfloat16: bool):
        def run() -> float:
            begin = time.perf_counter()
            with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=is_bfloat16):
                stems[key] = separate(network, wave).float().numpy()
            return time.perf_counter() - begin
        return run

    def ours(key: str):
        _, layout, switches, _ = VARIANTS[key]

        def run() -> float:
            reports[key].append(run_slipway(options.build, folder / "song.wav", models / f"demucs-{layout}", folder / key, options.threads, switches))
            return reports[key][-1]["seconds"]["total"]
        return run

    turns = {"PyTorch": peer("PyTorch", model, False), "plain": peer("plain", plain, False), "cpu": ours("cpu"), "openvino": ours("openvino"),
             "bfloat16": ours("bfloat16"), "PyTorch bfloat16": peer("PyTorch bfloat16", model, True)}
    not_run = [{"name": "torch.compile", "reason": "not measured: it compiles for minutes first"}]
    for key in VARIANTS:
        turns[key]()  # compiles what a cache keeps
        reports[key].clear()
    try:
        turns["PyTorch bfloat16"]()
    except RuntimeError as error:
        del turns["PyTorch bfloat16"]
        not_run.append({"name": "PyTorch, torch.autocast to bfloat16", "reason": str(error).splitlines()[0][:200]})
    samples = by_turns(turns, options.seconds, min(options.rounds, 3), 6, warm_up=False)
    for key in VARIANTS:
        stems[key] = read_stems(folder / key, model.sources)
    reference, gflop = stems["PyTorch"], GFLOP_PER_SEGMENT * reports["cpu"][-1]["segments"]
    settled = "default and best" if options.threads == torch.get_num_threads() else "best"

    def contender(key: str) -> Contender:
        name, _, _, precision = VARIANTS[key]
        return Contender(name, "best", options.threads, precision, samples[key])

    def facts(key: str) -> dict:
        return {"network GFLOP/s": GFLOP_PER_SEGMENT * reports[key][-1]["segments"] / reports[key][-1]["seconds"]["network"],
                "largest difference from PyTorch": float(np.abs(stems[key] - reference).max()), "SI-SDR dB": si_sdr(stems[key], reference)}

    fastest, other = sorted(("cpu", "openvino"), key=lambda key: statistics.median(samples[key]))
    pytorch = Contender("PyTorch demucs, eager", settled, options.threads, samples=samples["PyTorch"])
    session = Contender("ONNX Runtime, Python, with torch's transforms", settled, options.threads, samples=samples["plain"])
    rows.write("demucs.float32", "htdemucs (seeded), 20 s of stereo, float32", STAGES, "s", contender(fastest), [pytorch, session],
               goal={"of": "ratio", "least": 1.25}, gflop=gflop, not_run=not_run,
               facts=facts(fastest) | {f"{VARIANTS[other][0]}, s": statistics.median(samples[other]),
                                       f"{VARIANTS[other][0]}, largest difference": float(np.abs(stems[other] - reference).max())})
    peers = [pytorch]
    if "PyTorch bfloat16" in samples:
        peers.append(Contender("PyTorch demucs, torch.autocast", "default and best", options.threads, "bfloat16", samples["PyTorch bfloat16"]))
    rows.write("demucs.bfloat16", "htdemucs (seeded), 20 s of stereo, bfloat16", STAGES, "s", contender("bfloat16"), peers,
               goal={"of": "ratio", "least": 2.0}, gflop=gflop, not_run=not_run, facts=facts("bfloat16"),
               precision_note="" if len(peers) > 1 else "no peer could be run in bfloat16: see the reasons")
    parts = [each["seconds"] for each in reports["cpu"]][-len(samples["cpu"]):]
    rows.write("demucs.transforms", "htdemucs: transforms and overlap-add in parts of the whole, cpu", STAGES, "%",
               Contender("slipway demucs, cpu", "best", options.threads,
                         samples=[100 * (each["stft"] + each["istft"] + each["overlap_add"]) / each["total"] for each in parts]),
               goal={"of": "value", "most": MOST_TRANSFORMS},
               facts={"first segment / third": statistics.median(each["network_runs"][0] / each["network_runs"][2] for each in parts
                                                                 if len(each["network_runs"]) > 2) if len(parts[0]["network_runs"]) > 2 else "-"})
    rows.write("demucs.memory", "htdemucs: peak memory, cpu", STAGES, "GB",
               Contender("slipway demucs, cpu", "best", options.threads, samples=[each["peak_bytes"] / 1e9 for each in reports["cpu"]][-len(parts):]),
               goal={"of": "value", "most": MOST_PEAK_GB}, facts={"bfloat16 GB": max(each["peak_bytes"] for each in reports["bfloat16"]) / 1e9})


if __name__ == "__main__":
    sys.exit(main())
