"""What goes in comes out: models of every kind, datasets of every type, their lists."""

import filecmp
import zipfile

import h5py
import numpy as np
import onnx
import pytest
import tiny_models
from qai_hub.client import SourceModelType, UserError


def test_an_onnx_file_comes_back_byte_for_byte(client, tmp_path):
    path = tiny_models.save(tiny_models.convolution(), tmp_path / "net.onnx")
    model = client.upload_model(str(path))
    assert model.model_id.startswith("m") and model.model_id.isalnum()
    copy = client.get_model(model.model_id).download(str(tmp_path / "copy.onnx"))
    assert copy == str(tmp_path / "copy.onnx")
    assert filecmp.cmp(path, copy, shallow=False)


def test_an_uploaded_model_is_found_again(client, tmp_path):
    path = tiny_models.save(tiny_models.two_inputs(), tmp_path / "net.onnx")
    model = client.upload_model(str(path), name="Zwei Eingänge ✓")
    again = client.get_model(model.model_id)
    assert again.name == "Zwei Eingänge ✓"
    assert again.model_type == SourceModelType.ONNX
    assert again.producer is None
    assert abs((again.date - model.date).total_seconds()) < 2


def test_an_onnx_model_in_memory_is_uploaded(client, tmp_path):
    model = client.upload_model(tiny_models.two_inputs())
    copy = client.get_model(model.model_id).download(str(tmp_path))
    assert onnx.load(copy) == tiny_models.two_inputs()


def test_a_directory_with_external_data_comes_back_as_a_zip_of_it(client, tmp_path):
    folder = tiny_models.save_with_external_data(tiny_models.convolution(), tmp_path / "net.onnx")
    model = client.upload_model(str(folder))
    copy = client.get_model(model.model_id).download(str(tmp_path / "copy"))
    assert copy.endswith(".onnx.zip")
    with zipfile.ZipFile(copy) as archive:
        for name in ("model.onnx", "model.data"):
            assert archive.read(f"net.onnx/{name}") == (folder / name).read_bytes()


@pytest.mark.parametrize(("name", "content", "kind"), [
    ("net.pt", tiny_models.torchscript_like(), SourceModelType.TORCHSCRIPT),
    ("net.pt2", tiny_models.exported_program_like(), SourceModelType.TORCH_EXPORTED_PROGRAM),
    ("net.tflite", b"\x1c\0\0\0TFL3" + bytes(100), SourceModelType.TFLITE),
    ("net.bin", bytes(range(256)), SourceModelType.QNN_CONTEXT_BINARY),
    ("net.dlc", bytes(range(256)), SourceModelType.QNN_DLC)])
def test_other_kinds_are_kept_as_they_are(client, tmp_path, name, content, kind):
    path = tmp_path / name
    path.write_bytes(content)
    model = client.upload_model(str(path))
    again = client.get_model(model.model_id)
    assert again.model_type == kind
    copy = again.download(str(tmp_path / "copy"))
    assert copy == str(tmp_path / "copy") + path.suffix
    assert filecmp.cmp(path, copy, shallow=False)


def test_the_newest_models_come_first_and_pages_fit_together(client, tmp_path):
    made = [client.upload_model(tiny_models.two_inputs(), name=f"list {number}").model_id for number in range(4)]
    listed = [model.model_id for model in client.get_models(limit=4)]
    assert listed == made[::-1]
    assert [model.model_id for model in client.get_models(offset=1, limit=2)] == listed[1:3]


DTYPES = ["float16", "float32", "bool", "int8", "int16", "int32", "int64", "uint8", "uint16"]


def test_a_dataset_of_all_nine_types_comes_back(client):
    random = np.random.default_rng(1)
    data = {f"entry_{dtype}": [(random.normal(size=(2, 3)) * 50).astype(dtype) for _ in range(3)] for dtype in DTYPES}
    dataset = client.upload_dataset(data, name="nine types")
    assert dataset.dataset_id.startswith("d")
    assert not dataset.is_expired()
    again = client.get_dataset(dataset.dataset_id)
    assert again.name == "nine types"
    assert 29 < (again.expiration_time - again.creation_time).days <= 30
    found = again.download()
    assert list(found) == list(data)
    for name, samples in data.items():
        for expected, sample in zip(samples, found[name], strict=True):
            assert sample.dtype == expected.dtype
            np.testing.assert_array_equal(sample, expected)


def test_a_dataset_with_an_empty_dimension_comes_back(client):
    data = {"nothing": [np.zeros((0, 3), np.float32), np.zeros((0, 3), np.float32)], "some": [np.ones(2, np.int8)] * 2}
    found = client.get_dataset(client.upload_dataset(data).dataset_id).download()
    assert [sample.shape for sample in found["nothing"]] == [(0, 3), (0, 3)]
    np.testing.assert_array_equal(found["some"][1], [1, 1])


def test_a_dataset_file_comes_back_byte_for_byte(client, tmp_path):
    first = client.upload_dataset({"x": [np.arange(12, dtype=np.float32)]})
    path = client.get_dataset(first.dataset_id).download(str(tmp_path / "data.h5"))
    with h5py.File(path) as file:
        assert file["data/0"].attrs["name"] == "x"
    second = client.upload_dataset(path, name="from a file")
    copy = client.get_dataset(second.dataset_id).download(str(tmp_path / "copy.h5"))
    assert filecmp.cmp(path, copy, shallow=False)


def test_the_newest_datasets_come_first(client):
    made = [client.upload_dataset({"x": [np.zeros(1, np.float32)]}, name=f"list {n}").dataset_id for n in range(3)]
    assert [dataset.dataset_id for dataset in client.get_datasets(limit=3)] == made[::-1]


def test_a_model_of_several_parts_arrives_whole(client, tmp_path):
    """Parts are of the size the hub names; larger than any of them."""
    path = tmp_path / "large.bin"
    block = np.random.default_rng(2).integers(0, 256, 1 << 20, dtype=np.uint8).tobytes()
    with path.open("wb") as file:
        for number in range(70):
            file.write(bytes([number]) + block[1:])
    model = client.upload_model(str(path))
    assert filecmp.cmp(path, client.get_model(model.model_id).download(str(tmp_path / "copy.bin")), shallow=False)


@pytest.mark.parametrize(("get", "words"), [
    (lambda client: client.get_model("mzzzzzzzzz"), "ID 'mzzzzzzzzz' could not be found"),
    (lambda client: client.get_dataset("dzzzzzzzzz"), "ID 'dzzzzzzzzz' could not be found"),
    (lambda client: client.get_job("jzzzzzzzzz"), "ID 'jzzzzzzzzz' could not be found")])
def test_unknown_ids_get_the_clients_own_words(client, get, words):
    with pytest.raises(UserError, match=words):
        get(client)
