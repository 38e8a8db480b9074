"""Constructing kafka-python's clients without leaving anything behind."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from kafka.net.compat import KafkaNetClient

from triage.topics.header_names import read_any_header_names


@contextmanager
def cleared_away() -> Iterator[Callable[..., KafkaNetClient]]:
    """A `kafka_client` for a consumer or producer that is constructed in the block, closed if that fails.

    kafka-python 3.0 starts a thread and opens sockets before it asks a broker, and leaves them when none answers: a
    worker that waits for one that starts slowly would have more of them with each try.
    """
    read_any_header_names()
    made: list[KafkaNetClient] = []

    def client(**configs: Any) -> KafkaNetClient:
        made.append(KafkaNetClient(**configs))
        return made[-1]

    try:
        yield client
    except BaseException:
        for each in made:
            with suppress(Exception):
                each.close()
        raise
