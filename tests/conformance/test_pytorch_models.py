"""TorchScript and torch.export archives that PyTorch wrote: uploaded, inspected, compiled, compared with what PyTorch computed."""

import zipfile
from pathlib import Path

import numpy as np
import onnx
import pytest
import tiny_models
from expectations import download_onnx, read_log, refusal, succeed
from qai_hub import public_rest_api
from qai_hub.client import SourceModelType
from qai_hub.public_api_pb2 import CompileJob
from qai_hub.public_api_pb2 import Model as ModelMessage

GOLDEN = Path(__file__).parents[1] / "golden" / "convert" / "torch_script"
IMAGE = {"picture": (1, 8, 6, 3)}


def computed_by_pytorch(name):
    arrays = np.load(GOLDEN / f"{name}.npz")
    return [[arrays[key] for key in arrays if key.startswith(kind)] for kind in ("input_", "output_")]


def assert_computes_as_pytorch(path, name):
    inputs, expected = computed_by_pytorch(name)
    session_inputs = dict(zip([i.name for i in onnx.load(path).graph.input], inputs))
    found = list(tiny_models.run(Path(path), session_inputs).values())
    assert [f.shape for f in found] == [e.shape for e in expected]
    for f, e in zip(found, expected):
        assert np.isfinite(f).all()
        np.testing.assert_allclose(f, e, rtol=1e-4, atol=1e-5)


@pytest.fixture(scope="module")
def sample_image(client):
    model = client.upload_model(str(GOLDEN / "picture.pt"))
    assert client.get_model(model.model_id).model_type == SourceModelType.TORCHSCRIPT
    return model


def test_a_trace_with_channels_last_compiles_for_the_cpu_and_computes_what_pytorch_does(client, cpu, sample_image, tmp_path):
    job = succeed(client.submit_compile_job(sample_image, cpu, input_specs=IMAGE,
                                            options="--target_runtime onnx --output_names rows,means"))
    assert job.get_target_shapes() == {"picture": ((1, 8, 6, 3), "float32")}
    target = job.get_target_model()
    (results,) = target.output_spec.values()
    assert [(t.name, tuple(t.shape)) for t in results] == [("rows", (1, 12, 3)), ("means", (1, 4))]
    assert_computes_as_pytorch(download_onnx(target, tmp_path), "picture")
    assert "TorchScript archive" in read_log(job), "the log says what was converted"


def test_an_old_phone_gets_onnx_and_no_npu_target(client, sample_image):
    tablet = client.get_devices(name="Samsung Galaxy Tab S7")[0]
    succeed(client.submit_compile_job(sample_image, tablet, input_specs=IMAGE, options="--target_runtime onnx"))
    words = refusal(lambda: client.submit_compile_job(sample_image, tablet, input_specs=IMAGE, options="--target_runtime qnn_dlc"))
    assert "Hexagon v66" in words


@pytest.mark.parametrize("runtime", ["precompiled_qnn_onnx", "qnn_context_binary", "qnn_dlc"])
def test_npu_targets_are_made_and_compared_on_the_emulator(client, npu, sample_image, runtime):
    job = succeed(client.submit_compile_job(sample_image, npu, input_specs=IMAGE, options=f"--target_runtime {runtime}"))
    assert "agreement" in read_log(job).lower()


def test_a_trace_must_be_compiled_before_it_runs(client, cpu, sample_image):
    words = refusal(lambda: client.submit_profile_job(sample_image, cpu))
    assert "compile" in words.lower()


def test_torchscript_without_input_specs_is_refused_by_the_hub_too(client, cpu, sample_image):
    job = CompileJob(model=ModelMessage(model_id=sample_image.model_id), name="no specs", options="--target_runtime onnx")
    job.device.name = cpu.name
    with pytest.raises(public_rest_api.APIException) as refused:
        public_rest_api.create_compile_job(client.config, job)
    assert "give input_specs" in str(refused.value)


@pytest.mark.parametrize(("name", "words"), [
    ("branch_on_data", "the way taken depends on data"), ("loop_on_data", "how often the loop runs"),
    ("keeps_state", "changes its tensor 'seen'")])
def test_what_only_data_decide_fails_with_the_line_and_the_way_out(client, cpu, name, words):
    found = refusal(lambda: client.submit_compile_job(str(GOLDEN / f"{name}.pt"), cpu, input_specs={"x": (2,)}))
    assert words in found
    assert "code/__torch__.py:" in found
    assert ", of torch_script_golden.py:" in found, "the line of the model's own source"


def test_weights_that_are_not_numbers_are_taken_and_the_log_says_so(client, cpu, tmp_path):
    with zipfile.ZipFile(GOLDEN / "scripted.pt") as source, zipfile.ZipFile(tmp_path / "nan.pt", "w") as target:
        for entry in source.infolist():
            content = source.read(entry)
            if entry.filename.endswith("/data/0"):
                content = np.float32(np.nan).tobytes() + content[4:]
            target.writestr(zipfile.ZipInfo(entry.filename), content)
    job = succeed(client.submit_compile_job(str(tmp_path / "nan.pt"), cpu, input_specs={"x": (2, 4)}, options="--target_runtime onnx"))
    assert "'layers.0.weight' holds 1 of 16 elements that are not a number" in read_log(job)


@pytest.mark.parametrize(("name", "words"), [
    ("global", "'__builtin__.eval' is not among"), ("system", "'os.system' is not among"), ("deep", "a tuple where a model"),
    ("memo_bomb", "a tuple where a model"), ("beyond_storage", "does not lie in its storage"), ("overlapping", "a place of its own")])
def test_hostile_pickles_end_in_words(client, cpu, name, words):
    found = refusal(lambda: client.submit_compile_job(str(GOLDEN / f"hostile_{name}.pt"), cpu, input_specs={"x": (2, 4)}))
    assert words in found
