"""Quantize jobs: a float model and samples in, a QDQ model out, judged beside the float one."""

import numpy as np
import onnx
import pytest
import requests
import tiny_models
from expectations import download_onnx, outputs, read_log, refused_at_submission, squeeze, succeed, wait_for
from onnx import TensorProto, helper, numpy_helper
from qai_hub import JobType, QuantizeDtype
from qai_hub import public_rest_api as api
from qai_hub.client import JobStatus, QuantizeJob, QuantizeJobSummary, SourceModelType

RANDOM = np.random.default_rng(18)


def images(count, *shape):
    return {"x": [RANDOM.normal(size=shape or (1, 3, 16, 16)).astype(np.float32) for _ in range(count)]}


def sqnr_db(expected, found):
    return 10 * np.log10(np.sum(np.square(expected)) / np.sum(np.square(expected - found)))


def drowned() -> onnx.ModelProto:
    """x [1, 2] -> y [1, 1], the second number alone, which beside 100 000 times the first is no step of 8 bits."""
    nodes = [helper.make_node("Mul", ["x", "sizes"], ["both"], name="sizes"),
             helper.make_node("MatMul", ["both", "second"], ["y"], name="second")]
    weights = {"sizes": np.array([1e5, 1], np.float32), "second": np.array([[0], [1]], np.float32)}
    graph = helper.make_graph(nodes, "drowned", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 2])],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 1])],
                              [numpy_helper.from_array(value, name) for name, value in weights.items()])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


@pytest.fixture(scope="module")
def report_of(hub):
    with requests.Session() as session:
        session.post(hub.url + "/sign-in/", data={"token": hub.token(), "next": "/jobs/"}, timeout=20)
        yield lambda job: session.get(f"{hub.url}/api/v1/jobs/{job.job_id}/report/", timeout=20).json()


SAMPLES = images(6)


@pytest.fixture(scope="module")
def job(client, convolution):
    """Submitted, and left to itself."""
    return client.submit_quantize_job(convolution[0], SAMPLES, QuantizeDtype.INT8, QuantizeDtype.INT8, name="small")


def test_the_target_has_the_floats_names_and_nearly_its_values(job, convolution, tmp_path):
    target = job.get_target_model()
    assert target.model_type == SourceModelType.ONNX and target.get_producer().job_id == job.job_id
    status = wait_for(job)
    assert status.success and not status.message
    made = onnx.load(download_onnx(target, tmp_path))
    assert {"QuantizeLinear", "DequantizeLinear"} <= {node.op_type for node in made.graph.node}
    assert TensorProto.INT8 in {tensor.data_type for tensor in made.graph.initializer}
    for side in ("input", "output"):
        assert [value.name for value in getattr(made.graph, side)] == [
            value.name for value in getattr(convolution[1].graph, side)]
    (sample,) = images(1)["x"]
    expected, found = (tiny_models.run(model, {"x": sample}) for model in (convolution[1], made))
    for name in expected:
        assert sqnr_db(expected[name], found[name]) > 20, name


def test_model_and_results_are_downloaded_by_the_job_itself(job, tmp_path):
    succeed(job)  # the client's own wait asks every 10 s
    assert onnx.load(job.download_target_model(str(tmp_path / "small"))).graph.node
    assert job.download_results(str(tmp_path / "all")).status.success


def test_it_is_read_again_as_it_was_submitted(client, job, convolution):
    again = client.get_job(job.job_id, JobType.QUANTIZE)
    assert isinstance(again, QuantizeJob) and again.name == "small"
    assert (again.weights_dtype, again.activations_dtype) == (QuantizeDtype.INT8, QuantizeDtype.INT8)
    assert again.model.model_id == convolution[0].model_id
    assert again.calibration_dataset.dataset_id == job.calibration_dataset.dataset_id
    assert again.shapes == {"x": ((1, 3, 16, 16), "float32")}
    assert again.get_target_model().model_id == job.get_target_model().model_id


def test_it_is_listed_among_its_kind(client, job):
    succeed(job)
    (summary,) = [s for s in client.get_job_summaries(limit=100, type=JobType.QUANTIZE) if s.job_id == job.job_id]
    assert isinstance(summary, QuantizeJobSummary) and summary.name == "small" and summary.status.success
    assert not any(s.job_id == job.job_id for s in client.get_job_summaries(limit=100, type=JobType.COMPILE))


def test_log_and_page_have_the_recipe_and_how_each_output_fares(job, report_of):
    log, report = read_log(succeed(job)), report_of(job)
    assert "no --range_scheme given: it is min_max" in log
    assert "recipe: Range scheme: min_max" in log and report["recipe"]["Range scheme"] == "min_max"
    assert report["recipe"]["Calibration samples"] == "6 of 6"
    assert report["job"]["kind"] == "quantize" and report["warnings"] == []
    rows = {row["output"]: row for row in report["agreement"]["rows"]}
    assert list(rows) == ["features", "scores"]
    for name, row in rows.items():
        assert f"output '{name}': SQNR {row['snr_db']:.1f} dB" in log and row["snr_db"] > 20
    assert "CPU provider" in report["agreement"]["note"]


