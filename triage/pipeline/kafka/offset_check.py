"""Whether Kafka's answer to where a group has come to is as new as the group's own output says."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from triage.clock import Clock
from triage.errors import AccessDenied
from triage.logging import get_logger
from triage.pipeline.batch import Partition

log = get_logger("triage.offsets")

_ASK_S = 0.5


@dataclass(frozen=True, slots=True)
class ProcessedOffset:
    """The offset behind the last record of a partition that was processed and committed, and when that was."""

    offset: int
    at_ms: int


@dataclass(frozen=True)
class Kafka:
    """What the check asks; all raise Unavailable, `output` also AccessDenied.

    `output` says what the ends of the group's output speak of; `committed` is the coordinator's answer; `hold` those
    whose record before the offset is not younger than that, or is no longer kept: the topic was not made anew since.
    """

    output: Callable[[], Mapping[Partition, ProcessedOffset]]
    committed: Callable[[Iterable[Partition]], Mapping[Partition, int | None]]
    hold: Callable[[Mapping[Partition, ProcessedOffset]], set[Partition]]


class CommittedOffsetVerifier:
    """One for the life of a worker, over the feeds that it rebuilds.

    A broker that was killed may answer after its start as if it had never heard of the group, or with offsets of long
    ago, for seconds or until it is started again (decision 14). Who reads on from there does everything since once
    more. But a transaction commits offsets together with its counts: what a committed message of `window-counts` says
    was counted is committed. As the broker loads commits in order, all of them are known once the newest are.
    """

    def __init__(self, kafka: Kafka, clock: Clock, wall: Clock, patience_s: float) -> None:
        self._kafka = kafka
        self._clock = clock
        self._wall = wall
        self._patience_s = patience_s
        self._own: dict[Partition, ProcessedOffset] = {}
        self._refuted: dict[Partition, ProcessedOffset] = {}
        self._reached: dict[Partition, ProcessedOffset] | None = None
        self._since = self._asked = 0.0
        self._told = False
        # A broker that was waited for once is not loading any more: joining again need not wait until it answers well.
        self._waited_out = False

    def note(self, offsets: Mapping[Partition, int]) -> None:
        """This process has committed these."""
        now_ms = self._wall.now_ms()
        self._own |= {partition: ProcessedOffset(offset, now_ms) for partition, offset in offsets.items()}

    def begin(self) -> None:
        """Partitions were assigned: what is known of the output is looked up anew."""
        self._reached = None

    def resume_offsets(self) -> Mapping[Partition, int] | None:
        """From where at least to read on: {} where the committed offsets can be believed. None: ask again later.

        After `begin`. Raises Unavailable when Kafka does not answer.
        """
        if not self._patience_s:
            return {}
        now = self._clock.monotonic()
        if self._reached is None:
            self._reached = self._known()
            self._since, self._asked, self._told = now, now - _ASK_S, False
        if not self._reached:
            return {}
        if now - self._asked < _ASK_S:
            return None
        self._asked = now
        committed = self._kafka.committed(self._reached)
        behind = {
            partition: reached
            for partition, reached in self._reached.items()
            if (committed.get(partition) or 0) < reached.offset
        }
        if not behind:
            if self._told:
                log.info("committed_offsets_caught_up", after_s=round(now - self._since, 1))
            self._waited_out = False
            return {}
        if now - self._since < self._patience_s and not self._waited_out:
            self._tell(behind, committed)
            return None
        return self._proven(behind, committed)

    def resume_offsets_in_open_transaction(self, partitions: Iterable[Partition]) -> Mapping[Partition, int]:
        """The same where the coordinator does not answer because of a transaction that it holds for open.

        {}: it may still end. None outlives `worker.transaction_timeout_ms`, unless the broker is out of joint.
        """
        if not self._patience_s or self._clock.monotonic() - self._since < self._patience_s:
            return {}
        found = {partition: offset or 0 for partition, offset in self._kafka.committed(partitions).items()}
        log.warning(
            "reading_on_from_the_output",
            put_out=_named(found),
            effect="Kafka holds a transaction of the group for open that does not end",
        )
        return found

    def _known(self) -> dict[Partition, ProcessedOffset]:
        try:
            known = dict(self._kafka.output())
        except AccessDenied as error:
            known = {}
            log.warning(
                "output_unreadable",
                error=str(error),
                effect="committed offsets are checked against this worker's own commits only",
            )
        for partition, own in self._own.items():
            if partition not in known or known[partition].offset < own.offset:
                known[partition] = own
        return {
            partition: reached
            for partition, reached in known.items()
            if partition not in self._refuted or self._refuted[partition].at_ms < reached.at_ms
        }

    def _tell(self, behind: Mapping[Partition, ProcessedOffset], committed: Mapping[Partition, int | None]) -> None:
        if not self._told:
            log.warning(
                "committed_offsets_behind_output",
                committed=_named({partition: committed.get(partition) for partition in behind}),
                put_out=_named({partition: reached.offset for partition, reached in behind.items()}),
                effect=f"asking again for up to {self._patience_s:g} s; Kafka may still be loading them",
            )
        self._told = True

    def _proven(
        self, behind: Mapping[Partition, ProcessedOffset], committed: Mapping[Partition, int | None]
    ) -> Mapping[Partition, int]:
        assert self._reached is not None
        self._waited_out = True
        hold = self._kafka.hold(self._reached)
        self._refuted |= {partition: reached for partition, reached in self._reached.items() if partition not in hold}
        proven = {partition: reached.offset for partition, reached in self._reached.items() if partition in hold}
        log.warning(
            "reading_on_from_the_output",
            committed=_named({partition: committed.get(partition) for partition in behind}),
            put_out=_named({partition: offset for partition, offset in proven.items() if partition in behind}),
            effect="Kafka has lost the group's newer offsets; what was put out is not processed again",
        )
        return proven


def _named(offsets: Mapping[Partition, int | None]) -> dict[str, int | None]:
    return {f"{topic}/{number}": offset for (topic, number), offset in sorted(offsets.items())}
