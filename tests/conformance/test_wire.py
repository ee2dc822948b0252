"""What the client insists on but never shows: headers, types, transfer rules."""

import hashlib

import pytest
import requests
from qai_hub import public_api_pb2 as messages


@pytest.fixture
def call(hub):
    def request(method, path, token=None, **arguments):
        headers = {"Authorization": f"token {token or hub.token()}", "Content-Type": "application/x-protobuf"}
        return requests.request(method, f"{hub.url.rstrip('/')}/api/v1/{path}", headers=headers, timeout=20,
                                allow_redirects=False, **arguments)

    return request


def test_replies_have_exactly_the_content_type_that_the_client_accepts(call):
    for path in ("devices/", "frameworks/", "models/", "datasets/", "job_summaries/", "jobs/", "users/auth/user/"):
        reply = call("GET", path)
        assert (path, reply.status_code, reply.headers["Content-Type"]) == (path, 200, "application/x-protobuf")


def test_without_a_token_nothing_answers(hub):
    for path in ("devices/", "models/", "jobs/j12345678/", "nonsense/"):
        reply = requests.get(f"{hub.url.rstrip('/')}/api/v1/{path}", timeout=20)
        assert reply.status_code == 401
        assert "detail" in reply.json()


def test_refusals_are_json_with_a_detail(call):
    reply = call("POST", "jobs/", data=messages.Job(compile_job=messages.CompileJob(name="x")).SerializeToString())
    assert reply.status_code in (400, 404)
    assert isinstance(reply.json()["detail"], str)
    assert call("POST", "jobs/", data=b"\xff\xff\xff").status_code == 400
    assert call("GET", "nonsense/").status_code == 404


def start_upload(call, size, name="wire.onnx"):
    created = messages.CreateUpdateResponse.FromString(
        call("POST", "models/", data=messages.Model(name=name, model_type=messages.MODEL_TYPE_ONNX).SerializeToString()).content)
    assert created.id and not created.status and created.creation_time.seconds
    plan = messages.FileUploadResponse.FromString(
        call("GET", f"models/{created.id}/multipart_upload/",
             params={"file_size": size, "supports_s3_credentials": "true", "use_acceleration": "true"}).content)
    assert plan.WhichOneof("method") == "multipart_url"
    return created.id, plan.multipart_url


def test_a_part_may_be_sent_twice_and_answers_with_its_tag(call):
    content = b"x" * 1000
    model_id, plan = start_upload(call, len(content))
    assert len(plan.urls) == 1 and plan.max_part_size >= len(content)
    tags = [requests.put(plan.urls[0], data=content, timeout=20).headers["ETag"] for _ in range(2)]
    assert tags[0] == tags[1] != ""
    complete = messages.FileMultipartUploadComplete(upload_id=plan.upload_id, etags=tags[:1]).SerializeToString()
    assert messages.CreateUpdateResponse.FromString(
        call("POST", f"models/{model_id}/multipart_upload/", data=complete).content).id == model_id
    # A retried completion does no harm.
    again = call("POST", f"models/{model_id}/multipart_upload/", data=complete)
    assert again.status_code == 200


def test_a_completion_with_a_missing_part_is_refused(call):
    model_id, plan = start_upload(call, 10)
    complete = messages.FileMultipartUploadComplete(upload_id=plan.upload_id, etags=["wrong"]).SerializeToString()
    reply = call("POST", f"models/{model_id}/multipart_upload/", data=complete)
    assert reply.status_code == 400


def test_the_number_of_parts_is_what_the_client_counts(call):
    size = 3 * (1 << 30) + 17
    _, plan = start_upload(call, size)
    assert len(plan.urls) == -(-size // plan.max_part_size)
    assert len(set(plan.urls)) == len(plan.urls)


def test_asset_addresses_need_no_token_and_cannot_be_guessed(call, hub, client, convolution):
    from qai_hub import public_rest_api

    plan = public_rest_api.get_model_download_url(client.config, convolution[0].model_id)
    reply = requests.get(plan.url, timeout=20)
    assert reply.status_code == 200
    assert int(reply.headers["Content-Length"]) == len(reply.content)
    head, _, secret = plan.url.partition("?")[0].rstrip("/").rpartition("/")
    changed = plan.url.replace(secret, hashlib.sha256(secret.encode()).hexdigest()[: len(secret)])
    assert requests.get(changed, timeout=20).status_code in (403, 404)


def test_an_upload_to_an_unknown_address_is_refused(hub, call):
    _, plan = start_upload(call, 10)
    assert requests.put(plan.urls[0] + "x", data=b"1234567890", timeout=20).status_code in (400, 403, 404)


def test_repeated_and_combined_filters_are_understood(call):
    devices = messages.DeviceList.FromString(
        call("GET", "devices/", params={"name": "", "os": "", "select": "True",
                                        "attributes": ["vendor:samsung", "os:android"]}).content).devices
    assert len(devices) == 1
    for state in ("10,30", "DONE"):
        assert call("GET", "job_summaries/", params={"state": state}).status_code == 200
    for kind in ("compile", "inference", "3"):
        assert call("GET", "job_summaries/", params={"type": kind}).status_code == 200


def test_login_with_a_wrong_password_is_400(hub):
    reply = requests.post(f"{hub.url.rstrip('/')}/api/v1/users/auth/login/", json={"email": "a@b.c", "password": "x"},
                          timeout=20)
    assert reply.status_code == 400
