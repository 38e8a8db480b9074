"""Local receivers that answer as a test says."""

import asyncio
import contextlib

import pytest
from scripted_http import scripted_servers


@pytest.fixture
def serve():
    """`serve(answer)` starts a scripted server for the test."""
    with scripted_servers() as start:
        yield start


@pytest.fixture
def tell():
    """`tell(notifier, notification, ...)` sends in order and closes."""

    def run(notifier, *notifications, linger_s=0):
        async def send():
            async with contextlib.AsyncExitStack() as stack:
                stack.push_async_callback(notifier.close)
                try:
                    for notification in notifications:
                        await notifier.send(notification)
                finally:
                    # A TLS transport that was told to close says goodbye first; the loop must live to see it.
                    await asyncio.sleep(linger_s)

        asyncio.run(send())

    return run
