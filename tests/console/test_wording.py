"""Numbers and times as the page writes them."""

import pytest

from triage.console import wording

NOW = 1_795_339_800_000  # 2026-11-22T09:30:00Z
MINUTE = 60_000


@pytest.mark.parametrize(("ms", "shown"), [
    (0, "under a minute"), (59_999, "under a minute"), (MINUTE, "1 min"), (60 * MINUTE, "1 h"),
    (130 * MINUTE, "2 h 10 min"), (24 * 60 * MINUTE, "1 d"), (76 * 60 * MINUTE + MINUTE, "3 d 4 h"),
    (-5, "under a minute"),
])  # fmt: skip
def test_duration(ms, shown):
    assert wording.duration(ms) == shown


@pytest.mark.parametrize(("ms", "shown"), [
    (NOW, "09:30"), (NOW - 10 * 60 * MINUTE, "Nov 21, 23:30"), (NOW - 400 * 24 * 60 * MINUTE, "Oct 18 2025, 09:30"),
])  # fmt: skip
def test_when(ms, shown):
    assert wording.when(ms, NOW) == shown


def test_numbers():
    assert (wording.number(12345), wording.number(None)) == ("12,345", "–")
    assert (wording.percent(0.914), wording.percent(None)) == ("91%", "–")
    assert [wording.quantity(value) for value in (12.34, 3.44, 2.0, 0.06)] == ["12", "3.4", "2", "0.1"]
