"""`slipway quantize` beside ONNX Runtime's Python quantiser with its QNN settings: the same model, the same samples, and both
results run by ONNX Runtime's Python package."""

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize
from onnxruntime.quantization.execution_providers.qnn import get_qnn_qdq_config, qnn_preprocess_model
from onnxruntime.quantization.shape_inference import quant_pre_process
from PIL import Image

from python.reference.face_det_lite.preprocess import image_to_tensor
from python.tests.commands import DATA, exact_session, needs_slipway, slipway

pytestmark = needs_slipway

# As far as ours may be below ONNX Runtime's, by output.
SLACK_DB, SLACK_OF_ONE_DB = 0.5, 2.5


def quantised(*words: object) -> tuple[int, dict, str]:
    done = slipway("quantize", *words, "--json", text=True)
    return done.returncode, json.loads(done.stdout.splitlines()[-1]) if done.stdout else {}, done.stderr


class Samples(CalibrationDataReader):
    def __init__(self, name: str, samples: np.ndarray) -> None:
        self._feeds = iter([{name: sample} for sample in samples])

    def get_next(self) -> dict[str, np.ndarray] | None:
        return next(self._feeds, None)


def outputs_of(model: Path, samples: np.ndarray) -> list[np.ndarray]:
    session = exact_session(model)
    [given] = session.get_inputs()
    runs = [session.run(None, {given.name: sample}) for sample in samples]
    return [np.stack(output).astype(np.float64) for output in zip(*runs, strict=True)]


def decibels(expected: np.ndarray, found: np.ndarray) -> float:
    return float(10 * np.log10(np.square(expected).sum() / np.square(expected - found).sum()))


def peers(model: Path, folder: Path, samples: np.ndarray, activations: QuantType) -> Path:
    """At its best: constants and batch normalisations folded before, then the settings for QNN."""
    folded, prepared = folder / "folded.onnx", folder / "prepared.onnx"
    quant_pre_process(str(model), str(folded), skip_symbolic_shape=True)
    model_without_metadata = onnx.load(folded)  # which the next step falls over
    del model_without_metadata.metadata_props[:]
    onnx.save(model_without_metadata, folded)
    source = prepared if qnn_preprocess_model(str(folded), str(prepared)) else folded
    name = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"]).get_inputs()[0].name
    config = get_qnn_qdq_config(str(source), Samples(name, samples), activation_type=activations, weight_type=QuantType.QInt8,
                                per_channel=True)
    quantize(str(source), str(folder / "peer.onnx"), config)
    return folder / "peer.onnx"


def resnet18(path: Path, seed: int = 7) -> None:
    """The network's shape at 64 pixels, seeded; batch normalisations are of what the seeded weights give."""
    random = np.random.default_rng(seed)
    nodes, tensors = [], []

    def constant(name: str, values: np.ndarray) -> str:
        tensors.append(numpy_helper.from_array(values.astype(np.float32), name))
        return name

    def node(op: str, inputs: list[str], name: str, **settings: object) -> str:
        nodes.append(helper.make_node(op, inputs, [name], name=name, **settings))
        return name

    def conv(x: str, name: str, given: int, made: int, kernel: int, stride: int) -> str:
        weights = constant(f"{name}.w", random.normal(0, np.sqrt(2 / (given * kernel * kernel)), (made, given, kernel, kernel)))
        pad = kernel // 2
        x = node("Conv", [x, weights], f"{name}.conv", kernel_shape=[kernel, kernel], strides=[stride, stride], pads=[pad] * 4)
        scale, bias = random.uniform(0.5, 1.5, made), random.normal(0, 0.2, made)
        parts = {"s": scale, "b": bias, "m": random.normal(0, 0.3, made), "v": random.uniform(0.5, 2, made)}
        return node("BatchNormalization", [x, *(constant(f"{name}.{key}", value) for key, value in parts.items())], f"{name}.bn")

    x = node("Relu", [conv("image", "stem", 3, 64, 7, 2)], "stem.relu")
    x = node("MaxPool", [x], "stem.pool", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    given = 64
    for stage, made in enumerate((64, 128, 256, 512)):
        for block in range(2):
            name, stride = f"layer{stage}.{block}", 2 if stage and not block else 1
            inner = node("Relu", [conv(x, f"{name}.a", given, made, 3, stride)], f"{name}.relu")
            inner = conv(inner, f"{name}.c", made, made, 3, 1)
            short = conv(x, f"{name}.down", given, made, 1, stride) if stride != 1 else x
            x = node("Relu", [node("Add", [inner, short], f"{name}.add")], f"{name}.out")
            given = made
    x = node("Flatten", [node("GlobalAveragePool", [x], "pool")], "flat")
    node("Gemm", [x, constant("fc.w", random.normal(0, 0.05, (100, 512))), constant("fc.b", random.normal(0, 0.1, 100))], "scores",
         transB=1)
    graph = helper.make_graph(nodes, "resnet18", [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, 64, 64])],
                              [helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, 100])], tensors)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


