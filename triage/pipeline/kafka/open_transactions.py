"""Reports partitions with a transaction that its producer left open: nothing after its start can be read."""

from collections.abc import Mapping

from triage.clock import Clock
from triage.logging import get_logger
from triage.metrics import Metrics
from triage.pipeline.batch import Partition
from triage.pipeline.source import PartitionState
from triage.runtime.health import Health

log = get_logger("triage.feed")

_NAMED_AFTER_S = 60.0


class OpenTransactions:
    """Reports, in metrics, log and health page, partitions whose records wait for the end of an open transaction.

    A worker uses one instance for its whole life, an alerter one per app, each on its reading thread only.
    """

    def __init__(self, clock: Clock, metrics: Metrics | None = None, health: Health | None = None) -> None:
        self._clock = clock
        self._metrics = metrics or Metrics()
        self._health = health or Health(clock)
        # The offset up to which a partition can be read, and since when that has not moved.
        self._since: dict[Partition, tuple[int, float]] = {}
        self._named: set[Partition] = set()

    def watch(self, states: Mapping[Partition, PartitionState]) -> None:
        """Update the report on open transactions from the current state of all assigned partitions.

        A partition is logged and shown on the health page once it could not be read further for 60 s.
        """
        now = self._clock.monotonic()
        for partition in self._since.keys() - states.keys():
            self._forget(partition)
        for partition, state in states.items():
            if not state.held:
                self._forget(partition)
                continue
            self._metrics.open_transaction_records.labels(*partition).set(state.held)
            end, since = self._since.get(partition, (-1, now))
            if end != state.end:
                since = now
            self._since[partition] = (state.end, since)
            if now - since >= _NAMED_AFTER_S:
                self._name(partition, state, now - since)

    def _name(self, partition: Partition, state: PartitionState, seconds: float) -> None:
        place = f"{partition[0]}/{partition[1]}"
        why = (
            f"a producer has left a transaction open at offset {state.end} for {seconds:.0f} s; {state.held} records "
            "wait for its end; find it: kafka-transactions.sh find-hanging"
        )
        if partition not in self._named:
            self._named.add(partition)
            log.warning("open_transaction", partition=place, offset=state.end, records=state.held, why=why)
        self._health.waiting_for(_dependency(partition), why)

    def _forget(self, partition: Partition) -> None:
        if self._since.pop(partition, None) is not None:
            self._metrics.open_transaction_records.remove(*partition)
        if partition in self._named:
            self._named.remove(partition)
            self._health.recovered(_dependency(partition))


def _dependency(partition: Partition) -> str:
    return f"the transaction on {partition[0]}/{partition[1]}"
