"""The consumer of the worker and of its group: honest about its membership, fair between partitions."""

from collections.abc import Callable
from typing import Any

from kafka import KafkaConsumer
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.structs import MemberState

from triage.errors import Fenced
from triage.topics.kafka_compat.connections import closing_on_failure
from triage.topics.kafka_compat.fair_reading import read_fairly
from triage.topics.kafka_compat.offsets import report_resets
from triage.topics.kafka_compat.unreadable_batches import stop_at_unreadable
from triage.topics.kafka_types import ConsumerRecord, GroupMetadata, TopicPartition
from triage.topics.unreadable import UnreadableBatch


class CooperativeConsumer(KafkaConsumer):
    """A consumer with cooperative rebalancing that notices when the broker has removed it from its group (expelled it).

    kafka-python's consumer does not, in two ways. A member that learns of its expulsion from a refused JoinGroup joins
    again in the same call, still claiming its earlier partitions and positions: the leader then assigns a partition
    both to it and to its current owner. And a join that completes between two polls is dropped and started again, for
    the whole group; only a poll that waits notices it (`rejoining`). Remove when `make faults ARGS="--only 'worker
    frozen' 'Kafka network stalled'"` finds no duplicates with a plain KafkaConsumer.
    """

    def __init__(
        self,
        *topics: str,
        unreadable: Callable[[UnreadableBatch], None] | None = None,
        weight_of: Callable[[TopicPartition], int] = lambda _: 1,
        **configs: Any,
    ) -> None:
        """Create the consumer; `configs` are those of KafkaConsumer.

        `unreadable` is called with each batch that can't be read, as `stop_at_unreadable` describes. `weight_of` gives
        the weight of a partition for `read_fairly`.
        """
        self._member_id = ""
        consumer = self

        class HonestAssignor(CooperativeStickyAssignor):
            """A partition assignor that claims no partitions for a consumer that has lost its membership.

            The library calls it on its network thread.
            """

            def metadata(self, topics: Any) -> Any:
                if consumer._is_expelled(consumer.group_metadata()):
                    self.member_assignment = None
                return super().metadata(topics)

        with closing_on_failure() as client:
            super().__init__(*topics, partition_assignment_strategy=[HonestAssignor], kafka_client=client, **configs)
        self._resets: dict[TopicPartition, int] = {}
        report_resets(self, self._resets.__setitem__)
        read_fairly(self, weight_of)
        if unreadable is not None:
            stop_at_unreadable(self, unreadable)

    @property
    def rejoining(self) -> bool:
        return bool(self._coordinator.need_rejoin() or self.group_metadata().state != MemberState.STABLE)

    def resets(self) -> dict[TopicPartition, int]:
        """Next offset of each partition where Kafka was found not to have it any more since the last call."""
        found = dict(self._resets)
        self._resets.clear()
        return found

    def records(self, max_records: int, timeout_ms: int) -> dict[TopicPartition, list[ConsumerRecord]]:
        found: dict[TopicPartition, list[ConsumerRecord]] = self.poll(timeout_ms=timeout_ms, max_records=max_records)
        return found

    def attend(self, timeout_ms: int) -> None:
        """Send heartbeats and take part in rebalances, without fetching or returning records.

        It replaces `pause`, `poll` and `resume`: since dpkp/kafka-python#2981 the library sets aside what it has
        fetched of a paused partition, and loses it if another partition is read to its end before the first is resumed.
        Remove when `test_the_library_forgets_a_partition_paused_in_mid_fetch_once_another_was_read` fails.
        """
        self._coordinator.poll(timeout_ms=timeout_ms)

    def membership(self) -> GroupMetadata:
        """Return the group metadata of this consumer, which a transaction sends when it commits offsets.

        Raises Fenced if the group has expelled it: its partitions then belong to another member, and Kafka would accept
        a commit without a member's name.
        """
        now: GroupMetadata = self.group_metadata()
        if self._is_expelled(now):
            raise Fenced(f"{self.config['client_id']} was expelled from its group")
        if now.generation_id >= 0:
            self._member_id = now.member_id
        return now

    def _is_expelled(self, now: GroupMetadata) -> bool:
        return bool(self._member_id) and (now.member_id != self._member_id or now.generation_id < 0)
