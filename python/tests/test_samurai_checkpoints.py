"""Checkpoints as the publisher of SAM 2.1 saves them; the names are those of the package's own model."""

import json
import pathlib

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not here: run tools/setup.sh torch")
pytest.importorskip("transformers", reason="transformers is not here: run tools/setup.sh torch")

from python.exporters.samurai import checkpoint  # noqa: E402

NAMES = json.loads(pathlib.Path("tests/golden/samurai/publisher_names.json").read_text())


@pytest.fixture(scope="module")
def state():
    """Every tensor of the publisher's file, each filled with a number of its own."""
    return {name: torch.full(shape, float(number)) for number, (name, shape) in enumerate(NAMES.items())}


def test_a_publishers_file_is_read_as_it_is(state, tmp_path):
    torch.save({"model": state}, tmp_path / "sam2.1_hiera_tiny.pt")
    model = checkpoint.load(tmp_path / "sam2.1_hiera_tiny.pt", "tiny", 256)
    found = {name: float(value.flatten()[0]) for name, value in model.state_dict().items()}
    numbers = {name: float(number) for number, name in enumerate(NAMES)}
    # Each of the file's tensors is somewhere; the three kinds of points beyond the first are further rows of one.
    kinds = [f"sam_prompt_encoder.point_embeddings.{k}.weight" for k in range(4)]
    assert set(numbers.values()) - set(found.values()) == {numbers[name] for name in kinds[1:]}
    rows = model.state_dict()["prompt_encoder.point_embed.weight"]
    assert [float(row[0]) for row in rows] == [numbers[name] for name in kinds]
    assert found["mask_decoder.iou_prediction_head.proj_out.bias"] == numbers["sam_mask_decoder.iou_prediction_head.layers.2.bias"]
    assert found["memory_encoder.mask_downsampler.layers.3.layer_norm.weight"] == numbers["memory_encoder.mask_downsampler.encoder.10.weight"]
    assert found["vision_encoder.backbone.blocks.4.mlp.proj_out.weight"] == numbers["image_encoder.trunk.blocks.4.mlp.layers.1.weight"]


def test_a_publishers_file_of_an_older_model_is_refused_with_what_is_missing(state, tmp_path):
    """SAM 2.0 has no code for pointers' distances."""
    older = {name: value for name, value in state.items() if not name.startswith("obj_ptr_tpos_proj")}
    torch.save({"model": older}, tmp_path / "sam2_hiera_tiny.pt")
    with pytest.raises(checkpoint.Refused, match="temporal_positional_encoding_projection_layer.* is missing"):
        checkpoint.load(tmp_path / "sam2_hiera_tiny.pt", "tiny", 256)


def test_a_file_that_is_no_state_is_refused(tmp_path):
    torch.save([1, 2], tmp_path / "list.pt")
    with pytest.raises(checkpoint.Refused, match="found list"):
        checkpoint.load(tmp_path / "list.pt", "tiny", 256)
    torch.save({"model": {"no_mem_embed": 3}}, tmp_path / "numbers.pt")
    with pytest.raises(checkpoint.Refused, match="a mapping from names to tensors"):
        checkpoint.load(tmp_path / "numbers.pt", "tiny", 256)
