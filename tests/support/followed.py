"""A topic of one partition that returns the records of a test and then nothing more."""

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any

from triage.errors import AccessDenied, ConfigError, TriageError


class FollowedTopic:
    """Takes the place of TopicScan; each scan reads all records. `failures` are raised by the first scans, one each.

    The first `unreadable` readers may see the topic, but not its records.
    """

    def __init__(self, *values: bytes | None, failures: Iterable[TriageError] = (), unreadable: int = 0) -> None:
        self.records = [
            SimpleNamespace(key=b"\xffk", value=value, offset=at, timestamp=50) for at, value in enumerate(values)
        ]
        self.partitions = ["p"]
        self.failures = list(failures)
        self.unreadable = unreadable
        self.scans = 0

    def __call__(self, *_: object, **__: object) -> "_Scan":
        self.scans += 1
        if self.failures:
            raise self.failures.pop(0)
        return _Scan(self)


class _Scan(contextlib.nullcontext["_Scan"]):
    def __init__(self, topic: FollowedTopic) -> None:
        super().__init__(self)
        self._topic, self._at = topic, 0

    def partitions(self, _: object) -> list[str]:
        return list(self._topic.partitions)

    def existing_partitions(self, name: str) -> list[str]:
        if not self._topic.partitions:
            raise ConfigError(f"topic {name} does not exist")
        return self.partitions(name)

    def ranges(self, partitions: Iterable[str]) -> dict[str, tuple[int, int]]:
        return {each: (0, len(self._topic.records)) for each in partitions}

    def read(self, ranges: Mapping[str, tuple[int, int]]) -> Iterator[list[Any]]:
        start, end = ranges["p"]
        if start < end:
            yield self._topic.records[start:end]

    def follow(self, _: object) -> Iterator[list[Any]]:
        if self._topic.unreadable:
            self._topic.unreadable -= 1
            yield []
            raise AccessDenied("kafka", "the user lacks an ACL")
        while True:
            new, self._at = self._topic.records[self._at :], len(self._topic.records)
            yield new

    def reached(self, ends: Mapping[str, int]) -> bool:
        return all(self._at >= end for end in ends.values())
