"""The exporters of YOLOv8 and FFNet-40S on small inputs; skipped where tools/setup.sh torch was not run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from PIL import Image

from python.tests.commands import GOLDEN, SLIPWAY, block_image, run_json

SMALL = ["--size", "128", "128"]  # in a smaller one boxes of seeded weights are not believed


@pytest.fixture
def yolov8():
    pytest.importorskip("ultralytics")
    from python.exporters import yolov8
    return yolov8


@pytest.fixture
def ffnet_40s():
    pytest.importorskip("torch")
    from python.exporters import ffnet_40s
    return ffnet_40s


@pytest.fixture
def spoilt_export(monkeypatch):
    """torch.onnx.export that writes the convolutions' weights a little too large."""
    torch = pytest.importorskip("torch")
    export = torch.onnx.export

    def spoil(*arguments, **settings) -> None:
        export(*arguments, **settings)
        model = onnx.load(arguments[2])
        for weight in [each for each in model.graph.initializer if len(each.dims) == 4]:
            weight.CopyFrom(onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(weight) * np.float32(1.1), weight.name))
        onnx.save(model, arguments[2])

    monkeypatch.setattr(torch.onnx, "export", spoil)


def blocks_in(folder: Path) -> Path:
    block_image(300, 200).save(folder / "noise.png")
    return folder / "noise.png"


def frame(image: Path, *arguments: object) -> dict:
    if not SLIPWAY.is_file():
        pytest.skip(f"{SLIPWAY} is not built")
    status, lines, errors = run_json("drone", image, *arguments)
    assert status == 0, errors
    return lines[0]


@pytest.mark.parametrize("config", ["yolov8n.yaml", "yolov8n-seg.yaml"])
def test_every_form_of_yolov8_finds_the_same_objects(yolov8, tmp_path: Path, config: str) -> None:
    found = {}
    for form in ("joined", "split", "chosen"):
        assert yolov8.main(["--seed", "3", "--config", config, "--output", str(tmp_path / form), "--form", form, *SMALL]) == 0
        found[form] = frame(blocks_in(tmp_path), "--detector", tmp_path / form, "--score-min", 0, "--iou-max", 1)
        assert ("masks" in found[form]) == ("seg" in config)
    boxes = {form: np.array([[*each["box"], 1000 * each["score"]] for each in line["objects"]]) for form, line in found.items()}
    assert len(boxes["joined"]) == 300  # the most that are given: seeded weights are sure of nothing
    for form in ("split", "chosen"):  # the order of equal scores is not told
        nearest = np.abs(boxes[form][:, None] - boxes["joined"][None]).max(2).min(1)
        assert len(boxes[form]) == 300 and nearest.max() < 0.05


def test_any_batch_finds_what_single_images_have(yolov8, ffnet_40s, tmp_path: Path) -> None:
    sizes = [(300, 200), (96, 64), (50, 90), (200, 200), (97, 65)]
    images = []
    for i, size in enumerate(sizes):
        blocks_in(tmp_path).rename(tmp_path / f"{i}.png")
        Image.open(tmp_path / f"{i}.png").resize(size).rotate(i).save(tmp_path / f"{i}.png")
        images.append(tmp_path / f"{i}.png")
    for batch in ("1", "dynamic"):
        assert yolov8.main(["--seed", "3", "--output", str(tmp_path / f"y{batch}"), "--batch", batch, *SMALL]) == 0
        assert ffnet_40s.main(["--seed", "1", "--output", str(tmp_path / f"f{batch}"), "--batch", batch, "--size", "64", "64"]) == 0
    assert "shape: [-1, 3, 128, 128]" in (tmp_path / "ydynamic/model.yaml").read_text()
    assert "shape: [-1, 19, 8, 8]" in (tmp_path / "fdynamic/model.yaml").read_text()

    def scenes(name: str, *arguments: str) -> list[dict]:
        status, lines, errors = run_json("drone", *images, "--detector", tmp_path / f"y{name}", "--segmenter", tmp_path / f"f{name}",
                                         "--score-min", 0, "--iou-max", 1, *arguments)
        assert status == 0, errors
        return [line for line in lines if line["schema"] == "drone/1"]

    if not SLIPWAY.is_file():
        pytest.skip(f"{SLIPWAY} is not built")
    expected = scenes("1")
    for found in (scenes("dynamic", "--batch", "3"), scenes("dynamic")):
        for one, other in zip(expected, found, strict=True):
            assert one["sectors"] == other["sectors"] and len(one["objects"]) == len(other["objects"]) > 100
            for kind in ("box", "score"):  # the order of nearly equal scores is not told
                values = [np.sort(np.array([each[kind] for each in line["objects"]]), axis=0) for line in (one, other)]
                np.testing.assert_allclose(*values, atol=1e-3)


def test_ffnet_40s_has_its_known_size_and_segments_an_image(ffnet_40s, tmp_path: Path) -> None:
    assert ffnet_40s.main(["--seed", "1", "--output", str(tmp_path / "ffnet"), *SMALL[:1], "64", "128"]) == 0
    description = (tmp_path / "ffnet/model.yaml").read_text()
    assert "parameters: 139" in description  # 13.9 million
    graph = onnx.load(tmp_path / "ffnet/segmenter.onnx").graph
    assert [each.dim_value for each in graph.output[0].type.tensor_type.shape.dim] == [1, 19, 8, 16]
    if SLIPWAY.is_file():
        detector = GOLDEN / "yolov8/tiny.onnx"
        line = frame(blocks_in(tmp_path), "--detector", detector, "--segmenter", tmp_path / "ffnet")
        assert line["objects"] and line["segmentation_age_frames"] == 0


def test_a_released_state_dictionary_is_taken_and_another_one_named(ffnet_40s, tmp_path: Path, capsys) -> None:
    import torch
    released = ffnet_40s.load(None, 5).state_dict()
    assert {"backbone_model.layer2.0.downsample.1.running_mean", "head.layers.0.adapter_conv.3.layers.0.weight",
            "head.layers.1.fam_16_up.layers.1.bias", "head.layers.3.last_layer.3.bias"} <= released.keys()
    torch.save(released, tmp_path / "quarts.pth")
    assert ffnet_40s.main(["--checkpoint", str(tmp_path / "quarts.pth"), "--output", str(tmp_path / "out"), "--size", "64", "64"]) == 0
    del released["head.layers.3.last_layer.3.bias"]
    torch.save(released, tmp_path / "short.pth")
    assert ffnet_40s.main(["--checkpoint", str(tmp_path / "short.pth"), "--output", str(tmp_path / "no"), "--size", "64", "64"]) == 1
    assert "last_layer.3.bias" in capsys.readouterr().err and not (tmp_path / "no").exists()


def test_a_graph_that_differs_from_pytorch_is_not_kept(yolov8, ffnet_40s, spoilt_export, tmp_path: Path, capsys) -> None:
    assert yolov8.main(["--seed", "1", "--output", str(tmp_path / "y"), *SMALL]) == 1
    assert ffnet_40s.main(["--seed", "1", "--output", str(tmp_path / "f"), "--size", "64", "64"]) == 1
    assert capsys.readouterr().err.count("differs from PyTorch by more than") == 2
    assert not list(tmp_path.glob("*/*"))
