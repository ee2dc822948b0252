"""The pages behind the links that the client prints."""

import requests
from expectations import succeed


def test_a_jobs_page_needs_a_sign_in(client, cpu, convolution):
    job = succeed(client.submit_compile_job(convolution[0], cpu, name="a secret name"))
    reply = requests.get(job.url, timeout=20, allow_redirects=True)
    assert "a secret name" not in reply.text
    assert reply.status_code in (200, 401, 403)
    assert "<form" in reply.text.lower(), "the way in is shown"


def test_the_pages_do_not_take_another_sites_scripts(hub):
    reply = requests.get(hub.url, timeout=20)
    policy = reply.headers.get("Content-Security-Policy", "")
    assert "default-src 'self'" in policy or "default-src 'none'" in policy
    assert reply.headers.get("X-Content-Type-Options") == "nosniff"
