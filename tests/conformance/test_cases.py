"""Graphs on which something went wrong once (tests/golden/compile): what becomes of each, on the command line and on a hub's page.

Every alarm of a compile is raised once, so that it is seen where users look: the command's first lines and its exit status, the
job's message in the official client, and the report of which the page is made.
"""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import pytest
import requests
import tiny_models
from expectations import SNAPDRAGON, read_log, succeed, wait_for
from onnx import TensorProto, helper, numpy_helper

GOLDEN = Path(__file__).parents[1] / "golden" / "compile"
ONNX, PRECOMPILED, DLC = "onnx", "precompiled_qnn_onnx", "qnn_dlc"
EXTENSIONS = {ONNX: "onnx", PRECOMPILED: "onnx", DLC: "dlc"}


@dataclass(frozen=True)
class Compiled:
    """What a command came to."""

    status: int
    text: str  # standard output
    errors: str  # standard error
    report: dict  # of --json-file; empty where there is none
    path: Path


@pytest.fixture
def compile_here(build, tmp_path):
    def compile_here(model: Path, target: str, *options: str) -> Compiled:
        path, report = tmp_path / f"compiled.{EXTENSIONS[target]}", tmp_path / "report.json"
        device = [] if target == ONNX else ["--device", SNAPDRAGON]
        done = subprocess.run([build / "slipway", "compile", model, "--target", target, *device, *options, "-o", path,
                               "--json-file", report], capture_output=True, text=True, timeout=300)
        return Compiled(done.returncode, done.stdout, done.stderr, json.loads(report.read_text()) if report.exists() else {}, path)

    return compile_here


@pytest.fixture(scope="module")
def read_page(hub):
    """A part of what the page of a job is made from, read as a browser does that has signed in."""
    with requests.Session() as session:
        session.post(hub.url + "/sign-in/", data={"token": hub.token(), "next": "/jobs/"}, timeout=20)
        yield lambda job, part: session.get(f"{hub.url}/api/v1/jobs/{job.job_id}/{part}", timeout=20).json()


@pytest.fixture(scope="module")
def report_of(read_page):
    return lambda job: read_page(job, "report/")


@pytest.fixture
def compile_on_hub(client, npu, cpu):
    def compile_on_hub(model: Path, target: str, options: str = "", **more):
        device = cpu if target == ONNX else npu
        return client.submit_compile_job(str(model), device, options=f"--target_runtime {target} {options}".strip(), **more)

    return compile_on_hub


# What ONNX Runtime refuses ------------------------------------------------------------------------------------------

@pytest.mark.parametrize("target", EXTENSIONS)
@pytest.mark.parametrize("name", ["cycle", "undefined_value", "unknown_domain"])
def test_a_graph_that_onnx_runtime_refuses_is_refused_everywhere(compile_here, compile_on_hub, report_of, name, target):
    done = compile_here(GOLDEN / f"{name}.onnx", target)
    assert done.status == 1 and not done.path.exists()
    assert "ONNX Runtime does not take this model" in done.errors
    assert str(GOLDEN) not in done.errors and str(done.path.parent) not in done.errors, "no folder, least of all one made for the model"

    job = compile_on_hub(GOLDEN / f"{name}.onnx", target)
    status = wait_for(job)
    assert status.failure and "ONNX Runtime does not take this model" in status.message
    assert report_of(job)["failure"]["reason"] == status.message


# What must load and compute as before -------------------------------------------------------------------------------

REWRITTEN = [("t_bert_pos", "--truncate_64bit_io --truncate_64bit_tensors"),
             ("t_clip_argmax", "--truncate_64bit_io --truncate_64bit_tensors"),
             ("t_tf_node_name_clash", "--truncate_64bit_io")]
INPUTS = {"t_bert_pos": {"ids": np.array([[0, 1, 2, 1]])}, "t_clip_argmax": {"ids": np.array([[0, 1, 2, 1]])},
          "t_tf_node_name_clash": {"x": np.array([[0.5, -2, 3], [4, 1, -1]], np.float32)}}


def narrowed(values: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: array.astype(np.int32) if array.dtype == np.int64 else array for name, array in values.items()}


