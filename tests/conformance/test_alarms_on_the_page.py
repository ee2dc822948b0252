"""What a compile warns of stands first on its job's page, as Chromium shows it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import requests
import tiny_models
from browser import Browser, chromium
from expectations import wait_for
from test_cases import GOLDEN, infinite_in_the_source, saturating, slow

pytestmark = pytest.mark.skipif(chromium() is None, reason="needs Chromium")

# The cards of the page in order, each with its class, its heading and its lines, and where it is.
CARDS = """[...document.querySelectorAll("#sections .card")].map((card) => ({
  kind: card.className, title: card.querySelector("h2")?.textContent || "", text: card.innerText,
  top: card.getBoundingClientRect().top, height: card.getBoundingClientRect().height,
  color: getComputedStyle(card).borderLeftColor + getComputedStyle(card).backgroundColor}))"""


@pytest.fixture(scope="module")
def browser(hub, tmp_path_factory):
    with requests.Session() as session, Browser(tmp_path_factory.mktemp("browser") / "profile") as browser:
        session.post(hub.url + "/sign-in/", data={"token": hub.token(), "next": "/jobs/"}, timeout=20)
        for cookie in session.cookies:
            browser.cookie(hub.url, cookie.name, cookie.value)
        yield browser


@pytest.fixture
def cards_of(browser, hub, request):
    """The cards of the page of a job that is done, the job's message and the state that the page shows."""
    def cards_of(job):
        status = wait_for(job)
        assert status.success, status.message
        browser.open(f"{hub.url}/jobs/{job.job_id}/", 'document.querySelectorAll("#sections .card").length > 0')
        if folder := os.environ.get("SLIPWAY_SCREENSHOTS"):
            browser.screenshot(Path(folder) / f"{request.node.name}.png")
        return browser.value_of(CARDS), status.message, browser.value_of('document.getElementById("state").innerText')

    return cards_of


def test_a_warning_is_the_first_card_in_a_colour_of_its_own(client, npu, cards_of):
    cards, message, state = cards_of(client.submit_compile_job(str(GOLDEN / "q_fp16_overflow.onnx"), npu,
                                                               options="--target_runtime precompiled_qnn_onnx"))
    assert state.lower() == "done, with a warning"
    first, *others = cards
    assert first["title"] == "Done, with a warning" and message in first["text"] and "of the peak (alarm over 0.1)" in message
    assert first["height"] > 0 and 0 < first["top"] < 300, "seen without scrolling"
    assert all(first["top"] < card["top"] for card in others)
    assert first["color"] not in {card["color"] for card in others}
    (agreement,) = [card for card in cards if card["title"].startswith("Agreement")]
    assert "alarm" in agreement["text"]


def test_what_cannot_be_compared_is_counted_before_the_other_figures(client, npu, cards_of, tmp_path):
    model = tiny_models.save(infinite_in_the_source(), tmp_path / "infinite.onnx")
    cards, message, _ = cards_of(client.submit_compile_job(str(model), npu, options="--target_runtime qnn_dlc"))
    assert "cannot be compared" in message and message in cards[0]["text"]
    (agreement,) = [card["text"] for card in cards if card["title"].startswith("Agreement")]
    figures = [line for line in agreement.splitlines() if line.startswith("y\t")]
    assert figures and figures[0].split("\t")[1].endswith("of 64") and figures[0].split("\t")[1] != "0 of 64"
    assert agreement.index("Not comparable") < agreement.index("Equal") < agreement.index("Signal to noise")


def test_integers_that_differ_are_alarming_on_the_page(client, npu, cards_of, tmp_path):
    model = tiny_models.save(saturating(), tmp_path / "saturating.onnx")
    cards, message, _ = cards_of(client.submit_compile_job(str(model), npu, options="--target_runtime qnn_dlc"))
    assert "elements are equal (alarm under 90 %)" in message and message in cards[0]["text"]


def test_a_comparison_that_was_left_out_for_time_is_said_first(client, npu, cards_of, tmp_path):
    job = client.submit_compile_job(str(tiny_models.save(slow(), tmp_path / "slow.onnx")), npu,
                                    options="--target_runtime qnn_dlc --compare_limit 1")
    cards, message, state = cards_of(job)
    assert "left out for time" in message and state.lower() == "done, with a warning"
    assert cards[0]["title"] == "Done, with a warning" and message in cards[0]["text"]
    assert "The result was not compared with its source" in cards[0]["text"]


def test_a_job_without_a_warning_shows_none(client, cpu, convolution, cards_of):
    cards, message, state = cards_of(client.submit_compile_job(convolution[0], cpu))
    assert not message and state.lower() == "done"
    assert not any("warn" in card["kind"].split() for card in cards)
