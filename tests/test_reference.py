"""The reference pages say what the code says."""

from pathlib import Path

import pytest

from triage.reference import PAGES

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "reference"


@pytest.mark.parametrize("name", PAGES)
def test_page_is_current(name):
    assert (FOLDER / name).read_text("utf-8") == PAGES[name](), "run python -m triage.reference docs/reference"
