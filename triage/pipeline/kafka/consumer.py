"""kafka-python's consumer as an honest member of a cooperative group."""

from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.consumer.fetcher import ConsumerRecord
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.structs import ConsumerGroupMetadata, MemberState

from triage.errors import Fenced
from triage.topics.clients import cleared_away


class GroupConsumer(KafkaConsumer):
    """Knows when the group has gone on without it, which kafka-python 3.0 does not in two ways.

    A member that learns of its expulsion from the refused JoinGroup itself joins again with its claims and positions
    of before: the leader then gives a partition to it and to its owner of now. And a join that is completed between
    two polls is thrown away and begun anew, for the whole group; only a poll that waits sees it (`rejoining`).
    """

    def __init__(self, *topics: str, **configs: Any) -> None:
        self._member_id = ""
        consumer = self

        class HonestAssignor(CooperativeStickyAssignor):
            """Claims no partition once the membership is lost."""

            def metadata(self, topics: Any) -> Any:
                if consumer._outdated(consumer.group_metadata()):
                    self.member_assignment = None
                return super().metadata(topics)

        with cleared_away() as client:
            super().__init__(*topics, partition_assignment_strategy=[HonestAssignor], kafka_client=client, **configs)

    @property
    def rejoining(self) -> bool:
        """Whether a rebalance waits for this member, or it for the rebalance."""
        return bool(self._coordinator.need_rejoin() or self.group_metadata().state != MemberState.STABLE)

    def records(self, max_records: int, timeout_ms: int) -> dict[TopicPartition, list[ConsumerRecord]]:
        """`poll` with its arguments by position."""
        found: dict[TopicPartition, list[ConsumerRecord]] = self.poll(timeout_ms=timeout_ms, max_records=max_records)
        return found

    def attend(self, timeout_ms: int) -> None:
        """Do a member's duties, and neither fetch nor return records: what `pause`, `poll` and `resume` are for.

        kafka-python 3.0 parks what it has fetched of a paused partition, and forgets it there if another partition is
        read to its end before it is resumed (decision 8).
        """
        self._coordinator.poll(timeout_ms=timeout_ms)

    def membership(self) -> ConsumerGroupMetadata:
        """Group metadata to commit with. Raises Fenced after an expulsion.

        Positions are of another time then, and the metadata is empty, with which a commit is not fenced at all.
        """
        now = self.group_metadata()
        if self._outdated(now):
            raise Fenced(f"{self.config['client_id']} was expelled from its group")
        if now.generation_id >= 0:
            self._member_id = now.member_id
        return now

    def _outdated(self, now: ConsumerGroupMetadata) -> bool:
        return bool(self._member_id) and (now.member_id != self._member_id or now.generation_id < 0)