@pytest.mark.parametrize(("name", "options"), REWRITTEN)
def test_a_rewritten_graph_gives_the_sources_values(build, compile_here, compile_on_hub, report_of, tmp_path, name, options):
    source = GOLDEN / f"{name}.onnx"
    expected = tiny_models.run(source, INPUTS[name])
    done = compile_here(source, ONNX, *options.replace("_", "-").split())
    assert done.status == 0 and done.report["standing"] == "agrees" and "WARNING" not in done.text
    found = tiny_models.run(done.path, narrowed(INPUTS[name]))
    for output, values in narrowed(expected).items():
        np.testing.assert_array_equal(found[output], values)

    np.savez(tmp_path / "in.npz", **narrowed(INPUTS[name]))
    subprocess.run([build / "slipway", "infer", done.path, "--inputs", tmp_path / "in.npz", "--output", tmp_path / "out.npz"],
                   check=True, capture_output=True, timeout=60)
    for output, values in narrowed(expected).items():
        np.testing.assert_array_equal(np.load(tmp_path / "out.npz")[output], values)

    job = succeed(compile_on_hub(source, ONNX, options))
    assert not job.get_status().message and report_of(job)["warnings"] == []


@pytest.mark.parametrize("target", [PRECOMPILED, DLC])
def test_an_image_of_bytes_is_computed_right_on_the_npu(compile_here, compile_on_hub, report_of, target):
    done = compile_here(GOLDEN / "u8_image_net.onnx", target)
    assert done.status == 0 and done.report["standing"] == "agrees" and "WARNING" not in done.text
    assert "x 0 to 255" in done.report["agreement_note"]
    assert "a Cast from uint8 to float32 gives 1 for every number but 0 on this chip's compiler; avoided in 1 place" in done.errors

    job = succeed(compile_on_hub(GOLDEN / "u8_image_net.onnx", target))
    assert not job.get_status().message and report_of(job)["warnings"] == []
    assert "avoided in 1 place" in read_log(job)


# Alarms -------------------------------------------------------------------------------------------------------------

