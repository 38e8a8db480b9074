"""The reference pages are generated from the current code, and describe every setting."""

import pytest
from checkout import ROOT
from deployed import settings

from triage.reference import PAGES

FOLDER = ROOT / "docs" / "reference"


@pytest.mark.parametrize("name", PAGES)
def test_page_is_current(name: str) -> None:
    assert (FOLDER / name).read_text("utf-8") == PAGES[name](), "run python -m triage.reference docs/reference"


def test_every_setting_has_a_description() -> None:
    assert [variable for variable, field in settings().items() if not field.description] == []
