"""Files that are not what they claim to be: each is refused in words when somebody wants to use it, and the hub lives on."""

import io
import zipfile

import h5py
import numpy as np
import onnx
import pytest
import tiny_models
from expectations import refusal, succeed
from qai_hub import public_rest_api
from qai_hub.client import SourceModelType, UserError
from qai_hub.public_api_pb2 import CompileJob, Dataset, InferenceJob
from qai_hub.public_api_pb2 import Model as ModelMessage

RANDOM_BYTES = np.random.default_rng(13).bytes(5000)


def refused_when_used(client, device, path, specs=None):
    """Uploads and compiles; the words of whichever step refuses."""

    def use():
        model = client.upload_model(str(path))
        return client.submit_compile_job(model, device, input_specs=specs)

    return refusal(use)


def refused_zip(client, device, path, specs=None):
    """As refused_when_used for an archive that the client itself would not have sent."""

    def use():
        reply = public_rest_api.create_and_upload_model(client.config, str(path), model_type=SourceModelType.ONNX.value,
                                                        name="net.zip", verbose=False, is_directory=True)
        return client.submit_compile_job(client.get_model(reply.id), device, input_specs=specs)

    try:
        return refusal(use)
    except public_rest_api.APIException as error:
        return str(error)


def archive(path, files):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in files.items():
            file.writestr(name, content)
    return path


@pytest.fixture(scope="module")
def good_bytes():
    return tiny_models.convolution().SerializeToString()


DAMAGE = {
    ("net.onnx", "truncated"): "not a whole ONNX model: it is damaged or cut short",
    ("net.onnx", "random"): "not an ONNX model: found bytes of no format known here",
    ("net.pt", "truncated"): "declared as a TorchScript model: not a readable zip archive",
    ("net.pt", "random"): "declared as a TorchScript model, but found bytes of no known format",
    ("net.pt2", "truncated"): "declared as a program of torch.export (.pt2): not a readable zip archive",
    ("net.pt2", "random"): "declared as a program of torch.export (.pt2), but found bytes of no known format",
} | {(name, "empty"): "the file is empty (0 bytes)" for name in ("net.onnx", "net.pt", "net.pt2")}


