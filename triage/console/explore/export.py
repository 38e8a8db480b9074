"""`/explore.csv`: the records of a view as CSV, read a page at a time, safe to open in a spreadsheet."""

import csv
import io
from collections.abc import Iterator
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from starlette.concurrency import run_in_threadpool

from triage.clock import from_ms, parse_rfc3339, zone_named
from triage.console.dependencies import Dependencies
from triage.console.filters import Filters
from triage.console.web.zone import zone_of
from triage.elastic.completeness import Gaps, noting
from triage.elastic.explore import Page, records_page
from triage.elastic.mapping import JsonObject
from triage.elastic.search import Hit
from triage.errors import TriageError
from triage.logging import get_logger
from triage.web.auth import user_of

log = get_logger("triage.console")

_PAGE = 500
# Full-width signs too: some spreadsheets take them for the others.
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n")
# Some spreadsheets remove these before they look.
_BLANK = " \u00a0\u200b\u2060\u3000\ufeff"
# Spreadsheets take a file without it for the machine's own encoding.
_BYTE_ORDER_MARK = "\ufeff"
COLUMNS = (
    "time", "id", "event_id", "channel", "source", "language", "brand", "product", "region", "rating",
    "sentiment", "sentiment_score", "sentiment_confidence", "intent", "intent_confidence", "aspects",
    "severity", "severity_rules", "queue", "flags", "entities", "text", "model", "rules", "local_time", "time_zone",
)  # fmt: skip
Cell = str | float | None


def export_routes(dependencies: Dependencies) -> APIRouter:
    router = APIRouter()

    @router.get("/explore.csv")
    async def export(request: Request) -> Response:
        """Respond with the newest `console.export_rows` records as CSV; 503 if Elasticsearch does not answer.

        If a part of the records cannot be read, the file's name and its last row say so.
        """
        filters = Filters.of(request.query_params)
        limit, zone = dependencies.settings.console.export_rows, zone_named(zone_of(request))
        query = filters.query(dependencies.clock.now_ms())
        gaps = Gaps()
        try:
            first = await run_in_threadpool(_page, dependencies, query, min(_PAGE, limit), None, gaps)
        except TriageError as error:
            return JSONResponse({"error": str(error)}, status_code=503)
        log.info("records_exported", by=user_of(request).name, view=filters.address("explore"), most_rows=limit)
        return StreamingResponse(
            rows(dependencies, query, first, limit, zone, gaps),
            media_type="text/csv; charset=utf-8",
            headers={"content-disposition": f'attachment; filename="feedback{"-incomplete" if gaps else ""}.csv"'},
        )

    return router


def rows(
    dependencies: Dependencies,
    query: JsonObject,
    first: Page,
    limit: int,
    zone: ZoneInfo,
    gaps: Gaps | None = None,
) -> Iterator[str]:
    """Yield the CSV file in parts of one page of records, at most `limit` records, beginning with the page `first`.

    `gaps` describes records missing from that page; if any page lacks records, the last row says which. An error while
    reading is raised, and so aborts the download.
    """
    gaps = Gaps() if gaps is None else gaps
    out = io.StringIO()
    writer = csv.writer(out)
    out.write(_BYTE_ORDER_MARK)
    writer.writerow(COLUMNS)
    page, written = first, 0
    while True:
        for hit in page.hits:
            writer.writerow([safe(cell) for cell in cells(hit, zone)])
        written += len(page.hits)
        last = page.after is None or written >= limit
        if last and gaps:
            writer.writerow([f"INCOMPLETE: {gaps}", *[""] * (len(COLUMNS) - 1)])
        yield out.getvalue()
        out.seek(0)
        out.truncate()
        if last:
            return
        page = _page(dependencies, query, min(_PAGE, limit - written), page.after, gaps)


def cells(hit: Hit, zone: ZoneInfo) -> list[Cell]:
    """Return the values of a record in the order of COLUMNS; its time is given in UTC and in `zone`."""
    record = hit.record
    here = from_ms(parse_rfc3339(record.timestamp)).astimezone(zone)
    return [
        record.timestamp, hit.id, record.event.id, record.channel.value, record.source, record.language, record.brand,
        record.product, record.region, record.rating, record.sentiment.label, record.sentiment.score,
        record.sentiment.confidence, record.intent.label, record.intent.confidence,
        _joined([aspect.pair for aspect in record.aspects]), record.severity.level, _joined(record.severity.rules),
        record.route.queue, _joined(record.flags),
        _joined([f"{entity.label}={entity.text}" for entity in record.entities]),
        record.text, record.versions.model, record.versions.rules, f"{here:%Y-%m-%d %H:%M:%S}", zone.key,
    ]  # fmt: skip


def safe(cell: Cell) -> Cell:
    """Put an apostrophe before a text that a spreadsheet would interpret as a formula (OWASP, "CSV Injection")."""
    if not isinstance(cell, str):
        return cell
    return f"'{cell}" if cell.startswith(_FORMULA) or cell.lstrip(_BLANK).startswith(_FORMULA) else cell


def _joined(values: list[str]) -> str:
    return "; ".join(values)


def _page(dependencies: Dependencies, query: JsonObject, size: int, after: str | None, gaps: Gaps) -> Page:
    with noting(gaps):
        return records_page(dependencies.client, dependencies.settings.elasticsearch, query, size, after)
