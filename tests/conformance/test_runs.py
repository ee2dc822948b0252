"""Profile and inference jobs, jobs on models that do not exist yet, results, logs, lists."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import tiny_models
from expectations import outputs, read_log, refusal, refused_at_submission, squeeze, succeed, wait_for
from qai_hub.client import InferenceJobResult, JobArtifactType, JobStatus, JobType

from python.tools.comparison import assert_close

RANDOM = np.random.default_rng(12)

SUMMARY_KEYS = {
    f"{stage}_{key}" for stage in ("first_load", "warm_load", "compile") for key in ("time", "peak_memory")
} | {"estimated_inference_time", "estimated_inference_peak_memory"} | {
    f"{stage}_memory_{key}_range" for stage in ("compile", "first_load", "warm_load", "inference")
    for key in ("increase", "peak")} | {f"all_{stage}_times" for stage in ("compile", "first_load", "warm_load", "inference")}


def sample_images(count):
    return [RANDOM.normal(size=(1, 3, 16, 16)).astype(np.float32) for _ in range(count)]


@pytest.fixture(scope="module")
def targets(client, cpu, npu, convolution):
    """The convolution compiled for each target, by target runtime."""
    model, _ = convolution
    submitted = {runtime: client.submit_compile_job(model, device, options=f"--target_runtime {runtime}")
                 for runtime, device in (("onnx", cpu), ("precompiled_qnn_onnx", npu), ("qnn_context_binary", npu),
                                         ("qnn_dlc", npu))}
    return {runtime: succeed(job).get_target_model() for runtime, job in submitted.items()}


@pytest.fixture(scope="module")
def cpu_profile(client, cpu, targets):
    return succeed(client.submit_profile_job(targets["onnx"], cpu, name="measured"))


# -- profile on this machine -----------------------------------------------------------------------------------------

def test_a_profile_has_every_key_that_the_client_knows(cpu_profile):
    assert set(cpu_profile.download_profile()["execution_summary"]) == SUMMARY_KEYS


def test_times_and_memory_of_this_machine_are_measured(cpu_profile):
    summary = cpu_profile.download_profile()["execution_summary"]
    times = summary["all_inference_times"]
    assert len(times) >= 10
    assert min(times) <= summary["estimated_inference_time"] <= max(times)
    assert summary["first_load_time"] > 0 and summary["warm_load_time"] > 0
    for stage in ("first_load", "warm_load", "inference"):
        low, high = summary[f"{stage}_memory_peak_range"]
        # ONNX Runtime alone is some megabytes.
        assert 1e6 < low <= high < 2e9
    assert summary["estimated_inference_peak_memory"] > 1e6


def test_every_layer_of_the_cpu_has_a_type_a_unit_and_a_time(cpu_profile):
    layers = cpu_profile.download_profile()["execution_detail"]
    assert layers
    for layer in layers:
        assert layer["name"] and layer["type"]
        assert layer["compute_unit"] == "CPU"
        assert layer["execution_time"] >= 0
    assert "Conv" in json.dumps(layers)


def test_a_summary_of_a_finished_profile_carries_its_time(client, cpu_profile):
    (summary,) = [s for s in client.get_job_summaries(limit=50) if s.job_id == cpu_profile.job_id]
    assert summary.estimated_inference_time == cpu_profile.download_profile()["execution_summary"]["estimated_inference_time"]
    assert summary.status.success


def test_iterations_can_be_limited_and_what_the_cpu_does_not_know_is_named(client, cpu, targets):
    job = succeed(client.submit_profile_job(
        targets["onnx"], cpu, options="--max_profiler_iterations 7 --qnn_options context_priority=HIGH --dequantize_outputs"))
    assert 1 <= len(job.download_profile()["execution_summary"]["all_inference_times"]) <= 7
    log = read_log(job)
    assert f"without effect on the CPU of {cpu.name}: --qnn_options context_priority" in log
    assert "without effect as outputs keep the types of the graph: --dequantize_outputs" in log


def test_a_profile_of_thirty_thousand_layers_arrives_whole(client, cpu, tmp_path):
    model = client.upload_model(str(tiny_models.save(tiny_models.deep(30_000), tmp_path / "deep.onnx")))
    job = succeed(client.submit_profile_job(model, cpu, options="--max_profiler_iterations 3"))
    layers = job.download_profile()["execution_detail"]
    assert len(layers) == 30_000
    assert len({layer["name"] for layer in layers}) == 30_000


def test_a_run_that_passes_the_time_for_runs_ends_there_and_says_so(client, cpu):
    model = client.upload_model("tests/golden/models/endless.onnx")
    job = client.submit_profile_job(model, cpu, options="--max_profiler_time 1")
    status = wait_for(job, timeout_seconds=60)
    assert status.failure
    assert "no run ended within the 1.0 s" in status.message, status.message
    log = read_log(job)
    assert "measuring: inference" in log
    assert "Partial: inference could not be measured" in log


def test_a_profile_that_fails_on_random_inputs_names_them_and_the_way_out(client, cpu):
    model = client.upload_model("tests/golden/models/demanding.onnx")
    status = wait_for(client.submit_profile_job(model, cpu))
    assert status.failure
    assert "the inputs were random" in status.message and "inference job with inputs of your own" in status.message
    outputs = succeed(client.submit_inference_job(model, cpu, {"index": [np.array([8], np.int64)]})).download_output_data()
    assert np.isfinite(outputs["row"][0]).all()


def test_a_log_has_no_words_of_libraries_that_say_the_same_of_every_model(client, npu, targets, convolution):
    model, _ = convolution
    log = read_log(succeed(client.submit_compile_job(model, npu, options="--target_runtime qnn_context_binary")))
    for noise in ("LIBNATIVE", "File mapped weights", "Unable to get producer node", "Rerunning with verbose"):
        assert noise not in log, log


def test_all_results_can_be_fetched_at_once(cpu_profile, tmp_path, capsys):
    result = cpu_profile.download_results(str(tmp_path))
    assert isinstance(result, InferenceJobResult)
    assert "CPU" in repr(result)
    assert any(path.suffix == ".log" for path in tmp_path.iterdir())


def test_artifacts_are_named_and_the_trace_is_json(cpu_profile, tmp_path):
    kinds = cpu_profile.get_available_artifacts()
    assert JobArtifactType.HUB_LOG in kinds
    assert JobArtifactType.PROFILE_TRACE in kinds
    (path, *_) = cpu_profile.download_artifacts_for_type(str(tmp_path), JobArtifactType.PROFILE_TRACE)
    assert json.load(open(path))


def test_a_source_model_need_not_be_compiled(client, cpu, convolution):
    succeed(client.submit_profile_job(convolution[0], cpu))


# -- profile for a device that is not here ---------------------------------------------------------------------------

def test_a_profile_for_a_device_that_nobody_offers_fails_and_says_what_to_do(client, npu, targets):
    words = refusal(lambda: client.submit_profile_job(targets["precompiled_qnn_onnx"], npu))
    assert npu.name in words
    assert "attach" in words.lower() or "agent" in words.lower()
    assert "--allow_emulation" in words


@pytest.mark.parametrize("runtime", ["precompiled_qnn_onnx", "qnn_context_binary", "qnn_dlc"])
def test_an_emulated_profile_has_placement_and_not_one_time(client, npu, targets, runtime):
    job = succeed(client.submit_profile_job(targets[runtime], npu, options="--allow_emulation"))
    profile = job.download_profile()
    assert set(profile["execution_summary"]) == SUMMARY_KEYS
    for key, value in profile["execution_summary"].items():
        assert value is None or not np.any(value), f"{key} is {value} although nothing was measured"
    units = Counter(layer["compute_unit"] for layer in profile["execution_detail"])
    assert units["NPU"] >= 4 and set(units) == {"NPU"}
    assert {"Conv", "Relu"} <= {layer["type"] for layer in profile["execution_detail"]}
    for layer in profile["execution_detail"]:
        assert not layer.get("execution_time") and not layer.get("execution_cycles")
    log = read_log(job).lower()
    assert "emulat" in log and "measured" in log


# -- inference -------------------------------------------------------------------------------------------------------

def test_many_entries_give_what_onnx_runtime_gives(client, cpu, targets, convolution):
    samples = sample_images(5)
    found = outputs(client.submit_inference_job(targets["onnx"], cpu, {"x": samples}, name="five"))
    assert list(found) == ["features", "scores"]
    for index, sample in enumerate(samples):
        expected = tiny_models.run(convolution[1], {"x": sample})
        for name in expected:
            assert_close(found[name][index], expected[name], atol=1e-6)


def test_two_inputs_keep_their_order(client, cpu, tmp_path):
    source = tiny_models.two_inputs()
    model = client.upload_model(str(tiny_models.save(source, tmp_path / "two.onnx")))
    left, right = np.full((2, 4), 5, np.float32), np.full((2, 4), 2, np.float32)
    found = outputs(client.submit_inference_job(model, cpu, {"left": [left, left], "right": [right, right * 2]}))
    assert found["difference"][0][0, 0] == 3 and found["difference"][1][0, 0] == 1
    assert found["product"][1][1, 3] == 20


@pytest.mark.parametrize("runtime", ["precompiled_qnn_onnx", "qnn_context_binary"])
def test_the_emulator_agrees_with_the_cpu_within_float16(client, npu, targets, convolution, runtime):
    samples = sample_images(2)
    job = client.submit_inference_job(targets[runtime], npu, {"x": samples})
    found = outputs(job)
    for index, sample in enumerate(samples):
        expected = tiny_models.run(convolution[1], {"x": sample})
        # A context binary may name its outputs otherwise; their order is the model's.
        for values, name in zip(found.values(), expected):
            assert values[index].shape == expected[name].shape
            assert np.abs(values[index] - expected[name]).max() < 5e-3 * np.abs(expected[name]).max()
    assert "emulat" in read_log(job).lower()
    summary = job.download_profile()["execution_summary"]
    assert not summary["estimated_inference_time"] and not any(summary["all_inference_times"])


def test_names_of_outputs_survive_the_npu(client, npu, targets):
    found = outputs(client.submit_inference_job(targets["precompiled_qnn_onnx"], npu, {"x": sample_images(1)}))
    assert list(found) == ["features", "scores"]


def test_a_dlc_is_recompiled_from_its_source_and_the_log_says_so(client, npu, targets, convolution):
    samples = sample_images(1)
    job = client.submit_inference_job(targets["qnn_dlc"], npu, {"x": samples})
    found = outputs(job)
    expected = tiny_models.run(convolution[1], {"x": samples[0]})
    for values, name in zip(found.values(), expected):
        assert np.abs(values[0] - expected[name]).max() < 5e-3 * np.abs(expected[name]).max()
    assert "compiled once more" in read_log(job)


@pytest.mark.parametrize("inputs", [True, False])
def test_a_foreign_dlc_is_kept_and_refused_in_words(client, npu, tmp_path, inputs):
    path = tmp_path / "foreign.dlc"
    path.write_bytes(RANDOM.bytes(2000))
    model = client.upload_model(str(path))
    words = refusal(lambda: client.submit_inference_job(
        model, npu, {"x": sample_images(1)} if inputs else None, options="--allow_emulation"))
    assert "DLC" in words


@pytest.mark.parametrize(("runtime", "expected"), [
    ("qnn_context_binary", "a QNN context binary that this hub did not make"), ("qnn_dlc", "DLC")])
def test_half_of_a_binary_is_refused_in_words(client, npu, targets, tmp_path, runtime, expected):
    whole = Path(targets[runtime].download(str(tmp_path / "whole")))
    path = tmp_path / ("half" + whole.suffix)
    path.write_bytes(whole.read_bytes()[:whole.stat().st_size // 2])
    words = refusal(lambda: client.submit_profile_job(client.upload_model(str(path)), npu, options="--allow_emulation"))
    assert expected in words, words


def test_inference_without_profiling_still_returns_outputs(client, cpu, targets):
    job = client.submit_inference_job(targets["onnx"], cpu, {"x": sample_images(1)}, profile=False)
    assert list(outputs(job)) == ["features", "scores"]


def test_a_dataset_serves_several_jobs(client, cpu, targets):
    dataset = client.upload_dataset({"x": sample_images(2)})
    first, second = (outputs(client.submit_inference_job(targets["onnx"], cpu, dataset)) for _ in range(2))
    np.testing.assert_array_equal(first["scores"][1], second["scores"][1])


# -- data that does not fit ------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("data", "expected"), [
    ({"y": [np.zeros((1, 3, 16, 16), np.float32)]}, ["x", "y"]),
    ({"x": [np.zeros((1, 3, 16, 17), np.float32)]}, ["x", "1,3,16,16", "1,3,16,17"]),
    ({"x": [np.zeros((1, 3, 16, 16), np.int32)]}, ["x", "float32", "int32"]),
    ({"x": [np.zeros((1, 3, 16, 16), np.float32)] * 2 + [np.zeros((1, 3, 8, 8), np.float32)]}, ["x", "1,3,16,16", "1,3,8,8"]),
    ({"x": [np.zeros((1, 3, 16, 16), np.float32)], "z": [np.zeros(1, np.float32)]}, ["z"])],
    ids=["name", "shape", "type", "shape of one sample", "an entry too many"])
def test_data_that_does_not_fit_is_refused_at_submission(client, cpu, convolution, data, expected):
    words = squeeze(refused_at_submission(lambda: client.submit_inference_job(convolution[0], cpu, data)))
    for word in expected:
        assert word in words


def test_inputs_in_another_order_are_refused(client, cpu, tmp_path):
    model = client.upload_model(str(tiny_models.save(tiny_models.two_inputs(), tmp_path / "two.onnx")))
    values = [np.zeros((2, 4), np.float32)]
    words = refused_at_submission(lambda: client.submit_inference_job(model, cpu, {"right": values, "left": values}))
    assert "left" in words and "right" in words


# -- jobs before their model exists ----------------------------------------------------------------------------------

def test_jobs_on_a_target_model_are_taken_before_it_exists(client, cpu, convolution):
    model, source = convolution
    first = client.submit_compile_job(model, cpu, options="--target_runtime onnx")
    second = client.submit_compile_job(first.get_target_model(), cpu, options="--target_runtime onnx --output_names a,b")
    profile = client.submit_profile_job(second.get_target_model(), cpu)
    sample = sample_images(1)[0]
    inference = client.submit_inference_job(second.get_target_model(), cpu, {"x": [sample]})
    assert_close(outputs(inference)["b"][0], tiny_models.run(source, {"x": sample})["scores"], atol=1e-5)
    succeed(profile)


def test_jobs_fail_with_the_producer_of_their_model(client, npu, tmp_path):
    model = client.upload_model(str(tiny_models.save(tiny_models.beyond_the_npu(), tmp_path / "det.onnx")))
    producer = client.submit_compile_job(model, npu, options="--target_runtime qnn_context_binary")
    words = refusal(lambda: client.submit_inference_job(producer.get_target_model(), npu, {"x": [np.eye(3, dtype=np.float32)[None]]}))
    assert wait_for(producer).failure
    assert producer.job_id in words


# -- lists -----------------------------------------------------------------------------------------------------------

def test_summaries_list_jobs_newest_first_and_filter_by_type_and_state(client, cpu, convolution):
    jobs = [client.submit_compile_job(convolution[0], cpu, name=f"summary {number}") for number in range(3)]
    for job in jobs:
        succeed(job)
    listed = client.get_job_summaries(limit=3)
    assert [summary.job_id for summary in listed] == [job.job_id for job in jobs[::-1]]
    assert [summary.name for summary in listed] == ["summary 2", "summary 1", "summary 0"]
    assert {summary.device_name for summary in listed} == {cpu.name}
    for summary in client.get_job_summaries(type=JobType.COMPILE, limit=100):
        assert summary.job_type == JobType.COMPILE
    failed = client.get_job_summaries(state=JobStatus.State.FAILED, limit=100)
    assert all(summary.status.failure for summary in failed)
    assert client.get_job_summaries(creator="nobody@example.org") == []
    assert 0 in {state.value for state in JobStatus.all_running_states()}, "the client asks for a state that no job has"
    assert client.get_job_summaries(state=JobStatus.all_running_states()) == [], "every job of this test has ended"


def test_the_jobs_page_is_named_in_its_link(client, cpu_profile):
    assert cpu_profile.url.startswith(client.config.web_url.rstrip("/") + "/jobs/")
    assert cpu_profile.job_id in cpu_profile.url
    assert cpu_profile.job_id.startswith("j")


def test_an_emulated_run_has_no_time_in_its_summary(client, npu, targets):
    job = client.submit_inference_job(targets["precompiled_qnn_onnx"], npu, {"x": sample_images(1)})
    succeed(job)
    (summary,) = [s for s in client.get_job_summaries(limit=10) if s.job_id == job.job_id]
    assert not summary.estimated_inference_time


@pytest.mark.parametrize("options", ["--max_profiler_iteration 5", "--compute_units npu"])
def test_an_unknown_option_of_a_run_is_refused_by_name(client, cpu, convolution, options):
    words = refused_at_submission(lambda: client.submit_profile_job(convolution[0], cpu, options=options))
    assert options.split()[0] in words
