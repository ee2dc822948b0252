from pathlib import Path

import pytest

_ASSETS = Path(__file__).parents[2] / ".deps" / "assets"


@pytest.fixture
def asset():
    """A file of the demo's assets; the test is skipped where the set-up has not fetched them."""

    def find(name: str) -> Path:
        path = _ASSETS / name
        if not path.exists():
            pytest.skip(f"{path} is missing: run tools/setup.sh python assets")
        return path

    return find
