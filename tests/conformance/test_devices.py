"""Sign-in, devices, frameworks."""

import platform
from pathlib import Path

import pytest
import qai_hub
from qai_hub.client import UserError


def test_the_first_device_is_this_machine_under_its_true_name(cpu):
    names = [line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
             if line.startswith("model name")]
    expected = names[0] if names else platform.machine()
    assert expected.split(" @")[0].split()[0] in cpu.name, f"{cpu.name!r} does not name {expected!r}"
    for attribute in ("os:linux", "framework:onnx", "htp-supports-fp16:true"):
        assert attribute in cpu.attributes


def test_every_attribute_has_exactly_one_colon(client):
    devices = client.get_devices()
    assert len(devices) > 50
    wrong = [(device.name, attribute) for device in devices for attribute in device.attributes if attribute.count(":") != 1]
    assert wrong == []
    assert client.get_device_attributes() == sorted({attribute for device in devices for attribute in device.attributes})


def test_the_tab_s7_is_found_by_name(client):
    (device,) = client.get_devices(name="Samsung Galaxy Tab S7")
    assert "vendor:samsung" in device.attributes
    assert "format:tablet" in device.attributes
    assert "hexagon:v66" in device.attributes


@pytest.mark.parametrize("name", ["Samsung Galaxy S24 (Family)", "QCS6490 (Proxy)", "QCS8550 (Proxy)", "Samsung Galaxy S23",
                                  "Snapdragon X Elite CRD"])
def test_names_of_older_scripts_are_known(client, name):
    (device,) = client.get_devices(name=name)
    assert device.name == name
    assert any(attribute.startswith("hexagon:v") for attribute in device.attributes)


def test_an_unknown_name_matches_nothing(client):
    assert client.get_devices(name="Nokia 3310") == []


def test_all_given_attributes_must_be_present(client):
    both = client.get_devices(attributes=["vendor:samsung", "chipset:qualcomm-snapdragon-8gen3"])
    assert both
    for device in both:
        assert {"vendor:samsung", "chipset:qualcomm-snapdragon-8gen3"} <= set(device.attributes)
    assert {d.name for d in both} < {d.name for d in client.get_devices(attributes="vendor:samsung")}


def test_an_alias_of_a_chip_finds_the_same_devices(client):
    by_marketing = {device.name for device in client.get_devices(attributes="chipset:qualcomm-snapdragon-8gen3")}
    by_silicon = {device.name for device in client.get_devices(attributes="chipset:sm8650")}
    assert by_marketing == by_silicon != set()


def test_os_intervals_are_half_open(client):
    samsung = [d for d in client.get_devices(attributes="vendor:samsung") if "os:android" in d.attributes]
    versions = {device.os for device in samsung}
    assert {"13", "14"} <= versions
    between = client.get_devices(os="[13,14)", attributes=["vendor:samsung", "os:android"])
    assert between and {device.os.split(".")[0] for device in between} == {"13"}
    assert len(client.get_devices(os="[13,)", attributes=["vendor:samsung", "os:android"])) == sum(
        float(device.os) >= 13 for device in samsung)
    assert len(client.get_devices(os="[,13)", attributes=["vendor:samsung", "os:android"])) == sum(
        float(device.os) < 13 for device in samsung)
    exact = client.get_devices(os="14", attributes=["vendor:samsung", "os:android"])
    assert exact and {device.os for device in exact} == {"14"}


def test_a_job_takes_the_match_with_the_latest_os(client, convolution):
    model, _ = convolution
    job = client.submit_compile_job(model, qai_hub.Device(attributes="vendor:samsung"))
    newest = max(float(device.os) for device in client.get_devices(attributes="vendor:samsung"))
    assert float(job.device.os) == newest


def test_a_device_that_is_not_there_is_refused(client, convolution):
    with pytest.raises(UserError, match="is not available"):
        client.submit_compile_job(convolution[0], qai_hub.Device("Nokia 3310"))


def test_frameworks_name_the_compiler_that_is_installed(client):
    frameworks = {framework.name: framework for framework in client.get_frameworks()}
    qairt = frameworks["QAIRT"]
    assert qairt.api_version == "2.50"
    assert qairt.full_version.startswith("2.50")
    assert "default" in qairt.api_tags


def test_a_bad_token_gets_the_clients_own_words(client):
    config = qai_hub.ClientConfig(api_token="nonsense", api_url=client.config.api_url, web_url=client.config.web_url,
                                  verbose=False)
    with pytest.raises(UserError, match="Failed to authenticate"):
        qai_hub.Client(config=config).get_devices()
