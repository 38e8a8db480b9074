"""A consumer of one partition that gives the records of a test and then nothing more."""

from types import SimpleNamespace


class FollowedTopic:
    """In place of KafkaConsumer, for threads that follow a topic from its start; each consumer gets all of it."""

    def __init__(self, *values):
        self.records = [SimpleNamespace(key=b"k", value=value, offset=at) for at, value in enumerate(values)]
        self.consumers = 0

    def __call__(self, **_):
        self.consumers += 1
        return _Consumer(self.records)


class _Consumer:
    def __init__(self, records):
        self._records, self._at = records, 0

    def partitions_for_topic(self, _):
        return {0}

    def end_offsets(self, partitions):
        return dict.fromkeys(partitions, len(self._records))

    def assign(self, partitions):
        self._partitions = partitions

    def poll(self, **_):
        new, self._at = self._records[self._at :], len(self._records)
        return {self._partitions[0]: new} if new else {}

    def position(self, _):
        return self._at

    def close(self, **_):
        pass
