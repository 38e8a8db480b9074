"""Worker processes with a model that misbehaves on request, under a supervisor."""

import pytest
from chaos.fleet import SupervisedFleet
from chaos.stack import Stack


@pytest.fixture
def supervised(stack, prefix, tmp_path):
    """`supervised(**flags)` makes a fleet on its own topics and index, with the proxies of `fleet.stack`."""
    ends = []

    def make(**flags):
        proxied = Stack(stack)
        ends.append(proxied)
        fleet = SupervisedFleet(proxied, prefix, tmp_path, **{"worker.crash_attempts": 2} | flags)
        ends.append(fleet)
        fleet.stack = proxied
        return fleet.prepare()

    yield make
    for end in reversed(ends):
        end.close()