def faces(names: list[str]) -> np.ndarray:
    images = [np.asarray(Image.open(DATA / "images" / "faces" / name).convert("RGB").resize((640, 480))) for name in names]
    return np.stack([image_to_tensor(image, "luma")[0] for image in images])


CALIBRATION_FACES = ["dlib_bald_guys.jpg", "dlib_voc_2007_007763.jpg", "dlib_voc_2008_001322.jpg", "hollance_3faces.png",
                     "fr_obama-720p.jpg", "skimage_astronaut.png"]
TEST_FACES = ["dlib_voc_2008_002470.jpg", "fr_obama_and_biden.jpg", "hollance_4faces.png", "zidane.jpg"]


@pytest.fixture(params=["face_det_lite", "resnet18"])
def network(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, np.ndarray, np.ndarray]:
    """A model, calibration samples, and others to judge it by."""
    if request.param == "face_det_lite":
        model = DATA / "models" / "face" / "face_det_lite.onnx"
        if not model.exists():
            pytest.skip(f"{model} is missing: SLIPWAY_TEST_DATA names the folder of the test data")
        return model, faces(CALIBRATION_FACES), faces(TEST_FACES)
    resnet18(tmp_path / "resnet18.onnx")
    random = np.random.default_rng(3)
    samples = random.normal(0, 1, (12, 1, 3, 64, 64)).astype(np.float32)
    return tmp_path / "resnet18.onnx", samples[:8], samples[8:]


@pytest.mark.parametrize(("activations", "peer_type"), [("uint8", QuantType.QUInt8), ("uint16", QuantType.QUInt16)])
def test_outputs_are_no_further_from_float_than_onnx_runtimes(network, tmp_path, activations, peer_type):
    """All outputs together, on the mean of two draws; one output alone is only guarded, as samples that differ by a millionth move
    it by up to a decibel, whoever quantises."""
    model, calibration, judged = network
    name = onnx.load(model, load_external_data=False).graph.input[0].name
    expected = outputs_of(model, judged)
    found, names = [], []
    for draw in range(2):
        samples = (calibration * (1 + draw * 1e-6 * np.random.default_rng(draw).normal(size=calibration.shape))).astype(np.float32)
        np.savez(tmp_path / "samples.npz", **{name: samples})
        status, report, words = quantised(model, "--calibration", tmp_path / "samples.npz", "-o", tmp_path / "ours.onnx", "--activations",
                                          activations)
        assert status == 0, words
        names = [output["name"] for output in report["outputs"]]
        if activations == "uint8":  # 16 bits stand in ONNX Runtime's own operators, which the checker does not know
            onnx.checker.check_model(str(tmp_path / "ours.onnx"))
        each = (outputs_of(tmp_path / "ours.onnx", judged), outputs_of(peers(model, tmp_path, samples, peer_type), judged))
        found.append([[decibels(a, b) for a, b in zip(expected, outputs, strict=True)] for outputs in each])
    ours, theirs = np.mean(found, axis=0)
    print(*(f"{model.stem} {activations} {output}: ours {a:.2f} dB, ONNX Runtime's {b:.2f} dB"
            for output, a, b in zip(names, ours, theirs, strict=True)), sep="\n")
    assert (ours - theirs).mean() >= -SLACK_DB and (ours >= theirs - SLACK_OF_ONE_DB).all(), found


def tiny_model(path: Path) -> None:
    random = np.random.default_rng(1)
    weights = numpy_helper.from_array(random.normal(0, 0.5, (4, 3, 3, 3)).astype(np.float32), "w")
    graph = helper.make_graph([helper.make_node("Conv", ["image", "w"], ["y"], name="conv")], "tiny",
                              [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, 8, 8])],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 4, 6, 6])], [weights])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    tiny_model(tmp_path / "tiny.onnx")
    return tmp_path / "tiny.onnx"


