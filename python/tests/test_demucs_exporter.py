"""The exporter of HTDemucs on a small network: its graphs against what PyTorch made of the same weights (tests/golden), and the command
itself, which is skipped where tools/setup.sh torch was not run."""

import json
import subprocess
import sys

import numpy as np
import onnx
import onnxruntime
import pytest

from python.exporters.demucs import spectral
from python.exporters.demucs import network as networks
from python.exporters.demucs.__main__ import parse
from python.exporters.demucs.graph_builder import GraphBuilder
from python.reference.demucs import small_golden

SAMPLES = 9001


def run(builder, outputs, **feed):
    model = builder.model("test")
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return dict(zip(outputs, session.run(outputs, feed)))


WINDOW = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(4096) / 4096)


def reference_spectrogram(wave):
    """HTDemucs._spec with numpy's own transform."""
    samples = wave.shape[1]
    frames = spectral.frames_of(samples)
    padded = np.pad(wave.astype(np.float64), ((0, 0), (1536, 1536 + frames * 1024 - samples)), mode="reflect")
    rows = np.stack([padded[:, 1024 * t:1024 * t + 4096] * WINDOW for t in range(frames)], axis=1)
    z = np.fft.rfft(rows)[..., :2048].transpose(0, 2, 1) / 64
    return np.stack([z.real, z.imag], axis=1).reshape(4, 2048, frames)


def reference_wave(z, samples):
    """HTDemucs._ispec with numpy's own transform: (..., 4, 2048, frames) -> (..., 2, samples)."""
    z = z.reshape(*z.shape[:-3], 2, 2, *z.shape[-2:]).astype(np.float64)
    rows = np.fft.irfft(64 * (z[..., 0, :, :] + 1j * z[..., 1, :, :]).swapaxes(-1, -2), n=4096)  # the highest bin is added as zero
    sums = np.zeros((*rows.shape[:-2], 1024 * (rows.shape[-2] + 7)))
    weights = np.zeros(sums.shape[-1])
    for t in range(rows.shape[-2] + 4):  # two frames of nothing on either side
        place = slice(1024 * t, 1024 * t + 4096)
        weights[place] += WINDOW**2
        if 2 <= t < rows.shape[-2] + 2:
            sums[..., place] += rows[..., t - 2, :] * WINDOW
    middle = slice(2048 + 1536, 2048 + 1536 + samples)
    return sums[..., middle] / weights[middle]


def test_spectrogram_of_the_graph_equals_numpys():
    wave = np.random.default_rng(1).standard_normal((2, SAMPLES)).astype(np.float32)
    builder = GraphBuilder("stft")
    shape = [1, 4, 2048, spectral.frames_of(SAMPLES)]
    builder.output(spectral.spectrogram(builder, builder.input("mix", [1, 2, SAMPLES]), SAMPLES), "x", shape)
    x = run(builder, ["x"], mix=wave[None])["x"][0]
    assert np.abs(x - reference_spectrogram(wave)).max() < 2e-6


def test_waveform_of_the_graph_inverts_it():
    wave = np.random.default_rng(2).standard_normal((2, SAMPLES)).astype(np.float32)
    frames = spectral.frames_of(SAMPLES)
    z = reference_spectrogram(wave)
    z[[1, 3], 0] = 7  # the imaginary part of the constant term does not count
    builder = GraphBuilder("istft")
    value = builder.input("z", [1, 1, 4, 2048, frames])
    builder.output(spectral.waveform(builder, value, 1, SAMPLES), "wave", [1, 1, 2, SAMPLES])
    back = run(builder, ["wave"], z=z[None, None].astype(np.float32))["wave"][0, 0]
    # numpy's inverse, without the dropped bin; ends lack the frames that _spec leaves out
    middle = slice(4096, SAMPLES - 4096)
    assert np.abs(back - wave)[:, middle].max() < 0.1


