"""Builds the graphs of a model, checks each against PyTorch and writes the model folder."""

import hashlib
import pathlib
from fractions import Fraction

import demucs
import onnx
import onnxruntime
import torch
import yaml

from python.exporters.common.finish import Checked, Report, finished_folder
from python.exporters.demucs import checkpoint, spectral
from python.exporters.demucs.network import graph_of, tolerance_of


def export(options) -> None:
    """Writes the model folder. Raises DifferenceError beyond the tolerance."""
    members, bag_weights = _members(options)
    tolerance = tolerance_of(options)
    report = Report()
    with finished_folder(options.output) as work:
        graphs = {}
        for index, (name, load) in enumerate(members):
            model = load()
            samples = options.segment_samples or int(model.segment * model.samplerate)
            # The network pads to its training length: the exported length is the training length.
            model.segment, model.use_train_segment = Fraction(samples, model.samplerate), True
            path = work / f"{name}.onnx"
            onnx.save(_graph(model, samples, options), path)
            report.add(_check(model, path, samples, tolerance, options))
            weights = bag_weights[index] if bag_weights else [1.0] * len(model.sources)
            graphs[name] = _graph_entry(path, model, weights)
            sources = list(model.sources)
            del model
        document = _document(options, members[0][0] if len(members) == 1 else None, graphs, sources, samples, tolerance, report)
        (work / "model.yaml").write_text(yaml.safe_dump(document, sort_keys=False, width=120, default_flow_style=None))


def _members(options):
    """[(name, loader)] and the bag's weights per stem."""
    if options.seed is not None:
        name = options.name or f"htdemucs{'_6s' if options.sources == 6 else ''}-seed-{options.seed}"
        return [(name, lambda: checkpoint.seeded(options.seed, options.sources))], None
    if options.checkpoint.suffix == ".yaml":
        files, weights = checkpoint.load_bag(options.checkpoint)
        return [(name, lambda f=file: checkpoint.load(f)) for name, file in files], weights
    return [(options.name or options.checkpoint.stem, lambda: checkpoint.load(options.checkpoint))], None


def _graph(model, samples: int, options) -> onnx.ModelProto:
    return graph_of(checkpoint.architecture_of(model), checkpoint.weights_of(model), samples, options)


def test_signal(batch: int, samples: int) -> torch.Tensor:
    """(2 batch, 2, samples): stereo noise with falling spectrum, full scale, then the same two thirds silent."""
    noise = torch.randn(batch, 2, samples, generator=torch.Generator().manual_seed(20))
    spectrum = torch.fft.rfft(noise)
    spectrum = spectrum / torch.arange(1, spectrum.shape[-1] + 1).sqrt()
    signal = torch.fft.irfft(spectrum, n=samples)
    signal = 0.9 * signal / signal.abs().max()
    # The end of a song: silence shifts means and deviations apart, which full rows of noise would never show.
    ending = signal.clone()
    ending[..., samples // 3:] = 0
    return torch.cat([signal, ending])


def _check(model, path: pathlib.Path, samples: int, tolerance: float, options) -> Checked:
    torch.backends.mha.set_fastpath_enabled(False)
    if options.threads:
        torch.set_num_threads(options.threads)
    batch = 2 if options.batch == "dynamic" else int(options.batch)
    mix = test_signal(batch, samples)
    with torch.no_grad():
        # One by one: the memory of a batch is the reference's, not ours to spend.
        reference = torch.cat([model(row[None]) for row in mix])
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = options.threads
    settings.enable_mem_pattern = False
    session = onnxruntime.InferenceSession(str(path), settings, providers=["CPUExecutionProvider"])
    results = []
    for rows in mix.split(batch):
        feed = {"input": rows.numpy()}
        if options.stft == "outside":
            feed["x"] = model._magnitude(model._spec(rows)).numpy()
        outputs = dict(zip([o.name for o in session.get_outputs()], session.run(None, feed)))
        result = torch.from_numpy(outputs["add_67"])
        if "output" in outputs:
            result = result + model._ispec(model._mask(None, torch.from_numpy(outputs["output"])), samples)
        results.append(result)
    result = torch.cat(results)
    difference = (result - reference).double()
    largest = float(reference.abs().max())
    return Checked(path.stem, float(difference.abs().max()),
                   float(difference.square().mean().sqrt() / reference.double().square().mean().sqrt()),
                   tolerance * max(1.0, largest), f" (largest value {largest:.2f})")


def _tensor(value: onnx.ValueInfoProto, layout: str) -> dict:
    shape = [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim]
    return {"name": value.name, "dtype": "float32", "shape": [-1 if isinstance(d, str) else d for d in shape], "layout": layout}


LAYOUTS = {"input": "N C T", "x": "N C F frames", "output": "N S C F frames", "add_67": "N S C T"}


def _graph_entry(path: pathlib.Path, model, weights: list[float]) -> dict:
    proto = onnx.load(path, load_external_data=False)
    return {
        "file": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "weights_sha256": checkpoint.content_hash(model),
        "stem_weights": [float(w) for w in weights],
        "inputs": [_tensor(v, LAYOUTS[v.name]) for v in proto.graph.input],
        "outputs": [_tensor(v, LAYOUTS[v.name]) for v in proto.graph.output],
    }


def _document(options, single: str | None, graphs: dict[str, dict], sources: list[str], samples: int, tolerance: float,
              report: Report) -> dict:
    return {
        "schema": 1,
        "name": options.name or single or options.checkpoint.stem,
        "pipeline": "demucs",
        "labels": sources,
        "graphs": graphs,
        "constants": {
            "sample_rate": 44100,
            "segment_samples": samples,
            "overlap": 0.25,
            "n_fft": spectral.N_FFT,
            "hop_samples": spectral.HOP,
            "stft": options.stft,
            "istft": options.istft,
            "channels_of_x": ["left real", "left imaginary", "right real", "right imaginary"],
        },
        "precision": "float16" if options.fp16 else "float32",
        "layout": options.layout,
        "source": f"PyPI demucs {demucs.__version__}, " + (
            f"weights drawn from seed {options.seed}" if options.seed is not None else f"checkpoint {options.checkpoint.name}"),
        "licence": "MIT (demucs); " + ("seeded weights are free" if options.seed is not None else "weights: as their publisher says"),
        "tolerances": {"max_abs": tolerance},
        "checked": {"against": f"PyTorch {torch.__version__}", "max_abs": [float(f"{c.max_abs:.3g}") for c in report.checked],
                    "relative_rms": [float(f"{c.relative_rms:.3g}") for c in report.checked]},
    }
