"""The API's operations, independent of HTTP: enrich, send and correct records."""

import asyncio
import hashlib
import uuid
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import msgspec
from elasticsearch import Elasticsearch

from triage.clock import Clock, rfc3339
from triage.config import Settings
from triage.elastic.corrections import correct
from triage.elastic.explore import find_record
from triage.errors import InvalidRecord
from triage.logging import get_logger
from triage.pipeline.batch import ValidatedRecord
from triage.pipeline.stages.decode import event_time_of
from triage.pipeline.stages.enrich import Enricher
from triage.schemas.correction import correction_of
from triage.schemas.raw import RawRecord
from triage.serving.batcher import MicroBatcher
from triage.serving.mapping import mapped
from triage.serving.problem import refused
from triage.serving.sender import Headers, Outgoing, Sender
from triage.sources.rows import Row, RowBuilder
from triage.types import SentimentLabel
from triage.web.problem import Problem

log = get_logger("triage.api")

_MAX_COMMENT_CHARS = 200
_ID_CHARS = 32


class Service:
    """The operations of the API on records. One instance per process; its methods must be called on the event loop."""

    def __init__(
        self,
        settings: Settings,
        enricher: Enricher,
        batcher: MicroBatcher,
        sender: Sender,
        elasticsearch: Elasticsearch,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self.enricher = enricher
        self.batcher = batcher
        self.sender = sender
        self._elasticsearch = elasticsearch
        self._clock = clock
        self._rows = RowBuilder(
            "request",
            None,
            clock=clock,
            max_future_hours=settings.worker.max_future_hours,
            max_text_chars=settings.worker.max_text_chars,
            zone_of=settings.worker.zone_of,
        )

    async def enrich(self, records: Sequence[Any]) -> tuple[bytes, int]:
        """Enrich records; returns the JSON of the response and the number of refused records.

        The JSON is `{"results": [...]}` with a `record` or an `error` for each, in order. Raises Overloaded if the
        queue is full, Problem 503 if it takes longer than `api.enrich_timeout_s`, ModelError if inference fails.
        """
        now_ms = self._clock.now_ms()
        results: list[Any] = []
        accepted: list[ValidatedRecord] = []
        for index, fields in enumerate(records):
            try:
                row = self._row(index, fields)
                record = _record_of(row)
                worker = self._settings.worker
                zone = worker.zone_of(row.channel, record.source)
                event_ms = event_time_of(record, self._clock, worker.max_future_hours, default_ms=now_ms, zone=zone)
                accepted.append(ValidatedRecord(record, row.channel, event_ms, record.id or str(index)))
                results.append(None)
            except InvalidRecord as invalid:
                results.append(refused(invalid))
        limit_s = self._settings.api.enrich_timeout_s
        try:
            enriched = iter(await asyncio.wait_for(self.batcher.enrich(accepted), limit_s))
        except TimeoutError:
            raise Problem(503, "overloaded", f"no result within {limit_s:g} s; try again", retry_s=1) from None
        answers = [result or {"record": msgspec.Raw(next(enriched).body)} for result in results]
        return msgspec.json.encode({"results": answers}), len(records) - len(accepted)

    async def send(
        self, records: Sequence[Any], actor: str, key: str | None, headers: Headers = ()
    ) -> list[dict[str, Any]]:
        """Send records to the raw topics; returns, for each, its `id` and `repeated`, or an `error`.

        `repeated` is True if Kafka already had the record. A record without an id gets one derived from `actor`, `key`
        (the request's Idempotency-Key) and its index, or a random one if `key` is None. `headers` are Kafka's. Raises
        Unavailable if Kafka did not acknowledge all of them.
        """
        rows = [self._identified(index, fields, actor, key) for index, fields in enumerate(records)]
        outgoing = [
            Outgoing(row.channel, row.record.id or "", row.record.source, row.payload)
            for row in rows
            if row.record is not None
        ]
        sent = iter(await asyncio.to_thread(partial(self.sender.send, outgoing, headers)))
        answers: list[dict[str, Any]] = []
        for row in rows:
            if row.error is not None:
                answers.append(refused(row.error))
                continue
            result = next(sent)
            if isinstance(result, InvalidRecord):
                answers.append(refused(result))
            else:
                assert row.record is not None
                answers.append({"id": row.record.id} if result else {"id": row.record.id, "repeated": True})
        return answers

    def mapped(self, name: str, body: Any) -> dict[str, Any]:
        """Extract the fields of a record from the body of the webhook `name`.

        Raises Problem 404 for an unknown webhook, 422 for a body that is not a JSON object.
        """
        mapping = self._settings.api.mappings.get(name)
        if mapping is None:
            raise Problem(404, "no_such_hook", f"api.mappings has no {name!r}")
        try:
            return mapped(mapping, body)
        except InvalidRecord as invalid:
            raise Problem(422, invalid.reason, str(invalid)) from invalid

    async def correct(self, body: Any, actor: str) -> dict[str, Any]:
        """Store a user's labels for an indexed record, named in the decoded JSON `body`.

        Returns the record's `_id`, and as `changed` True if the labels differ from the model's. Raises Problem 422 for
        a body that is not a valid correction, 404 if the index has no such record, and Unavailable if Elasticsearch
        does not answer.
        """
        request = _Correction.of(body, self._intents())
        hit = await asyncio.to_thread(find_record, self._elasticsearch, self._settings.elasticsearch, request.record)
        if hit is None:
            raise Problem(404, "no_such_record", f"the index has no record {request.record!r}")
        correction = correction_of(
            hit.id,
            hit.record,
            actor=actor,
            corrected_at=rfc3339(self._clock.now_ms()),
            intent=request.intent,
            sentiment=request.sentiment,
            comment=request.comment[:_MAX_COMMENT_CHARS],
        )
        await asyncio.to_thread(correct, self._elasticsearch, self._settings.elasticsearch, correction)
        log.info("record_corrected", record=hit.id, by=actor, changed=correction.changed)
        return {"record": hit.id, "changed": correction.changed}

    def about(self) -> dict[str, Any]:
        """Return what clients ask for first: `versions`, `intents`, `sentiments`, `limits` and `hooks`.

        `versions` are those of pipeline, model, rules and taxonomy; `limits` are records and bytes per request, records
        per minute and characters per text; `hooks` are the names of the webhooks.
        """
        api = self._settings.api
        return {
            "versions": msgspec.to_builtins(self.enricher.versions),
            "intents": self._intents(),
            "sentiments": [*SentimentLabel],
            "limits": {
                "records": api.max_records,
                "body_bytes": api.max_body_bytes,
                "records_per_minute": api.records_per_minute,
                "text_characters": self._settings.worker.max_text_chars,
            },
            "hooks": sorted(api.mappings),
        }

    def _intents(self) -> list[str]:
        manifest = getattr(self.enricher.active.model, "manifest", None)
        return list(manifest.intents) if manifest else []

    def _row(self, index: int, fields: Any) -> Row:
        def decode() -> dict[str, Any]:
            if not isinstance(fields, dict):
                raise InvalidRecord("not_an_object", 'a record is a JSON object: {"text": ...}', stage="decode")
            return dict(fields)

        return self._rows.build(index, decode)

    def _identified(self, index: int, fields: Any, actor: str, key: str | None) -> Row:
        """Return a row whose record has an id: its own, one derived from the Idempotency-Key `key`, or a random one."""
        if isinstance(fields, Mapping) and (fields.get("id") is None or fields["id"] == ""):
            seed = f"{actor}\0{key}\0{index}".encode() if key else uuid.uuid4().bytes
            fields = {**fields, "id": hashlib.sha256(seed).hexdigest()[:_ID_CHARS]}
        return self._row(index, fields)


class _Correction(msgspec.Struct, forbid_unknown_fields=True):
    record: str
    intent: str | None = None
    sentiment: str | None = None
    comment: str = ""

    @classmethod
    def of(cls, body: Any, intents: Sequence[str]) -> "_Correction":
        try:
            found = msgspec.convert(body, cls)
        except msgspec.ValidationError as error:
            raise Problem(422, "bad_correction", str(error)) from error
        if found.intent is None and found.sentiment is None:
            raise Problem(422, "bad_correction", "a correction has an intent, a sentiment, or both")
        if found.intent is not None and intents and found.intent not in intents:
            raise Problem(422, "bad_correction", f"intent {found.intent[:80]!r} is not one of {', '.join(intents)}")
        if found.sentiment is not None and found.sentiment not in set(SentimentLabel):
            known = ", ".join(SentimentLabel)
            raise Problem(422, "bad_correction", f"sentiment {found.sentiment[:80]!r} is not one of {known}")
        return found


def _record_of(row: Row) -> RawRecord:
    if row.error is not None:
        raise row.error
    assert row.record is not None
    return row.record
