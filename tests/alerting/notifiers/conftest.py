"""Local receivers that answer as a test says."""

import asyncio
import contextlib

import pytest
from connections import open_connections
from scripted_http import scripted_servers


@pytest.fixture
def serve():
    """`serve(answer)` starts a scripted server for the test."""
    with scripted_servers() as start:
        yield start


async def hung_up(loop, timeout_s=20):
    """Until no connection of the loop is left open; what still is after that pytest will tell of."""
    deadline = loop.time() + timeout_s
    while open_connections(loop) and loop.time() < deadline:  # noqa: ASYNC110 - the transports tell nobody
        await asyncio.sleep(0.01)


@pytest.fixture
def tell():
    """`tell(notifier, notification, ...)` sends in order and closes."""

    def run(notifier, *notifications):
        async def send():
            async with contextlib.AsyncExitStack() as stack:
                # A TLS transport that was told to close says goodbye first; the loop must live to see it.
                stack.push_async_callback(hung_up, asyncio.get_running_loop())
                stack.push_async_callback(notifier.close)
                for notification in notifications:
                    await notifier.send(notification)

        asyncio.run(send())

    return run
