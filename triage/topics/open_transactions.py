"""Waits for the end of open Kafka transactions, so that everything committed before can be read."""

from collections.abc import Iterable

from kafka.admin import OffsetSpec, TransactionState

from triage.clock import Clock, SystemClock
from triage.config import KafkaSettings
from triage.errors import Unavailable
from triage.topics.connect import ask_brokers
from triage.topics.kafka_types import Admin, TopicPartition
from triage.topics.scan import TopicScan

_PAUSE_S = 0.1
_OPEN = (TransactionState.ONGOING, TransactionState.PREPARE_COMMIT, TransactionState.PREPARE_ABORT)


def wait_for_open_transactions(
    scan: TopicScan,
    settings: KafkaSettings,
    partitions: Iterable[TopicPartition],
    timeout_s: float,
    clock: Clock | None = None,
) -> None:
    """Wait until everything that was written to the partitions before this call is committed or aborted.

    Until then `scan` cannot read all of it: a partition can only be read up to its first open transaction, even if
    other producers have committed after that. Raises Unavailable after `timeout_s` seconds, AccessDenied or ConfigError
    if the brokers refuse the request.
    """
    clock = clock or SystemClock()
    requested = list(partitions)
    if not requested:
        return
    latest = dict.fromkeys(requested, OffsetSpec.LATEST)
    found = ask_brokers(settings, lambda admin: admin.list_partition_offsets(latest))
    ends = {each: entry.offset for each, entry in found.items()}
    until = clock.monotonic() + timeout_s
    while open_ones := [each for each, (_, stable) in scan.ranges(requested).items() if stable < ends[each]]:
        if clock.monotonic() >= until:
            names = ", ".join(f"{each.topic}/{each.partition}" for each in open_ones)
            raise Unavailable(
                "kafka",
                f"a transaction on {names} has been open for {timeout_s:g} s, and what follows it can't be read yet; "
                "run this again, or find its producer: kafka-transactions.sh find-hanging",
            )
        clock.sleep(_PAUSE_S)


def wait_for_transactions_of(
    admin: Admin, prefix: str, timeout_s: float, *, except_for: str, clock: Clock | None = None
) -> None:
    """Wait until every open transaction whose transactional id begins with `prefix` is committed or aborted.

    Those that begin after this call are not waited for, nor those of the id `except_for`. Ids that the user may not
    describe are not seen. Raises Unavailable after `timeout_s` seconds, KafkaError if a request fails.
    """
    clock = clock or SystemClock()
    until = clock.monotonic() + timeout_s
    listed = [each for found in admin.list_transactions().values() for each in found]
    ids = {
        each.transactional_id
        for each in listed
        if each.transactional_id.startswith(prefix) and each.transactional_id != except_for and each.state in _OPEN
    }
    waited_for = _begun(admin, ids)
    while waited_for:
        if clock.monotonic() >= until:
            raise Unavailable("kafka", f"transactions of {', '.join(sorted(waited_for))} are open for {timeout_s:g} s")
        clock.sleep(_PAUSE_S)
        waited_for = dict(waited_for.items() & _begun(admin, waited_for).items())


def _begun(admin: Admin, ids: Iterable[str]) -> dict[str, int]:
    """Return the begin of the open transactions of these ids, in ms since the epoch."""
    found = admin.describe_transactions(list(ids))
    return {name: each.transaction_start_time_ms for name, each in found.items() if each.state in _OPEN}