def test_the_result_carries_the_signal_to_noise_of_each_output(client, job, convolution, report_of, tmp_path):
    made = download_onnx(succeed(job).get_target_model(), tmp_path)
    detail = client._api_call(api.get_job_results, job_id=job.job_id).quantize_job_result.quantize_detail
    rows = {row["output"]: row["psnr_db"] for row in report_of(job)["agreement"]["rows"]}
    assert dict(detail.psnr) == pytest.approx(rows, rel=1e-5)
    for name, stated in rows.items():
        expected, found = (np.stack([tiny_models.run(model, {"x": sample})[name] for sample in SAMPLES["x"]])
                           for model in (convolution[1], made))
        assert stated == pytest.approx(10 * np.log10(np.ptp(expected) ** 2 / np.mean(np.square(expected - found))), abs=1)
    assert "ONNX Runtime" in [tool.name for tool in detail.tool_versions]


def test_it_passes_through_no_state_that_the_clients_wait_cannot_draw(client, job, convolution):
    another = client.submit_quantize_job(convolution[0], job.calibration_dataset)
    seen = set()
    while not (status := another.get_status()).finished:
        seen.add(status.state)
    assert seen <= {JobStatus.State.CREATED, JobStatus.State.QUANTIZING_MODEL} and status.success
    assert another.wait().success


def test_16_bits_and_another_scheme_are_nearer(client, cpu, job, convolution, report_of, tmp_path):
    finer = client.submit_quantize_job(convolution[0], job.calibration_dataset, QuantizeDtype.INT8, QuantizeDtype.INT16,
                                       options="--range_scheme mse_minimizer")
    # Chained on while it is under way.
    compiled = client.submit_compile_job(finer.get_target_model(), cpu, options="--target_runtime onnx")
    (sample,) = images(1)["x"]
    assert set(outputs(client.submit_inference_job(compiled.get_target_model(), cpu, {"x": [sample]}))) == {"features", "scores"}
    assert report_of(succeed(finer))["recipe"]["Range scheme"] == "mse_minimizer"
    rows = [report_of(succeed(each))["agreement"]["rows"] for each in (job, finer)]
    for coarse, fine in zip(*rows):
        assert fine["snr_db"] > coarse["snr_db"] + 1
    assert client.get_job(finer.job_id).activations_dtype == QuantizeDtype.INT16


def test_a_worthless_result_is_done_with_a_warning_everywhere(client, report_of, tmp_path):
    data = {"x": [RANDOM.normal(size=(1, 2)).astype(np.float32) for _ in range(4)]}
    worthless = client.submit_quantize_job(str(tiny_models.save(drowned(), tmp_path / "drowned.onnx")), data)
    status = wait_for(worthless)
    assert status.success
    assert "Output 'y' is of no use as it is: it is 0 everywhere" in status.message and "SQNR is 0.0 dB" in status.message
    assert "done, with a warning: Output 'y'" in read_log(worthless)
    assert report_of(worthless)["warnings"] == [status.message]


def test_samples_that_are_no_numbers_are_counted_and_left_out(client, convolution, report_of):
    data = images(3)
    data["x"][1][0, 0, 0, :3] = [np.nan, np.inf, -np.inf]
    status = wait_for(job := client.submit_quantize_job(convolution[0], data))
    assert status.success and "sample 1: 3 in 'x'" in status.message
    assert report_of(job)["recipe"]["Calibration samples"] == "2 of 3"
    only = {"x": [np.full((1, 3, 16, 16), np.nan, np.float32)]}
    status = wait_for(client.submit_quantize_job(convolution[0], only))
    assert status.failure and "every calibration sample holds NaN or infinities" in status.message


def test_one_sample_that_never_changes_is_enough(client, convolution):
    assert wait_for(client.submit_quantize_job(convolution[0], {"x": [np.ones((1, 3, 16, 16), np.float32)]})).success


@pytest.mark.parametrize(("data", "expected"), [
    ({"photo": images(1)["x"]}, ["x", "found:photo"]),
    (images(1) | {"y": images(1)["x"]}, ["found:x,y"]),
    (images(1, 1, 3, 8, 8), ["'x'", "expectsfloat32[1,3,16,16]", "foundfloat32[1,3,8,8]"]),
    ({"x": [np.zeros((1, 3, 16, 16), np.uint8)]}, ["'x'", "expectsfloat32[1,3,16,16]", "founduint8[1,3,16,16]"]),
])
def test_data_that_does_not_fit_is_refused_at_submission(client, convolution, data, expected):
    words = squeeze(refused_at_submission(lambda: client.submit_quantize_job(convolution[0], data)))
    for word in expected:
        assert word in words


@pytest.mark.parametrize(("weights", "activations", "options", "expected"), [
    ("INT4", "INT8", "", "weights_dtype: expected INT8, found INT4"),
    ("INT16", "INT16", "", "weights_dtype: expected INT8, found INT16"),
    ("INT8", "INT4", "", "activations_dtype: expected INT8 or INT16, found INT4"),
    ("INT8", "INT16", "--range_scheme entropy", "entropy is for activations of INT8"),
    ("INT8", "INT8", "--range_scheme min_mx", "did you mean min_max?"),
    ("INT8", "INT8", "--lite_mp percentage=10;override_qtype=int16", "option --lite_mp is known and refused"),
    ("INT8", "INT8", "--target_runtime onnx", "belongs to compile jobs; this is a quantize job"),
])
def test_what_is_not_made_here_is_refused_by_name(client, job, convolution, weights, activations, options, expected):
    assert expected in refused_at_submission(lambda: client.submit_quantize_job(
        convolution[0], job.calibration_dataset, QuantizeDtype[weights], QuantizeDtype[activations], options=options))


def test_a_model_is_not_quantised_twice(client, job):
    words = refused_at_submission(lambda: client.submit_quantize_job(succeed(job).get_target_model(), job.calibration_dataset))
    assert "is quantised already" in words
