"""Worker processes with a model that misbehaves on request, under a supervisor."""

import pytest
from chaos.fleet import SupervisedFleet
from chaos.stack import Stack


@pytest.fixture
def supervised(stack, prefix, tmp_path):
    """`supervised(**flags)` makes a fleet on topics and an index of its own, behind the proxies of `fleet.stack`."""
    ends = []

    def make(**flags):
        behind = Stack(stack)
        ends.append(behind)
        fleet = SupervisedFleet(behind, prefix, tmp_path, **{"worker.crash_attempts": 2} | flags)
        ends.append(fleet)
        fleet.stack = behind
        return fleet.prepare()

    yield make
    for end in reversed(ends):
        end.close()
