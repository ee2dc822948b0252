"""The list of skipped tests at the end of `make test`."""

import subprocess
import sys
from pathlib import Path

TOOL = Path(__file__).resolve().parents[2] / "tools/skipped_tests.py"
PYTEST = """<testsuites><testsuite><testcase classname="a.test_b" name="test_c[x]"><skipped message="no PyTorch"/></testcase>
<testcase classname="a.test_b" name="test_c[y]"><skipped message="no PyTorch"/></testcase>
<testcase classname="a.test_b" name="test_d"/></testsuite></testsuites>"""
GOOGLETEST = """<testsuites><testsuite><testcase classname="Camera" name="opens"><skipped message="src/x_test.cpp:9&#10;no camera"/></testcase>
</testsuite></testsuites>"""


def listed(folder):
    return subprocess.run([sys.executable, str(TOOL), str(folder)], capture_output=True, text=True, check=False)


def test_every_skipped_test_is_named_under_its_reason(tmp_path):
    (tmp_path / "conformance.xml").write_text(PYTEST)
    (tmp_path / "camera_test.xml").write_text(GOOGLETEST)
    done = listed(tmp_path)
    assert done.returncode == 0
    assert done.stdout.splitlines() == ["3 of 4 tests skipped", "    2  no PyTorch", "         a.test_b.test_c (2)", "    1  no camera",
                                        "         Camera.opens"]


def test_no_reports_are_an_error_and_not_no_skips(tmp_path):
    done = listed(tmp_path)
    assert done.returncode == 1 and "no reports of tests" in done.stderr