def test_no_complex_types_and_at_most_four_dimensions_inside():
    model = onnx.load("tests/golden/demucs/tiny_whole/tiny_whole.onnx")
    inferred = onnx.shape_inference.infer_shapes(model)
    for value in inferred.graph.value_info:
        tensor = value.type.tensor_type
        assert tensor.elem_type not in (onnx.TensorProto.COMPLEX64, onnx.TensorProto.COMPLEX128)
        assert len(tensor.shape.dim) <= 4, value.name
    assert {node.domain for node in model.graph.node} == {""}


FORMS = [["--stft", "outside"], ["--istft", "inside"], ["--stft", "inside"], ["--sources", "6"], ["--batch", "dynamic"],
         ["--batch", "2"], ["--fp16"]]


def options_of(*arguments):
    return parse(["--seed", "1", "--output", "unused", *arguments])


def small_graph(options):
    described = json.loads((small_golden.FOLDER / "small.json").read_text())[str(options.sources)]
    weights = small_golden.weights_of(described["shapes"])
    return networks.graph_of(networks.Architecture(**described["architecture"]), weights, small_golden.SAMPLES, options)


def difference_to_pytorch(model, options):
    """Of the stems of two segments, in batches as the graph takes them; of full scale, or of the largest value where that is more."""
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    mix, stems = small_golden.mix(), []
    for rows in mix[:, None] if options.batch == "1" else [mix]:
        feed = {"input": rows}
        if options.stft == "outside":
            feed["x"] = np.stack([reference_spectrogram(row) for row in rows]).astype(np.float32)
        found = dict(zip([each.name for each in session.get_outputs()], session.run(None, feed)))
        stems.append(found["add_67"] + (reference_wave(found["output"], mix.shape[-1]) if "output" in found else 0))
    with np.load(small_golden.FOLDER / "small.npz") as golden:
        reference = golden[str(options.sources)]
    made = np.concatenate(stems)[..., ::small_golden.STEP]
    assert made.shape == reference.shape
    return np.abs(made - reference).max() / max(1, np.abs(reference).max())


@pytest.mark.parametrize("layout", ["cpu", "openvino", "portable"])
@pytest.mark.parametrize("form", FORMS, ids=" ".join)
def test_every_layout_gives_in_every_form_what_pytorch_gave(layout, form):
    options = options_of("--layout", layout, *form)
    model = small_graph(options)
    difference = difference_to_pytorch(model, options)
    assert difference < networks.tolerance_of(options)
    assert (difference > 1e-5) == options.fp16
    if layout != "cpu":
        assert {node.domain for node in model.graph.node} == {""}


@pytest.mark.parametrize(("module", "constant", "wrong"), [(networks, "NORM_EPSILON", 0.1), (networks, "INPUT_EPSILON", 0.01)])
def test_a_wrong_constant_of_the_graph_is_beyond_the_tolerance(monkeypatch, module, constant, wrong):
    monkeypatch.setattr(module, constant, wrong)
    options = options_of()
    assert difference_to_pytorch(small_graph(options), options) > networks.tolerance_of(options)


def test_the_graph_of_the_reference_scripts_form_has_their_names_and_shapes():
    """Two inputs, one time-domain output called add_67: what raw-tensor tools on a device carry in and out."""
    graph = small_graph(options_of("--istft", "inside", "--layout", "portable")).graph
    shapes = {v.name: [d.dim_value for d in v.type.tensor_type.shape.dim] for v in [*graph.input, *graph.output]}
    assert shapes == {"input": [1, 2, 8192], "x": [1, 4, 2048, 8], "add_67": [1, 4, 2, 8192]}


def small(seed, sources):
    """HTDemucs with few channels in the place of checkpoint.seeded."""
    from demucs.htdemucs import HTDemucs

    from python.exporters.demucs import checkpoint
    names = checkpoint.SIX_STEMS if sources == 6 else checkpoint.FOUR_STEMS
    model = HTDemucs(list(names), channels=8, bottom_channels=16, dconv_mode=3, t_layers=2, t_heads=2)
    checkpoint.stir(model, seed)
    return model.eval()


