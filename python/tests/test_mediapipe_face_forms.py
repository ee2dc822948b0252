"""The PyTorch and ONNX forms of the face networks; the PyTorch ones are skipped where tools/setup.sh torch was not run."""

import os
import subprocess
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

from python.exporters import mediapipe_face as exporter
from python.exporters.common.prelu import expand_prelu
from python.tests.commands import DATA, REPOSITORY, run_json

TORCH_PYTHON = Path(os.environ.get("SLIPWAY_TORCH_PYTHON", REPOSITORY / ".deps/venv-torch/bin/python"))


def export_in_torch(*arguments: object) -> subprocess.CompletedProcess:
    if not TORCH_PYTHON.exists():
        pytest.skip("needs tools/setup.sh torch, or SLIPWAY_TORCH_PYTHON")
    command = [str(TORCH_PYTHON), "-W", "ignore", "-m", "python.exporters.mediapipe_face", *map(str, arguments)]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)


def faces(folder: Path, image: Path) -> list[dict]:
    status, [line], errors = run_json("mediapipe-face", folder, image)
    assert status == 0, errors
    return line["faces"]


def hub_like_detector(heads: dict[str, list[int]], shape: list[int]) -> onnx.ModelProto:
    nodes = [helper.make_node("ConstantOfShape", [f"{name}_shape"], [name]) for name in heads]
    return helper.make_model(helper.make_graph(
        nodes, "detector", [helper.make_tensor_value_info("image", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, dims) for name, dims in heads.items()],
        [helper.make_tensor(f"{name}_shape", TensorProto.INT64, [len(dims)], dims) for name, dims in heads.items()]))


@pytest.mark.parametrize("layout", ["nhwc", "nchw"])
def test_seeded_networks_come_without_a_shape_mismatch(tmp_path, layout):
    done = export_in_torch("--seed", 3, "--networks", "back", "landmark", "--output", tmp_path, "--layout", layout)
    assert done.returncode == 0, done.stderr[-1000:]
    image = np.random.default_rng(0).random((1, 256, 256, 3), np.float32)
    for name, size, shapes in (("detector", 256, [(1, 896, 16), (1, 896, 1)]), ("landmark", 192, [(1,), (1, 468, 3)])):
        session = onnxruntime.InferenceSession(str(tmp_path / f"{name}.onnx"))
        part = image[:, :size, :size]
        found = session.run(None, {"image": part if layout == "nhwc" else part.transpose(0, 3, 1, 2)})
        assert [output.shape for output in found] == shapes
    assert "seed 3, not trained" in (tmp_path / "model.yaml").read_text()


def test_pytorch_and_onnx_forms_of_the_same_weights_find_the_same_face(asset, tmp_path):
    models = DATA / "models/face"
    if not models.is_dir():
        pytest.skip("needs the networks of SLIPWAY_TEST_DATA")
    done = export_in_torch("--checkpoint", models / "hollance_blazefaceback.pth", models / "zmurez_blazeface_landmark.pth", "--output", tmp_path / "torch")
    assert done.returncode == 0, done.stderr[-1000:]
    assert exporter.main(["--checkpoint", str(models / "qai_mediapipe_face_detector.onnx"), str(models / "qai_mediapipe_face_landmark.onnx"),
                          "--output", str(tmp_path / "hub")]) == 0
    (one,), (other,) = (faces(tmp_path / form, asset("astronaut.png")) for form in ("torch", "hub"))
    np.testing.assert_allclose(one["box"], other["box"], atol=1e-3)
    np.testing.assert_allclose(one["landmarks"], other["landmarks"], atol=1e-3)
    assert one["presence"] > 0.99


def test_the_packages_split_heads_are_taken_as_they_are(tmp_path):
    heads = {"box_coords_1": [1, 512, 16], "box_coords_2": [1, 384, 16], "box_scores_1": [1, 512, 1], "box_scores_2": [1, 384, 1]}
    path = tmp_path / "given.onnx"
    onnx.save(hub_like_detector(heads, [1, 3, 256, 256]), path)
    assert exporter.main(["--checkpoint", str(path), "--output", str(tmp_path / "out"), "--layout", "nhwc"]) == 0
    text = (tmp_path / "out/model.yaml").read_text()
    assert "variant: back" in text
    assert "shape: [1, 3, 256, 256], dtype: float32, layout: NCHW" in text
    assert "{name: box_scores_2, shape: [1, 384, 1], dtype: float32}" in text


def test_another_onnx_file_is_refused_with_its_shapes(tmp_path, capsys):
    path = tmp_path / "other.onnx"
    onnx.save(hub_like_detector({"y": [1, 10]}, [1, 3, 256, 256]), path)
    assert exporter.main(["--checkpoint", str(path), "--output", str(tmp_path / "out")]) == 1
    assert "(1, 10)" in capsys.readouterr().err


def test_a_state_dict_of_something_else_is_refused_in_words(tmp_path):
    other = tmp_path / "other.pth"
    other.write_bytes(b"not a pickle")
    done = export_in_torch("--checkpoint", other, "--output", tmp_path / "out")
    assert done.returncode == 1
    assert "not a PyTorch state dict" in done.stderr


@pytest.mark.parametrize("slopes", [[0.25, -0.5, 0.0, 1.0], [0.25, 1.5, -2.0, 1.0]])
def test_prelu_without_prelu_gives_the_same_values(slopes):
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 4, 5, 5]) for name in ("x", "y")]
    model = helper.make_model(helper.make_graph(
        [helper.make_node("PRelu", ["x", "slopes"], ["y"])], "prelu", values[:1], values[1:],
        [onnx.numpy_helper.from_array(np.array(slopes, np.float32).reshape(4, 1, 1), "slopes")]), opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    x = np.random.default_rng(0).normal(size=(1, 4, 5, 5)).astype(np.float32)
    expected = onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"x": x})[0]
    assert expand_prelu(model) == 1
    assert "PRelu" not in [node.op_type for node in model.graph.node]
    assert [tensor.name for tensor in model.graph.initializer if tensor.name == "slopes"] == []
    found = onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"x": x})[0]
    np.testing.assert_allclose(found, expected, atol=1e-6)