def test_weights_are_within_half_a_step_by_numpy(tiny, tmp_path):
    np.savez(tmp_path / "s.npz", image=np.random.default_rng(2).normal(size=(4, 3, 8, 8)).astype(np.float32))
    status, _, words = quantised(tiny, "--calibration", tmp_path / "s.npz", "-o", tmp_path / "q.onnx")
    assert status == 0, words
    before = {tensor.name: numpy_helper.to_array(tensor) for tensor in onnx.load(tiny).graph.initializer}
    after = {tensor.name: numpy_helper.to_array(tensor) for tensor in onnx.load(tmp_path / "q.onnx").graph.initializer}
    scale = after["w_scale"].reshape(-1, 1, 1, 1)
    assert after["w_quantized"].dtype == np.int8
    assert np.all(np.abs(after["w_quantized"] * scale - before["w"]) <= scale / 2 * 1.0001)


def test_a_data_set_of_the_client_and_an_npz_give_the_same_model(tiny, tmp_path):
    h5py = pytest.importorskip("h5py")
    samples = np.random.default_rng(2).normal(size=(5, 1, 3, 8, 8)).astype(np.float32)
    np.savez(tmp_path / "s.npz", image=samples)
    folder = tmp_path / "folder"
    folder.mkdir()
    for number, sample in enumerate(samples):
        np.savez(folder / f"{number}.npz", image=sample)
    with h5py.File(tmp_path / "s.h5", "w") as file:
        group = file.create_group("data/0")
        group.attrs["name"], group.attrs["order"], group.attrs["batch_count"] = "image", 0, len(samples)
        for number, sample in enumerate(samples):
            group.create_dataset(f"batch_{number}", data=sample)
    made = []
    for source in (tmp_path / "s.npz", tmp_path / "s.h5", folder):
        status, report, words = quantised(tiny, "--calibration", source, "-o", tmp_path / "q.onnx")
        assert status == 0, words
        assert report["recipe"]["samples"] == len(samples)
        made.append((tmp_path / "q.onnx").read_bytes())
    assert made[0] == made[1] == made[2]


@pytest.mark.parametrize(("arrays", "said"), [
    ({"picture": np.zeros((1, 3, 8, 8), np.float32)}, ["no 'image'", "float32[1,3,8,8]", "picture"]),
    ({"image": np.zeros((1, 3, 9, 8), np.float32)}, ["expected float32[1,3,8,8]", "found float32[1,3,9,8]"]),
    ({"image": np.zeros((1, 3, 8, 8), np.float64)}, ["expected float32[1,3,8,8]", "found float64[1,3,8,8]"]),
    ({"image": np.zeros((0, 3, 8, 8), np.float32)}, ["no sample"]),
    ({"image": np.full((2, 3, 8, 8), np.nan, np.float32)}, ["NaN"]),
])
def test_data_that_does_not_fit_is_refused_in_words(tiny, tmp_path, arrays, said):
    np.savez(tmp_path / "s.npz", **arrays)
    status, _, words = quantised(tiny, "--calibration", tmp_path / "s.npz", "-o", tmp_path / "q.onnx")
    assert status == 1
    assert all(part in words for part in said), words
    assert not (tmp_path / "q.onnx").exists()


def test_a_quantised_model_is_refused(tiny, tmp_path):
    np.savez(tmp_path / "s.npz", image=np.random.default_rng(2).normal(size=(4, 3, 8, 8)).astype(np.float32))
    assert quantised(tiny, "--calibration", tmp_path / "s.npz", "-o", tmp_path / "q.onnx")[0] == 0
    status, _, words = quantised(tmp_path / "q.onnx", "--calibration", tmp_path / "s.npz", "-o", tmp_path / "again.onnx")
    assert status == 1
    assert "quantised already" in words


def test_a_worthless_result_is_written_with_an_alarm(tiny, tmp_path):
    np.savez(tmp_path / "s.npz", image=np.random.default_rng(2).normal(size=(4, 3, 8, 8)).astype(np.float32))
    status, report, words = quantised(tiny, "--calibration", tmp_path / "s.npz", "-o", tmp_path / "q.onnx", "--sqnr-alarm", "90")
    assert status == 1
    assert report["has_alarm"]
    assert "WARNING: output 'y': SQNR is" in words
    assert (tmp_path / "q.onnx").exists()