@pytest.mark.parametrize(("name", "kind"), DAMAGE)
def test_a_damaged_model_is_refused(client, cpu, tmp_path, good_bytes, name, kind):
    whole = {"net.onnx": good_bytes, "net.pt": tiny_models.torchscript_like(),
             "net.pt2": tiny_models.exported_program_like()}[name]
    path = tmp_path / name
    path.write_bytes({"truncated": whole[: len(whole) // 2], "empty": b"", "random": RANDOM_BYTES}[kind])
    assert DAMAGE[name, kind] in refused_when_used(client, cpu, path, {"x": (1, 3, 16, 16)})


@pytest.mark.parametrize(("content", "expected"), [
    (b"", "the file is empty (0 bytes)"), (b"\x1c\0\0\0TFL3", "TFLite"),
    (RANDOM_BYTES, "declared as a TFLite model, but found bytes of no known format")], ids=["empty", "truncated", "random"])
def test_a_damaged_tflite_file_is_refused(client, cpu, tmp_path, content, expected):
    path = tmp_path / "net.tflite"
    path.write_bytes(content)
    try:
        model = client.upload_model(str(path))
    except UserError as error:
        assert expected in str(error)
        return
    # The client offers no job for it here; the wire does.
    with pytest.raises(public_rest_api.APIException) as refused:
        job = InferenceJob(model=ModelMessage(model_id=model.model_id), name="tflite", is_profiling_on=True)
        job.device.name = cpu.name
        public_rest_api.create_inference_job(client.config, job)
    assert expected in str(refused.value)


@pytest.mark.parametrize(("suffix", "content", "expected"), [
    (".bin", b"", "the file is empty (0 bytes)"), (".dlc", b"", "the file is empty (0 bytes)"),
    (".bin", RANDOM_BYTES, "a QNN context binary that this hub did not make"),
    (".dlc", RANDOM_BYTES, "declared as a QNN DLC, but found bytes of no known format")])
def test_a_binary_that_is_none_is_refused(client, npu, tmp_path, suffix, content, expected):
    path = tmp_path / ("net" + suffix)
    path.write_bytes(content)
    words = refusal(lambda: client.submit_profile_job(client.upload_model(str(path)), npu, options="--allow_emulation"))
    assert expected in words


def test_missing_external_data_is_named(client, cpu, tmp_path):
    folder = tiny_models.save_with_external_data(tiny_models.convolution(), tmp_path / "net.onnx")
    (folder / "model.data").unlink()
    assert "model.data" in refused_when_used(client, cpu, folder)


def test_external_data_beside_a_single_file_is_missed_by_name(client, cpu, tmp_path):
    folder = tiny_models.save_with_external_data(tiny_models.convolution(), tmp_path / "net.onnx")
    assert "model.data" in refused_when_used(client, cpu, folder / "model.onnx")


def test_truncated_external_data_is_refused(client, cpu, tmp_path):
    folder = tiny_models.save_with_external_data(tiny_models.convolution(), tmp_path / "net.onnx")
    data = (folder / "model.data").read_bytes()
    (folder / "model.data").write_bytes(data[: len(data) // 2])
    assert "model.data" in refused_when_used(client, cpu, folder)


@pytest.mark.parametrize("location", ["../../../../etc/passwd", "/etc/passwd", "sub/../../secret"])
def test_external_data_outside_the_directory_is_refused(client, cpu, tmp_path, location):
    folder = tiny_models.save_with_external_data(tiny_models.convolution(), tmp_path / "net.onnx")
    model = onnx.load(folder / "model.onnx", load_external_data=False)
    for tensor in model.graph.initializer:
        for entry in tensor.external_data:
            if entry.key == "location":
                entry.value = location
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    words = refused_when_used(client, cpu, folder)
    assert f'external data file "{location}"' in words and "must stay inside the model's folder" in words
    assert "root:" not in words


@pytest.mark.parametrize(("name", "expected"), [
    ("../evil.onnx", "climbs out of its folder"), ("net/../../evil.onnx", "climbs out of its folder"),
    ("/tmp/evil.onnx", "has an absolute path"), ("net/..\\..\\evil.onnx", "has a backslash")])
def test_an_archive_that_climbs_out_is_refused(client, cpu, tmp_path, good_bytes, name, expected):
    path = archive(tmp_path / "net.zip", {"net/model.onnx": good_bytes, name: b"evil"})
    assert f'the zip entry "{name}" {expected}' in refused_zip(client, cpu, path)


def test_a_link_in_an_archive_is_refused(client, cpu, tmp_path, good_bytes):
    path = tmp_path / "net.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("net/model.onnx", good_bytes)
        link = zipfile.ZipInfo("net/model.data")
        link.create_system, link.external_attr = 3, 0o120777 << 16
        file.writestr(link, "/etc/passwd")
    assert 'the zip entry "net/model.data" is a link' in refused_zip(client, cpu, path)


def test_an_archive_with_two_directories_is_refused(client, cpu, tmp_path, good_bytes):
    path = archive(tmp_path / "net.zip", {"a/model.onnx": good_bytes, "b/model.onnx": good_bytes})
    assert "the zip must hold one folder and everything in it" in refused_zip(client, cpu, path)


def test_an_archive_that_unpacks_to_far_more_is_refused(client, cpu, tmp_path, good_bytes):
    path = tmp_path / "net.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as file:
        file.writestr("net/model.onnx", good_bytes)
        with file.open("net/model.data", "w", force_zip64=True) as entry:
            block = bytes(1 << 24)
            for _ in range(64):
                entry.write(block)
    assert path.stat().st_size < 2 << 20
    assert "the zip unpacks to more than" in refused_zip(client, cpu, path)


@pytest.mark.parametrize(("kind", "expected"), [
    ("random", "not an ONNX model: found bytes of no format known here"), ("empty", "the file is empty (0 bytes)"),
    ("truncated", "not a readable zip archive")])
def test_an_archive_that_is_none_is_refused(client, cpu, tmp_path, good_bytes, kind, expected):
    path = archive(tmp_path / "net.zip", {"net/model.onnx": good_bytes})
    whole = path.read_bytes()
    path.write_bytes({"random": RANDOM_BYTES, "empty": b"", "truncated": whole[: len(whole) // 2]}[kind])
    assert expected in refused_zip(client, cpu, path)


def h5(write):
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        write(file)
    return buffer.getvalue()


def no_names(file):
    group = file.create_group("data/0")
    group.create_dataset("batch_0", data=np.zeros((1, 3, 16, 16), np.float32))


def no_group(file):
    file.create_dataset("x", data=np.zeros((1, 3, 16, 16), np.float32))


def gap(file):
    group = file.create_group("data/0")
    group.attrs["name"], group.attrs["order"], group.attrs["batch_count"] = "x", 0, 2
    group.create_dataset("batch_0", data=np.zeros((1, 3, 16, 16), np.float32))


def outward_link(file):
    group = file.create_group("data/0")
    group.attrs["name"], group.attrs["order"], group.attrs["batch_count"] = "x", 0, 1
    group["batch_0"] = h5py.ExternalLink("/etc/hostname", "/x")


def text(file):
    group = file.create_group("data/0")
    group.attrs["name"], group.attrs["order"], group.attrs["batch_count"] = "x", 0, 1
    group.create_dataset("batch_0", data=np.array([b"abc", b"def"]))


@pytest.mark.parametrize(("content", "expected"), [
    (b"", "the file is empty (0 bytes)"),
    (RANDOM_BYTES, "a dataset is an HDF5 file, but found bytes of no known format"),
    (h5(no_group), 'expected the group "data" in the file, found none'),
    (h5(no_names), '"data/0" has no attribute "name"'),
    (h5(gap), '"data/0/batch_1" is missing'),
    (h5(outward_link), '"data/0/batch_0" is missing'),
    (h5(text), '"data/0/batch_0" holds strings, expected float16'),
    (h5(lambda file: file.create_group("data")), "expected one entry for each input"),
    (h5(no_names)[:1000], "the HDF5 file cannot be opened (truncated file")],
    ids=["empty", "random", "no group", "no names", "a sample missing", "a link to another file", "text", "no entries",
         "truncated"])
def test_a_dataset_that_is_none_is_refused_when_used(client, cpu, convolution, tmp_path, content, expected):
    path = tmp_path / "data.h5"
    path.write_bytes(content)
    words = refusal(lambda: client.submit_inference_job(convolution[0], cpu, client.upload_dataset(str(path))))
    assert expected in words


def test_an_unknown_model_is_refused_at_submission(client, cpu):
    compilation = CompileJob(model=ModelMessage(model_id="mzzzzzzzz"), name="none")
    compilation.devices.devices.add().name = cpu.name
    run = InferenceJob(model=ModelMessage(model_id="mzzzzzzzz"), name="none", is_profiling_on=True)
    run.device.name = cpu.name
    for create, job in ((public_rest_api.create_compile_job, compilation), (public_rest_api.create_inference_job, run)):
        with pytest.raises(public_rest_api.APIException) as refused:
            create(client.config, job)
        assert "mzzzzzzzz" in str(refused.value)


def test_an_unknown_dataset_is_refused_at_submission(client, cpu, convolution):
    job = InferenceJob(model=ModelMessage(model_id=convolution[0].model_id), dataset=Dataset(dataset_id="dzzzzzzzz"),
                       name="none", is_profiling_on=True)
    job.device.name = cpu.name
    with pytest.raises(public_rest_api.APIException) as refused:
        public_rest_api.create_inference_job(client.config, job)
    assert "dzzzzzzzz" in str(refused.value)


def test_a_model_whose_upload_never_ended_is_refused(client, cpu):
    reply = public_rest_api._create_model(client.config, ModelMessage(name="nothing", model_type=SourceModelType.ONNX.value,
                                                                      is_directory=False))
    words = refusal(lambda: client.submit_compile_job(client.get_model(reply.id), cpu))
    assert "is not uploaded yet" in words


def test_the_hub_still_works(client, cpu, convolution):
    """Runs after the others: what they sent did no harm."""
    succeed(client.submit_compile_job(convolution[0], cpu))
