"""Names in any language, on a hub and an agent that run in the "C" locale, as services do."""

import os
import unicodedata
import zipfile

import numpy as np
import pytest
import tiny_models
from expectations import make_client, outputs, succeed

from python.tools.comparison import assert_close
from python.tools.local_hub import LocalHub


@pytest.fixture(scope="module")
def client(build, tmp_path_factory):
    before = dict(os.environ)
    os.environ.update({"LC_ALL": "C", "LANG": "C"})
    try:
        hub = LocalHub(build, tmp_path_factory.mktemp("C locale") / "data")
        hub.start()
    finally:
        os.environ.clear()
        os.environ.update(before)
    yield make_client(hub)
    hub.stop()


@pytest.mark.parametrize("name", ["modèle", "モデル", "модель.onnx", "mit Leerzeichen & Zeichen"])
def test_a_directory_of_any_name_is_compiled_and_comes_back(client, tmp_path, name):
    folder = tiny_models.save_with_external_data(tiny_models.convolution(), tmp_path / name)
    (folder / "model.onnx").rename(folder / f"{name}.onnx")
    model = client.upload_model(str(folder))
    job = succeed(client.submit_compile_job(model, client.get_devices()[0]))
    assert name in job.name
    copy = client.get_model(model.model_id).download(str(tmp_path / "copy"))
    with zipfile.ZipFile(copy) as archive:
        assert f"{name}/{name}.onnx" in archive.namelist()


@pytest.mark.parametrize("form", ["NFD", "NFC"])
def test_a_model_finds_weights_whose_names_letters_are_apart_or_together(client, tmp_path, form):
    """è is one character or an e with an accent behind it (as on a Mac): the model names its file in one of the two ways."""
    name = unicodedata.normalize(form, "modèle 한글")
    source = tiny_models.convolution()
    model = client.upload_model(str(tiny_models.save_with_external_data(source, tmp_path / name, name)))
    values = np.random.default_rng(7).random((1, 3, 16, 16), np.float32)
    job = client.submit_inference_job(model, client.get_devices()[0], {"x": [values]}, profile=False)
    found = outputs(job)
    for output, expected in tiny_models.run(source, {"x": values}).items():
        assert_close(found[output][0], expected, rtol=1e-4, atol=1e-5)


def test_a_name_in_another_encoding_keeps_its_bytes(client, tmp_path):
    """Made by hand, as an old program would: Python's own zipfile writes nothing but UTF-8."""
    from qai_hub import public_rest_api
    from qai_hub.client import SourceModelType

    path = tmp_path / "net.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("modXle/model.onnx", tiny_models.convolution().SerializeToString())
    path.write_bytes(path.read_bytes().replace(b"modXle", b"mod\xe8le"))
    reply = public_rest_api.create_and_upload_model(client.config, str(path), model_type=SourceModelType.ONNX.value,
                                                    name="net.zip", verbose=False, is_directory=True)
    model = client.get_model(reply.id)
    succeed(client.submit_compile_job(model, client.get_devices()[0], input_specs={"x": (1, 3, 16, 16)}))
