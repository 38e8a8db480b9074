from itertools import chain, repeat
from typing import Any

import pytest
from kafka.errors import CoordinatorNotAvailableError, GroupAuthorizationFailedError

from triage.clock import ManualClock
from triage.topics.group_offsets import described_groups


class NewCluster:
    """An admin client whose first answers are these errors."""

    def __init__(self, *errors: Exception) -> None:
        self._errors = iter(errors)
        self.asked = 0

    def describe_groups(self, groups: list[str]) -> dict[str, dict[str, Any]]:
        self.asked += 1
        if (error := next(self._errors, None)) is not None:
            raise error
        return {group: {"members": []} for group in groups}


def no_coordinator() -> Exception:
    return CoordinatorNotAvailableError("FindCoordinatorResponse error for GROUP/triage: ")


def test_a_group_whose_coordinator_is_being_elected_is_asked_again() -> None:
    clock, admin = ManualClock(), NewCluster(no_coordinator(), no_coordinator())
    assert described_groups(admin, ["triage"], clock) == {"triage": {"members": []}}  # type: ignore[arg-type]
    assert 0 < clock.monotonic() < 5


def test_the_wait_for_an_election_is_bounded() -> None:
    clock, admin = ManualClock(), NewCluster(*repeat(no_coordinator(), 100))
    with pytest.raises(CoordinatorNotAvailableError):
        described_groups(admin, ["triage"], clock)  # type: ignore[arg-type]
    assert 4 < clock.monotonic() <= 5


def test_a_missing_right_is_not_asked_for_again() -> None:
    admin = NewCluster(*chain([GroupAuthorizationFailedError()], repeat(no_coordinator(), 3)))
    with pytest.raises(GroupAuthorizationFailedError):
        described_groups(admin, ["triage"], ManualClock())  # type: ignore[arg-type]
    assert admin.asked == 1
