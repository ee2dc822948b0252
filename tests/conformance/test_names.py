"""Names in any language, on a hub and an agent that run in the "C" locale, as services do."""

import os
import zipfile

import pytest
import tiny_models
from expectations import make_client, succeed

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