def graph(nodes: list, inputs: dict[str, tuple], outputs: dict[str, tuple], weights: dict[str, np.ndarray]) -> onnx.ModelProto:
    """inputs, outputs: (element type, shape) by name."""
    declared = [[helper.make_tensor_value_info(name, *kind) for name, kind in some.items()] for some in (inputs, outputs)]
    return helper.make_model(helper.make_graph([helper.make_node(*node) for node in nodes], "g", *declared,
                                               [numpy_helper.from_array(array, name) for name, array in weights.items()]),
                             opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def number(value: float) -> np.ndarray:
    return np.array(value, np.float32)


FLOAT, INT32, INT64 = TensorProto.FLOAT, TensorProto.INT32, TensorProto.INT64


def infinite_in_the_source() -> onnx.ModelProto:
    """y = exp(100 x): infinite for x above 0.89, where the NPU stops at the largest number of half precision."""
    return graph([("Mul", ["x", "k"], ["t"]), ("Exp", ["t"], ["y"])], {"x": (FLOAT, [1, 64])}, {"y": (FLOAT, [1, 64])}, {"k": number(100)})


def lost_in_half_precision() -> onnx.ModelProto:
    """y = (x + 8192) - 8192: of x between -1 and 1 half precision keeps nothing."""
    return graph([("Add", ["x", "k"], ["t"]), ("Sub", ["t", "k"], ["y"])], {"x": (FLOAT, [1, 64])}, {"y": (FLOAT, [1, 64])},
                 {"k": number(8192)})


def saturating() -> onnx.ModelProto:
    """y = x * 1327217880 in int32, which starts again from the smallest number."""
    return graph([("Mul", ["x", "k"], ["y"])], {"x": (INT32, [1, 64])}, {"y": (INT32, [1, 64])}, {"k": np.array(1327217880, np.int32)})


def rows_that_are_not_there() -> onnx.ModelProto:
    """Row x + 1000 of a table of four."""
    return graph([("Add", ["x", "k"], ["t"]), ("Gather", ["table", "t"], ["y"])], {"x": (INT64, [3])}, {"y": (FLOAT, [3, 2])},
                 {"k": np.array([1000]), "table": np.ones((4, 2), np.float32)})


def slow() -> onnx.ModelProto:
    weights = np.random.default_rng(11).normal(size=(2048, 2048)).astype(np.float32)
    return graph([("MatMul", ["x", "w"], ["y"])], {"x": (FLOAT, [2048, 2048])}, {"y": (FLOAT, [2048, 2048])}, {"w": weights})


@dataclass(frozen=True)
class Alarm:
    model: object  # a name of tests/golden/compile, or what makes the graph
    target: str
    standing: str
    words: tuple[str, ...]  # of the warning
    limit: str = ""  # of the comparison

    def source(self, folder: Path) -> Path:
        if isinstance(self.model, str):
            return GOLDEN / f"{self.model}.onnx"
        return tiny_models.save(self.model(), folder / f"{self.model.__name__}.onnx")


ALARMS = {
    "a difference from the peak": Alarm("q_fp16_overflow", PRECOMPILED, "differs", ("Output 'y' does not agree with the source",
                                                                                    "of the peak (alarm over 0.1)")),
    "a difference from the peak in a DLC": Alarm("q_fp16_overflow", DLC, "differs", ("of the peak (alarm over 0.1)",)),
    "noise": Alarm(lost_in_half_precision, PRECOMPILED, "differs", ("signal to noise is", "(alarm under 20 dB)")),
    "elements that are not finite": Alarm(infinite_in_the_source, PRECOMPILED, "differs",
                                          ("elements cannot be compared (NaN or infinite on one side only)",)),
    "integers": Alarm(saturating, PRECOMPILED, "differs", ("of 64 elements are equal (alarm under 90 %)",)),
    "a source that does not run": Alarm(rows_that_are_not_there, ONNX, "not_compared",
                                        ("The result was not compared with its source", "running the source on the CPU")),
    "time": Alarm(slow, DLC, "not_compared", ("left out for time", "the compare limit is 1 s"), limit="1"),
}


@pytest.mark.parametrize("alarm", ALARMS.values(), ids=ALARMS)
def test_an_alarm_comes_first_on_the_command_line_and_the_result_is_kept(compile_here, tmp_path, alarm):
    done = compile_here(alarm.source(tmp_path), alarm.target, *(["--compare-limit", alarm.limit] if alarm.limit else []))
    assert done.status == 1, done.errors
    assert done.path.exists()
    first = done.text.splitlines()[0]
    assert first.startswith("WARNING: ")
    for words in alarm.words:
        assert words in first
    assert done.report["standing"] == alarm.standing and done.report["warnings"] == [first.removeprefix("WARNING: ")]


@pytest.mark.parametrize("alarm", ALARMS.values(), ids=ALARMS)
def test_an_alarm_is_the_message_of_a_job_that_is_done_and_on_its_page(compile_on_hub, report_of, tmp_path, alarm):
    job = compile_on_hub(alarm.source(tmp_path), alarm.target, f"--compare_limit {alarm.limit}" if alarm.limit else "")
    status = wait_for(job)
    assert status.success, status.message
    for words in alarm.words:
        assert words in status.message
    report = report_of(job)
    assert " ".join(report["warnings"]) == status.message and report["job"]["has_warnings"]
    if alarm.standing == "differs":
        assert [bool(row["alarm"]) for row in report["agreement"]["rows"]] == [True]
    assert job.get_target_model().download(str(tmp_path / "kept"))


def test_what_cannot_be_compared_is_counted_first(compile_here, tmp_path):
    done = compile_here(tiny_models.save(infinite_in_the_source(), tmp_path / "net.onnx"), PRECOMPILED)
    (output,) = done.report["agreement"]
    assert 0 < output["not_comparable"] < output["elements"] == 64
    assert abs(output["not_comparable"] / 64 - (1 - np.log(np.finfo(np.float32).max) / 100) / 2) < 0.1
    header, row = [line for line in done.text.splitlines() if line.startswith(("output ", "y "))][-2:]
    assert header.split()[1:3] == ["not", "comparable"]
    assert row.split()[1:4] == [str(output["not_comparable"]), "of", "64"] and row.endswith("ALARM")


def test_a_comparison_left_out_as_asked_is_said_and_no_alarm(compile_here, convolution, tmp_path):
    done = compile_here(tiny_models.save(convolution[1], tmp_path / "net.onnx"), DLC, "--no-compare")
    assert done.status == 0 and done.report["standing"] == "left_out"
    assert done.text.startswith("WARNING: The result was not compared with its source: left out as asked.")


# What the NPU refuses, and what is unknown ---------------------------------------------------------------------------

NODES = ("node 1 (Erf, output 'e')", "node 2 (Det, output 'd')")


@pytest.mark.parametrize("target", [PRECOMPILED, DLC])
def test_nodes_without_names_that_the_npu_refuses_are_named_by_operator_and_place(compile_here, target):
    done = compile_here(GOLDEN / "q_multi_partition.onnx", target)
    assert done.status == 1 and not done.path.exists()
    assert all(node in done.errors for node in NODES)
    assert ("Allow the fallback" in done.errors) == (target == PRECOMPILED), "advice that the target allows"


def test_a_hub_lets_the_cpu_run_such_nodes_where_the_target_can_hold_them(compile_on_hub, report_of):
    refused = wait_for(compile_on_hub(GOLDEN / "q_multi_partition.onnx", DLC))
    assert refused.failure and all(node in refused.message for node in NODES) and "Allow the fallback" not in refused.message
    job = succeed(compile_on_hub(GOLDEN / "q_multi_partition.onnx", PRECOMPILED))
    assert any("Placement: " in remark and "in 3 partitions" in remark for remark in report_of(job)["remarks"])


def test_an_input_without_a_shape_is_unknown_until_an_input_spec_fixes_it(build, compile_here, compile_on_hub, tmp_path):
    source = GOLDEN / "no_shapes.onnx"
    seen = subprocess.run([build / "slipway", "inspect", source], capture_output=True, text=True, timeout=60)
    assert seen.returncode == 0 and "float32 of unknown rank" in seen.stdout

    done = compile_here(source, ONNX)
    assert done.status == 1 and "unknown rank" in done.text.splitlines()[0], "there is no data to compare on"
    assert done.report["inputs"][0]["shape"] is None
    values = np.array([[1, -2, 3]], np.float32)
    np.testing.assert_array_equal(tiny_models.run(done.path, {"x": values})["y"], np.maximum(values, 0))

    done = compile_here(source, PRECOMPILED)
    assert done.status == 1 and '"x"' in done.errors and "input specs" in done.errors
    for target in EXTENSIONS:
        done = compile_here(source, target, "--input-spec", "x=1x8")
        assert done.status == 0 and done.report["standing"] == "agrees"
        assert [each["shape"] for each in done.report["inputs"] + done.report["outputs"]] == [[1, 8], [1, 8]]
        job = succeed(compile_on_hub(source, target, input_specs={"x": (1, 8)}))
        assert job.get_target_shapes() == {"x": ((1, 8), "float32")}


# Options without effect ----------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("target", "options", "words"), [
    (ONNX, "--compute_unit cpu", "without effect on the target onnx: --compute_unit"),
    (ONNX, "--qairt_version 2.50", "without effect on the target onnx: --qairt_version"),
    (DLC, "--compute_unit npu", "without effect on the target qnn_dlc, which the NPU runs whole: --compute_unit")])
