"""Whether Kafka's answer to where a group has come to is as new as the group's own output says."""

from collections.abc import Callable, Iterable, Mapping

from triage.clock import Clock
from triage.errors import AccessDenied
from triage.logging import get_logger
from triage.pipeline.batch import Partition

log = get_logger("triage.offsets")

_ASK_S = 0.5


class OffsetCheck:
    """One for the life of a worker, over the feeds that it rebuilds.

    A broker that was killed may answer for a while after its start as if it had never heard of the group, or with
    offsets of long ago (decision 14). Who reads on from there does everything since once more. But a transaction
    commits offsets together with its counts: what a committed message of `window-counts` says was counted is committed.
    As the broker loads commits in order, all of them are known once the newest are.

    `evidence` gives lower bounds from the output, `ask` the committed offsets of partitions.
    """

    def __init__(
        self,
        evidence: Callable[[], Mapping[Partition, int]],
        ask: Callable[[Iterable[Partition]], Mapping[Partition, int | None]],
        clock: Clock,
        patience_s: float,
    ) -> None:
        self._evidence = evidence
        self._ask = ask
        self._clock = clock
        self._patience_s = patience_s
        self._own: dict[Partition, int] = {}
        self._given_up: dict[Partition, int] = {}
        self._least: dict[Partition, int] | None = None
        self._since = self._asked = 0.0
        self._told = False

    def committed(self, offsets: Mapping[Partition, int]) -> None:
        """This process has committed these."""
        self._own |= offsets

    def begin(self) -> None:
        """Partitions were assigned: what is known of the output is looked up anew."""
        self._least = None

    def passes(self) -> bool:
        """Whether the committed offsets can be read on from; to be asked again while not, and `begin` before.

        Raises Unavailable when Kafka does not answer.
        """
        if not self._patience_s:
            return True
        now = self._clock.monotonic()
        if self._least is None:
            self._least = self._bounds()
            self._since, self._asked, self._told = now, now - _ASK_S, False
        if not self._least:
            return True
        if now - self._asked < _ASK_S:
            return False
        self._asked = now
        committed = self._ask(self._least)
        behind = {
            partition: least for partition, least in self._least.items() if (committed.get(partition) or 0) < least
        }
        if not behind:
            if self._told:
                log.info("committed_offsets_caught_up", after_s=round(now - self._since, 1))
            return True
        return self._wait(now, behind, committed)

    def _bounds(self) -> dict[Partition, int]:
        try:
            least = dict(self._evidence())
        except AccessDenied as error:
            least = {}
            log.warning(
                "output_unreadable",
                error=str(error),
                effect="committed offsets are checked against this worker's own commits only",
            )
        for partition, offset in self._own.items():
            least[partition] = max(offset, least.get(partition, 0))
        return {partition: offset for partition, offset in least.items() if offset > self._given_up.get(partition, 0)}

    def _wait(self, now: float, behind: Mapping[Partition, int], committed: Mapping[Partition, int | None]) -> bool:
        names = {f"{topic}/{number}": least for (topic, number), least in sorted(behind.items())}
        found = {f"{topic}/{number}": committed.get((topic, number)) for topic, number in sorted(behind)}
        if now - self._since < self._patience_s:
            if not self._told:
                log.warning(
                    "committed_offsets_behind_output",
                    committed=found,
                    put_out=names,
                    effect=f"asking again for up to {self._patience_s:g} s; Kafka may still be loading them",
                )
            self._told = True
            return False
        log.warning(
            "committed_offsets_taken_as_they_are",
            committed=found,
            put_out=names,
            effect="records that were processed are processed again; expected after offsets were reset on purpose",
        )
        self._given_up |= behind
        for partition in behind:
            self._own.pop(partition, None)
        return True
