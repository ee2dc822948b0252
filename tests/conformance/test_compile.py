"""Compile jobs: the four targets, input specs, options, and what a target model says about itself."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import qai_hub
import tiny_models
from expectations import download_onnx, outputs, read_log, refusal, refused_at_submission, squeeze, succeed, wait_for
from qai_hub.client import ModelMetadataKey, SourceModelType

RANDOM = np.random.default_rng(11)


def sample_image(*shape):
    return RANDOM.normal(size=shape).astype(np.float32)


def test_onnx_for_the_cpu_computes_what_the_source_computes(client, cpu, convolution, tmp_path):
    model, source = convolution
    job = succeed(client.submit_compile_job(model, cpu, name="to onnx", options="--target_runtime onnx"))
    target = job.get_target_model()
    assert target.model_type == SourceModelType.ONNX
    assert target.get_producer().job_id == job.job_id
    data = download_onnx(target, tmp_path).read_bytes()
    inputs = {"x": sample_image(1, 3, 16, 16)}
    expected, found = tiny_models.run(source, inputs), tiny_models.run(data, inputs)
    assert list(found) == list(expected)
    for name in expected:
        np.testing.assert_allclose(found[name], expected[name], atol=1e-5)


def test_a_target_model_exists_from_submission_and_has_specs_after_it(client, cpu, convolution):
    model, _ = convolution
    job = client.submit_compile_job(model, cpu, options="--target_runtime onnx")
    target = job.get_target_model()  # of the first reading; this class never asks again
    assert target.model_type == SourceModelType.ONNX
    assert target.get_producer().job_id == job.job_id
    succeed(job)
    assert job.get_target_shapes() == {"x": ((1, 3, 16, 16), "float32")}
    (inputs,) = target.input_spec.values()
    assert [(t.name, tuple(t.shape), t.dtype) for t in inputs] == [("x", (1, 3, 16, 16), "float32")]
    (results,) = target.output_spec.values()
    assert [(t.name, tuple(t.shape)) for t in results] == [("features", (1, 8, 16, 16)), ("scores", (1, 10))]


def test_the_log_says_how_the_result_was_checked(client, cpu, convolution):
    job = succeed(client.submit_compile_job(convolution[0], cpu, options="--target_runtime onnx"))
    assert "agreement" in read_log(job).lower()


GOLDEN = Path(__file__).parents[1] / "golden" / "compile"


@pytest.mark.parametrize("name", ["cycle", "undefined_value", "unknown_domain"])
@pytest.mark.parametrize("runtime", ["onnx", "qnn_dlc"])
def test_a_source_that_onnxruntime_refuses_fails_on_every_target(client, npu, name, runtime):
    words = refusal(lambda: client.submit_compile_job(str(GOLDEN / f"{name}.onnx"), npu, options=f"--target_runtime {runtime}"))
    assert "ONNX Runtime does not take this model" in words


def test_a_result_that_differs_is_done_with_a_warning_as_its_message(client, npu, tmp_path):
    job = client.submit_compile_job(str(GOLDEN / "q_fp16_overflow.onnx"), npu, options="--target_runtime precompiled_qnn_onnx")
    status = wait_for(job)
    assert status.success
    assert "Output 'y' does not agree with the source" in status.message and "of the peak" in status.message
    assert "done, with a warning" in read_log(job)
    download_onnx(job.get_target_model(), tmp_path)


def test_a_comparison_left_out_for_time_says_so(client, npu):
    nodes = [onnx.helper.make_node("MatMul", ["x", "w"], ["y"], name="product")]
    float32 = onnx.TensorProto.FLOAT
    slow = onnx.helper.make_model(onnx.helper.make_graph(
        nodes, "slow", [onnx.helper.make_tensor_value_info("x", float32, [2048, 2048])],
        [onnx.helper.make_tensor_value_info("y", float32, [2048, 2048])],
        [onnx.numpy_helper.from_array(RANDOM.normal(size=(2048, 2048)).astype(np.float32), "w")]),
        opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    job = client.submit_compile_job(slow, npu, options="--target_runtime qnn_dlc --compare_limit 1")
    status = wait_for(job)
    assert status.success and "left out for time" in status.message, status.message


def test_without_a_target_runtime_it_becomes_onnx_and_the_log_says_so(client, cpu, convolution):
    job = succeed(client.submit_compile_job(convolution[0], cpu))
    assert job.get_target_model().model_type == SourceModelType.ONNX
    assert "--target_runtime" in read_log(job)


def test_input_specs_rename_and_fix_dynamic_sizes(client, cpu, tmp_path):
    source = tiny_models.convolution(batch="N")
    model = client.upload_model(str(tiny_models.save(source, tmp_path / "dynamic.onnx")))
    job = succeed(client.submit_compile_job(model, cpu, options="--target_runtime onnx",
                                            input_specs={"photo": (2, 3, 16, 16)}))
    assert job.get_target_shapes() == {"photo": ((2, 3, 16, 16), "float32")}
    data = download_onnx(job.get_target_model(), tmp_path / "target").read_bytes()
    values = sample_image(2, 3, 16, 16)
    np.testing.assert_allclose(tiny_models.run(data, {"photo": values})["scores"],
                               tiny_models.run(source, {"x": values})["scores"], atol=1e-5)


def test_a_dynamic_size_without_specs_is_refused_for_the_npu(client, npu, tmp_path):
    model = client.upload_model(str(tiny_models.save(tiny_models.convolution(batch="N"), tmp_path / "dynamic.onnx")))
    words = refusal(lambda: client.submit_compile_job(model, npu, options="--target_runtime qnn_context_binary"))
    assert '"x"' in words and "input specs" in words


def test_input_specs_in_another_order_are_matched_by_name(client, cpu, tmp_path):
    model = client.upload_model(str(tiny_models.save(tiny_models.two_inputs(), tmp_path / "two.onnx")))
    job = succeed(client.submit_compile_job(model, cpu, options="--target_runtime onnx",
                                            input_specs={"right": (2, 4), "left": (2, 4)}))
    assert list(job.get_target_shapes()) == ["left", "right"], "the model's own order stays"
    data = download_onnx(job.get_target_model(), tmp_path / "target").read_bytes()
    values = {"left": sample_image(2, 4), "right": 2 * sample_image(2, 4) + 1}
    np.testing.assert_array_equal(tiny_models.run(data, values)["difference"], values["left"] - values["right"])


@pytest.mark.parametrize(("specs", "expected"), [
    ({"x": (1, 4, 16, 16)}, ["x", "1,3,16,16", "1,4,16,16"]),
    ({"x": ((1, 3, 16, 16), "int32")}, ["x", "float32", "int32"]),
    ({"x": (1, 3, 16, 16), "y": (1,)}, ["2", "1"])])
def test_specs_that_do_not_fit_are_refused_with_what_was_expected(client, cpu, convolution, specs, expected):
    words = squeeze(refused_at_submission(
        lambda: client.submit_compile_job(convolution[0], cpu, input_specs=specs, options="--target_runtime onnx")))
    for word in expected:
        assert word in words


def test_output_names_rename_the_outputs(client, cpu, convolution, tmp_path):
    job = succeed(client.submit_compile_job(convolution[0], cpu,
                                            options="--target_runtime onnx --output_names grid,classes"))
    target = onnx.load(download_onnx(job.get_target_model(), tmp_path))
    assert [output.name for output in target.graph.output] == ["grid", "classes"]


def test_every_output_must_be_named(client, cpu, convolution):
    words = refusal(lambda: client.submit_compile_job(convolution[0], cpu, options="--target_runtime onnx --output_names a"))
    assert "output names" in words and "features, scores" in words


def test_truncate_64bit_io_makes_the_graphs_integers_32_bit(client, cpu, tmp_path):
    source = tiny_models.with_int64()
    model = client.upload_model(str(tiny_models.save(source, tmp_path / "ids.onnx")))
    job = succeed(client.submit_compile_job(model, cpu, options="--target_runtime onnx --truncate_64bit_io"))
    assert job.get_target_shapes() == {"ids": ((1, 5), "int32")}
    ids = np.array([[0, 6, 3, 3, 1]])
    found = outputs(client.submit_inference_job(job.get_target_model(), cpu, {"ids": [ids.astype(np.int32)]}))
    expected = tiny_models.run(source, {"ids": ids})
    assert found["best"][0].dtype == np.int32
    np.testing.assert_array_equal(found["best"][0], expected["best"])
    np.testing.assert_allclose(found["rows"][0], expected["rows"])


def test_channels_can_come_last(client, cpu, convolution):
    model, source = convolution
    job = succeed(client.submit_compile_job(
        model, cpu, options="--target_runtime onnx --force_channel_last_input x --force_channel_last_output features"))
    assert job.get_target_shapes() == {"x": ((1, 16, 16, 3), "float32")}
    values = sample_image(1, 3, 16, 16)
    found = outputs(client.submit_inference_job(job.get_target_model(), cpu, {"x": [values.transpose(0, 2, 3, 1)]}))
    expected = tiny_models.run(source, {"x": values})
    np.testing.assert_allclose(found["features"][0], expected["features"].transpose(0, 2, 3, 1), atol=1e-5)
    np.testing.assert_allclose(found["scores"][0], expected["scores"], atol=1e-5)


def test_an_onnx_directory_is_compiled(client, cpu, tmp_path):
    source = tiny_models.convolution()
    model = client.upload_model(str(tiny_models.save_with_external_data(source, tmp_path / "net.onnx")))
    job = succeed(client.submit_compile_job(model, cpu, options="--target_runtime onnx"))
    values = sample_image(1, 3, 16, 16)
    path = download_onnx(job.get_target_model(), tmp_path / "target")
    np.testing.assert_allclose(tiny_models.run(path, {"x": values})["scores"],
                               tiny_models.run(source, {"x": values})["scores"], atol=1e-5)


def test_precompiled_onnx_holds_the_npus_binary(client, npu, convolution, tmp_path):
    job = succeed(client.submit_compile_job(convolution[0], npu, options="--target_runtime precompiled_qnn_onnx"))
    target = job.get_target_model()
    assert target.model_type == SourceModelType.ONNX
    graph = onnx.load(download_onnx(target, tmp_path)).graph
    assert "EPContext" in [node.op_type for node in graph.node]
    assert [tensor.name for tensor in graph.input] == ["x"]
    assert [tensor.name for tensor in graph.output] == ["features", "scores"]


def test_a_context_binary_says_what_it_was_made_for(client, npu, convolution, tmp_path):
    job = succeed(client.submit_compile_job(
        convolution[0], npu, options="--target_runtime qnn_context_binary --qnn_options context_enable_graphs=face"))
    assert "the graph keeps the compiler's own name" in read_log(job)
    target = job.get_target_model()
    assert target.model_type == SourceModelType.QNN_CONTEXT_BINARY
    path = target.download(str(tmp_path / "net"))
    assert path.endswith(".bin")
    facts = {key: value for key, value in target.metadata.items()}
    assert facts[ModelMetadataKey.QNN_CONTEXT_BIN_SOC_MODEL] == "57"
    assert "75" in facts[ModelMetadataKey.QNN_CONTEXT_BIN_HEXAGON_VERSION]
    assert "HTP" in facts[ModelMetadataKey.QNN_CONTEXT_BIN_BACKEND]
    assert "2.50" in facts[ModelMetadataKey.QAIRT_SDK_VERSION]


def test_a_dlc_is_written(client, npu, convolution, tmp_path):
    job = succeed(client.submit_compile_job(convolution[0], npu, options="--target_runtime qnn_dlc"))
    target = job.get_target_model()
    assert target.model_type == SourceModelType.QNN_DLC
    path = target.download(str(tmp_path / "net"))
    assert path.endswith(".dlc")
    with open(path, "rb") as file:
        assert len(file.read()) > 1000


def test_an_operator_that_the_npu_lacks_is_named_and_there_is_no_target(client, npu, tmp_path):
    model = client.upload_model(str(tiny_models.save(tiny_models.beyond_the_npu(), tmp_path / "det.onnx")))
    job = client.submit_compile_job(model, npu, options="--target_runtime qnn_context_binary")
    status = wait_for(job)
    assert status.failure
    assert "Det" in status.message or "determinant" in status.message
    words = refused_at_submission(lambda: job.download_target_model(str(tmp_path / "none")))
    assert job.job_id in words or "fail" in words.lower()


@pytest.mark.parametrize("runtime", ["precompiled_qnn_onnx", "qnn_context_binary", "qnn_dlc"])
def test_a_graph_with_nothing_for_the_npu_names_its_operators(client, npu, tmp_path, runtime):
    model = client.upload_model(str(tiny_models.save(tiny_models.nothing_for_the_npu(), tmp_path / "det.onnx")))
    words = refusal(lambda: client.submit_compile_job(model, npu, options=f"--target_runtime {runtime}"))
    assert "Det 'determinant'" in words and "target onnx" in words


@pytest.mark.parametrize("runtime", ["precompiled_qnn_onnx", "qnn_context_binary", "qnn_dlc"])
def test_npu_targets_for_a_chip_without_an_htp_are_refused_with_that_reason(client, tab_s7, convolution, runtime):
    words = refusal(lambda: client.submit_compile_job(convolution[0], tab_s7, options=f"--target_runtime {runtime}"))
    assert "Samsung Galaxy Tab S7" in words
    assert "HTP" in words and "66" in words


def test_a_chip_without_an_htp_takes_onnx(client, tab_s7, convolution):
    succeed(client.submit_compile_job(convolution[0], tab_s7, options="--target_runtime onnx"))


@pytest.mark.parametrize("runtime", ["precompiled_qnn_onnx", "qnn_context_binary"])
def test_npu_targets_for_this_machine_are_refused(client, cpu, convolution, runtime):
    words = refusal(lambda: client.submit_compile_job(convolution[0], cpu, options=f"--target_runtime {runtime}"))
    assert "HTP" in words


@pytest.mark.parametrize(("options", "named", "nearest"), [
    ("--target_runtim onnx", "--target_runtim", "--target_runtime"),
    ("--output_name a,b", "--output_name", "--output_names"),
    ("--target_runtime onxx", "onxx", "onnx")])
def test_an_unknown_option_is_refused_by_name_with_the_nearest_known(client, cpu, convolution, options, named, nearest):
    words = refused_at_submission(lambda: client.submit_compile_job(convolution[0], cpu, options=options))
    assert named in words
    assert nearest in words.replace(named, "", 1)


@pytest.mark.parametrize("key", ["context_gpu_performance_hint", "default_graph_htp_num_hvx_threads", "default_graph_htp_vtcm"])
def test_a_qnn_option_that_cannot_be_carried_out_is_refused_by_name(client, npu, convolution, key):
    words = refused_at_submission(lambda: client.submit_compile_job(
        convolution[0], npu, options=f"--target_runtime qnn_dlc --qnn_options {key}=1"))
    assert "option --qnn_options" in words and key in words


def test_qnn_options_on_the_target_onnx_are_named_as_without_effect(client, npu, convolution):
    job = succeed(client.submit_compile_job(convolution[0], npu, options="--target_runtime onnx --qnn_graph_name face"))
    assert "without effect on the target onnx: --qnn_options context_enable_graphs" in read_log(job)


def test_an_option_of_another_kind_of_job_is_refused(client, cpu, convolution):
    words = refused_at_submission(lambda: client.submit_compile_job(convolution[0], cpu, options="--max_profiler_iterations 5"))
    assert "--max_profiler_iterations" in words


def test_a_context_binary_can_be_embedded_in_onnx_and_run(client, npu, convolution, tmp_path):
    model, source = convolution
    binary = succeed(client.submit_compile_job(model, npu, options="--target_runtime qnn_context_binary"))
    wrapped = succeed(client.submit_compile_job(binary.get_target_model(), npu)).get_target_model()
    assert wrapped.model_type == SourceModelType.ONNX
    assert [node.op_type for node in onnx.load(download_onnx(wrapped, tmp_path)).graph.node] == ["EPContext"]
    values = sample_image(1, 3, 16, 16)
    found = outputs(client.submit_inference_job(wrapped, npu, {"x": [values]}))
    expected = tiny_models.run(source, {"x": values})["scores"]
    assert np.abs(found["scores"][0] - expected).max() < 5e-3 * np.abs(expected).max()


def test_one_job_can_serve_several_devices(client, npu, convolution):
    devices = [npu, qai_hub.Device("Samsung Galaxy S24 Ultra")]
    job = succeed(client.submit_compile_job(convolution[0], devices, single_compile=True,
                                            options="--target_runtime qnn_context_binary"))
    assert job.device.name in [device.name for device in devices]


def test_a_job_can_be_renamed_and_cloned_from_the_hub(client, cpu, convolution):
    job = client.submit_compile_job(convolution[0], cpu, name="first", options="  --target_runtime onnx ")
    job.set_name("second")
    again = client.get_job(job.job_id)
    assert again.name == "second"
    assert again.options == "--target_runtime onnx"
    assert again.model.model_id == convolution[0].model_id
    assert again.device.name == cpu.name
