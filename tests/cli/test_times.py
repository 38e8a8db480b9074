"""Moments on the command line."""

import pytest

from triage.cli.times import moment_ms
from triage.errors import ConfigError

NOW = 1_795_339_800_000  # 2026-11-22T09:30:00Z


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        (None, None),
        ("now", NOW),
        ("90s", NOW - 90_000),
        ("30m", NOW - 1_800_000),
        ("3d", NOW - 3 * 86_400_000),
        ("999999999d", 0),
        ("2026-11-22T09:30:00Z", NOW),
        ("2026-11-22T09:30", NOW),
        ("2026-11-22T10:30:00+01:00", NOW),
        ("2026-11-22", NOW - 34_200_000),
    ],
)
def test_moments(text, ms):
    assert moment_ms(text, NOW, "--from") == ms


@pytest.mark.parametrize(
    "text", ["", "yesterday", "3 weeks", "-3d", "2026-13-01", "1969-01-01", "9999-12-31T23:59-12:00"]
)
def test_what_is_none_is_refused_with_the_flag(text):
    with pytest.raises(ConfigError, match="--from takes"):
        moment_ms(text, NOW, "--from")
