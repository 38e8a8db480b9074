"""Fills daily indices with months of feedback for the benchmark of the console: records, alerts, corrections."""

import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import msgspec
from elasticsearch import Elasticsearch

from benchmarks.console_records import Kind, alert, kinds
from triage.clock import ManualClock, rfc3339
from triage.config import ElasticsearchSettings
from triage.elastic.naming import IndexNaming, read_daily_from
from triage.elastic.plan import apply, plan_index
from triage.schemas.correction import correction_of
from triage.schemas.enriched import document_id

DAY_MS = 86_400_000
_NDJSON = {"content-type": "application/x-ndjson", "accept": "application/json"}
_BULK = 4_000
_REPORT_S = 15
_AUTHORS = 2_000_000
_ALERTS, _CORRECTIONS, _CORRECTED_MS = 300, 5_000, 7 * DAY_MS


def fill(
    client: Elasticsearch, settings: ElasticsearchSettings, records: int, days: int, end_ms: int, threads: int
) -> float:
    """Create daily indices by the product's templates and index records, evenly over the days before `end_ms`.

    Returns the seconds until all records were sent and searchable.
    """
    apply(client, plan_index(client, settings, ManualClock(end_ms)))
    naming = IndexNaming(settings.index_prefix, read_daily_from(client, settings))
    start_ms = end_ms - days * DAY_MS
    indices = sorted({naming.index_for(min(start_ms + day * DAY_MS, end_ms - 1)) for day in range(days + 1)})
    for name in indices:
        # Without refreshes, segments become as large as possible.
        client.indices.create(index=name, settings={"index": {"refresh_interval": "-1"}})
    pool = kinds(records)
    began = time.perf_counter()
    _send_all(client, _bodies(pool, naming, records, start_ms, end_ms), threads, records)
    for name in indices:
        client.indices.put_settings(index=name, settings={"index": {"refresh_interval": None}})
    client.indices.refresh(index=settings.index_prefix)
    seconds = time.perf_counter() - began
    _index_alerts_and_corrections(client, settings, pool, records, start_ms, end_ms)
    return seconds


def _at_ms(number: int, records: int, start_ms: int, end_ms: int) -> int:
    return start_ms + (end_ms - start_ms) * number // records


def _id(kind: Kind, number: int) -> str:
    return document_id(kind.record.channel, kind.record.source, f"b{number}", None)


def _bodies(pool: list[Kind], naming: IndexNaming, records: int, start_ms: int, end_ms: int) -> Iterator[bytes]:
    """Encoded bulk requests in time order, so that each concerns one or two indices."""
    parts: list[str | bytes] = []
    for number in range(records):
        # A prime step, so that records of neighbouring times are not neighbours in the pool.
        kind, at_ms = pool[number * 7_919 % len(pool)], _at_ms(number, records, start_ms, end_ms)
        parts.append(
            f'{{"index":{{"_index":"{naming.index_for(at_ms)}","_id":"{_id(kind, number)}"}}}}\n'
            f'{{"@timestamp":"{rfc3339(at_ms)}","event":{{"id":"b{number}","ingested":"{rfc3339(at_ms + 800)}"}},'
            f'"author_id":"{number * 2_654_435_761 % _AUTHORS:032x}",'
        )
        parts += (kind.rest, "\n")
        if len(parts) >= 3 * _BULK:
            yield _joined(parts)
            parts.clear()
    if parts:
        yield _joined(parts)


def _joined(parts: list[str | bytes]) -> bytes:
    return b"".join(part.encode() if isinstance(part, str) else part for part in parts)


def _send_all(client: Elasticsearch, bodies: Iterator[bytes], threads: int, records: int) -> None:
    lock, began = threading.Lock(), time.perf_counter()
    sent, reported = 0, began

    def work() -> None:
        nonlocal sent, reported
        while True:
            with lock:
                body = next(bodies, None)
                if body is None:
                    return
            answer = client.options(request_timeout=120).perform_request("POST", "/_bulk", headers=_NDJSON, body=body)
            if answer.body["errors"]:
                first = next(item for item in answer.body["items"] if item["index"].get("error"))
                raise SystemExit(f"Elasticsearch refused a document: {first['index']['error']}")
            with lock:
                sent, now = sent + len(answer.body["items"]), time.perf_counter()
                if now - reported > _REPORT_S:
                    reported = now
                    print(f"{sent:,} of {records:,}, {sent / (now - began):,.0f}/s", file=sys.stderr, flush=True)

    with ThreadPoolExecutor(threads) as executor:
        for done in [executor.submit(work) for _ in range(threads)]:
            done.result()


def _index_alerts_and_corrections(
    client: Elasticsearch, settings: ElasticsearchSettings, pool: list[Kind], records: int, start_ms: int, end_ms: int
) -> None:
    """Index alerts over the whole time, three of them open, and corrections of the last week, at most 5,000."""
    operations: list[object] = []
    for number in range(_ALERTS):
        one = alert(number, end_ms - (end_ms - start_ms) * number // _ALERTS)
        operations += [{"index": {"_index": settings.alerts_index, "_id": one.dedup_key}}, msgspec.to_builtins(one)]
    corrected = 0
    for number in reversed(range(records)):
        kind, at_ms = pool[number * 7_919 % len(pool)], _at_ms(number, records, start_ms, end_ms)
        if corrected == _CORRECTIONS or at_ms < end_ms - _CORRECTED_MS:
            break
        # Every second record of the review queue is corrected.
        if not kind.record.flags or number % 2:
            continue
        record = msgspec.structs.replace(kind.record, timestamp=rfc3339(at_ms))
        correction = correction_of(
            _id(kind, number), record, actor="ann", corrected_at=rfc3339(at_ms), intent="other", sentiment=None
        )
        place = {"_index": settings.corrections(), "_id": correction.record}
        operations += [{"index": place}, msgspec.to_builtins(correction)]
        corrected += 1
    for start in range(0, len(operations), 2_000):
        client.bulk(operations=operations[start : start + 2_000], refresh=True)


def stored(client: Elasticsearch, settings: ElasticsearchSettings) -> tuple[int, int]:
    """(records, bytes on disk) of the daily indices; (0, 0) without indices."""
    found = client.indices.stats(index=f"{settings.index_prefix}-*", metric=["docs", "store"]).body["_all"]["primaries"]
    return found.get("docs", {}).get("count", 0), found.get("store", {}).get("size_in_bytes", 0)