def test_an_option_of_a_compile_without_effect_is_named_in_the_log_and_on_the_page(compile_on_hub, convolution, read_page, tmp_path,
                                                                                   target, options, words):
    job = succeed(compile_on_hub(tiny_models.save(convolution[1], tmp_path / "net.onnx"), target, options))
    assert words in read_log(job) and words in read_page(job, "log/?offset=0")["text"]


@pytest.mark.parametrize("target", ["npu", "gpu"])
def test_a_unit_of_a_snapdragon_has_no_effect_on_the_target_onnx(client, npu, convolution, target):
    job = succeed(client.submit_compile_job(convolution[0], npu, options=f"--target_runtime onnx --compute_unit {target}"))
    assert "without effect on the target onnx: --compute_unit" in read_log(job)


def test_emulation_of_an_attached_device_is_named_as_without_effect(client, cpu, convolution, read_page):
    job = succeed(client.submit_profile_job(convolution[0], cpu, options="--allow_emulation"))
    words = f"without effect on {cpu.name}, which is attached: --allow_emulation"
    assert words in read_log(job) and words in read_page(job, "log/?offset=0")["text"]


@pytest.mark.parametrize("option", ["--max_profiler_iterations 3", "--max_profiler_time 5"])
def test_limits_of_measuring_are_named_where_nothing_is_measured(client, npu, convolution, read_page, option):
    values = {"x": [np.zeros((1, 3, 16, 16), np.float32)]}
    job = succeed(client.submit_inference_job(convolution[0], npu, values, options=option))
    log = read_log(job)
    assert "without effect w" in log and option.split()[0] in log
    assert "without effect w" in read_page(job, "log/?offset=0")["text"]


@pytest.mark.parametrize(("options", "note"), [
    (["--qnn-option", "vtcm_mb=4"], "note: --qnn-option has no effect with --target onnx"),
    (["--fallback"], "note: --fallback has no effect unless --target is precompiled_qnn_onnx"),
    (["--device", SNAPDRAGON], "note: --device has no effect with --target onnx")])
def test_an_option_without_effect_is_named_on_the_command_line(compile_here, options, note):
    done = compile_here(GOLDEN / "t_tf_node_name_clash.onnx", ONNX, *options)
    assert done.status == 0 and note in done.errors
