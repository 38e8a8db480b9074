"""A topic of one partition that gives the records of a test and then nothing more."""

import contextlib
from types import SimpleNamespace

from triage.errors import AccessDenied, ConfigError


class FollowedTopic:
    """In place of TopicScan; each scan gets all of it. `failures` are raised by the first ones, one each.

    The first `unreadable` readers may see the topic, but not its records.
    """

    def __init__(self, *values, failures=(), unreadable=0):
        self.records = [
            SimpleNamespace(key=b"\xffk", value=value, offset=at, timestamp=50) for at, value in enumerate(values)
        ]
        self.partitions = ["p"]
        self.failures = list(failures)
        self.unreadable = unreadable
        self.scans = 0

    def __call__(self, *_, **__):
        self.scans += 1
        if self.failures:
            raise self.failures.pop(0)
        return _Scan(self)


class _Scan(contextlib.nullcontext):
    def __init__(self, topic):
        super().__init__(self)
        self._topic, self._at = topic, 0

    def partitions(self, _):
        return list(self._topic.partitions)

    def existing_partitions(self, name):
        if not self._topic.partitions:
            raise ConfigError(f"topic {name} does not exist")
        return self.partitions(name)

    def ranges(self, partitions):
        return {each: (0, len(self._topic.records)) for each in partitions}

    def read(self, ranges):
        start, end = ranges["p"]
        if start < end:
            yield self._topic.records[start:end]

    def follow(self, _):
        if self._topic.unreadable:
            self._topic.unreadable -= 1
            yield []
            raise AccessDenied("kafka", "the user lacks an ACL")
        while True:
            new, self._at = self._topic.records[self._at :], len(self._topic.records)
            yield new

    def reached(self, ends):
        return all(self._at >= end for end in ends.values())