@pytest.fixture
def export(monkeypatch):
    """Runs the command on a small network: export("--layout", "cpu", ...) -> exit status."""
    pytest.importorskip("torch")
    pytest.importorskip("demucs")
    from python.exporters.demucs import __main__ as command
    from python.exporters.demucs import checkpoint

    def run_command(*arguments):
        monkeypatch.setattr(checkpoint, "seeded", small)
        monkeypatch.setattr(sys, "argv", ["exporter", "--seed", "1", "--segment-samples", "8192", *map(str, arguments)])
        return command.main()

    return run_command


def test_a_fault_in_the_graph_is_found_and_nothing_is_written(tmp_path, monkeypatch, export):
    from python.exporters.demucs import network

    with monkeypatch.context() as fault:
        fault.setattr(network, "NORM_EPSILON", 0.1)
        assert export("--output", tmp_path / "m") == 1
    assert not (tmp_path / "m").exists()
    assert export("--output", tmp_path / "m") == 0
    assert (tmp_path / "m/model.yaml").exists()


@pytest.mark.parametrize("layout", ["cpu", "openvino", "portable"])
@pytest.mark.parametrize("form", FORMS, ids=" ".join)
def test_every_layout_equals_pytorch_in_every_form(tmp_path, export, layout, form):
    assert export("--layout", layout, *form, "--output", tmp_path / "m") == 0
    graph = onnx.load(next((tmp_path / "m").glob("*.onnx"))).graph
    if layout != "cpu":
        assert {node.domain for node in graph.node} == {""}


def test_a_bag_becomes_a_graph_a_checkpoint_with_its_weights(tmp_path, monkeypatch):
    """As htdemucs_ft is: a .yaml of signatures and stem weights beside the checkpoints it names."""
    torch = pytest.importorskip("torch")
    yaml = pytest.importorskip("yaml")
    pytest.importorskip("demucs")
    from python.exporters.demucs import __main__ as command

    weights = [[1.0, 0.0, 0.5, 0.0], [0.0, 1.0, 0.5, 1.0]]
    for seed, name in ((1, "f7e0c4bc-ba3fe64a.th"), (2, "d12395a8-e57c48e6.th")):
        model = small(seed, 4)
        args, kwargs = model._init_args_kwargs
        torch.save({"klass": type(model), "args": args, "kwargs": kwargs, "state": model.state_dict()}, tmp_path / name)
    (tmp_path / "htdemucs_ft.yaml").write_text(f"models: ['f7e0c4bc', 'd12395a8']\nweights: {weights}\n")
    monkeypatch.setattr(sys, "argv", ["exporter", "--checkpoint", str(tmp_path / "htdemucs_ft.yaml"), "--segment-samples", "8192",
                                      "--output", str(tmp_path / "bag")])
    assert command.main() == 0
    document = yaml.safe_load((tmp_path / "bag/model.yaml").read_text())
    assert list(document["graphs"]) == ["f7e0c4bc", "d12395a8"]
    assert [graph["stem_weights"] for graph in document["graphs"].values()] == weights
    assert len({graph["weights_sha256"] for graph in document["graphs"].values()}) == 2
    (tmp_path / "d12395a8-e57c48e6.th").unlink()
    assert command.main() == 1


def test_a_file_that_is_no_checkpoint_is_refused(tmp_path):
    pytest.importorskip("torch")
    pytest.importorskip("demucs")
    (tmp_path / "x.th").write_bytes(b"no checkpoint")
    done = subprocess.run([sys.executable, "-m", "python.exporters.demucs", "--checkpoint", str(tmp_path / "x.th"), "--output",
                           str(tmp_path / "m")], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "x.th: expected a checkpoint" in done.stderr
