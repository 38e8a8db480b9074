"""`make bench NAME=console`: time of the console's queries to Elasticsearch with many records, in milliseconds.

Daily indices are filled with synthetic records, then the functions of each page are called. A measurement is one call
after the result caches were cleared; `again` is the median of the same call immediately after it, as when a user
returns to a view; `first` is the first call of all, when Elasticsearch has just been filled. Building and rendering the
page is not included. Indices of the prefix are kept and, if they exist, measured without filling them again.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from elasticsearch import Elasticsearch
from starlette.datastructures import QueryParams

from benchmarks.broker import add_stack_options, open_stack
from benchmarks.console_fill import fill, stored
from benchmarks.report import Row, publish
from triage.clock import ManualClock, SystemClock, parse_rfc3339
from triage.config import Settings, load_settings
from triage.console.alerts.list_page import read_alerts
from triage.console.changes.measure import top_movers
from triage.console.data.explainer import LocalExplainer
from triage.console.data.snapshot_reader import SnapshotReader
from triage.console.dependencies import Dependencies
from triage.console.explore.export import rows
from triage.console.explore.page import read_results
from triage.console.filters import Filters
from triage.console.record.page import read_details
from triage.console.review.page import read_queue
from triage.elastic.client import connect
from triage.elastic.explore import records_page
from triage.elastic.search import find_alert, latest
from triage.metrics import Metrics

Page = Callable[[int], object]
_WORDS = ("refund", "broken parcel", "never arrived", "account locked", "price")
_CHINESE = ("快递", "退款", "味道", "客服 电话", "价格")
_EXPORTED = 500
_ZONE = ZoneInfo("Asia/Shanghai")
_MIB = 1024 * 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_stack_options(parser)
    parser.add_argument("--records", type=int, default=50_000)
    parser.add_argument("--days", type=int, default=90, help="number of daily indices")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2, help="simultaneous bulk requests while filling")
    parser.add_argument("--prefix", default="bench-console", help="prefix of the indices")
    arguments = parser.parse_args()
    with open_stack(arguments) as flags:
        settings = load_settings(
            None,
            flags
            | {
                "elasticsearch.index_prefix": arguments.prefix,
                "elasticsearch.alerts_index": f"{arguments.prefix}_alerts",
                "elasticsearch.daily_days": arguments.days,
                "elasticsearch.request_timeout_s": 120,
            },
        )
        with connect(settings.elasticsearch) as client:
            publish("console", measure(client, settings, arguments))


def measure(client: Elasticsearch, settings: Settings, arguments: argparse.Namespace) -> list[Row]:
    elastic, found = settings.elasticsearch, []
    if not stored(client, elastic)[0]:
        seconds = fill(
            client, elastic, arguments.records, arguments.days, SystemClock().now_ms(), arguments.threads
        )  # fmt: skip
        found.append(Row.of("filling", "records/s", [arguments.records / seconds]))
    records, size = stored(client, elastic)
    found += [Row.of("records", "", [records]), Row.of("on disk", "MiB", [size / _MIB])]
    for name, page in pages(client, settings).items():
        print(name, file=sys.stderr, flush=True)
        found.append(_timed(name, page, client, elastic.index_prefix, arguments.rounds))
    return found


def pages(client: Elasticsearch, settings: Settings) -> dict[str, Page]:
    """The queries of the console's pages, as functions by name; their argument, the round, varies words and records."""
    elastic = settings.elasticsearch
    newest = latest(client, elastic, size=200)
    # The clock is set to the time after the last record, whenever that was written.
    clock = ManualClock(parse_rfc3339(newest[0].record.timestamp) + 1)
    now_ms, metrics = clock.now_ms(), Metrics()
    absent: Any = None  # shared readers of the pages, which are called directly here
    dependencies = Dependencies(
        settings, client, clock, metrics, absent, absent, absent, absent, LocalExplainer(settings), silences=list
    )
    now = SnapshotReader(client, elastic, clock, metrics, lambda: 0)

    def view(query: str) -> Filters:
        return Filters.of(QueryParams(query))

    def explore(query: str, after: str | None = None, *, compare: bool = False) -> object:
        return read_results(dependencies, view(query), now_ms, after, with_comparison=compare)

    def csv(query: str) -> object:
        asked = view(query).query(now_ms)
        return list(rows(dependencies, asked, records_page(client, elastic, asked, _EXPORTED), _EXPORTED, _ZONE))

    def renewed(_: int) -> object:
        clock.advance(2)
        return now()

    second = read_results(dependencies, view("range=all"), now_ms, None).page.after
    return {
        "Now": renewed,
        "Now: what moved": lambda _: top_movers(client, elastic, now_ms),
        "Explore, 7 days": lambda _: explore(""),
        "Explore, 90 days": lambda _: explore("range=90d"),
        "Explore, everything": lambda _: explore("range=all"),
        "Explore, everything, next page": lambda _: explore("range=all", second),
        "Explore, a brand and an intent, 90 days": lambda n: explore(f"range=90d&brand=brand-{n}&intent=delivery"),
        "Explore, a rare name, everything": lambda n: explore(f"range=all&entity=name-{5_000 + n}"),
        "Explore, words, 90 days": lambda n: explore(f"range=90d&q={_WORDS[n % len(_WORDS)]}"),
        "Explore, Chinese words, 90 days": lambda n: explore(f"range=90d&q={_CHINESE[n % len(_CHINESE)]}"),
        "Explore, what changed, 7 days": lambda n: explore(f"brand=brand-{n}", compare=True),
        "Explore, what changed, 30 days": lambda n: explore(
            f"range=30d&sentiment=negative&brand=brand-{n}", compare=True
        ),
        "Explore, what changed, 90 days": lambda n: explore(
            f"range=90d&intent=delivery&region=region-{n}", compare=True
        ),
        "Review, 7 days": lambda _: read_queue(dependencies, view(""), "new"),
        "Review, 90 days, least sure first": lambda _: read_queue(dependencies, view("range=90d"), "unsure"),
        "Record": lambda n: read_details(dependencies, newest[n % len(newest)].id),
        "Alerts": lambda _: read_alerts(dependencies),
        "One alert": lambda n: find_alert(client, elastic, f"bench-{n}"),
        f"CSV, a page of {_EXPORTED}": lambda _: csv("range=90d"),
    }


def _timed(name: str, page: Page, client: Elasticsearch, prefix: str, rounds: int) -> Row:
    first, fresh, again = _ms(page, 0), [], []
    for number in range(1, rounds + 1):
        client.indices.clear_cache(index=prefix, query=True, request=True)
        fresh.append(_ms(page, number))
        again.append(_ms(page, number))
    row = Row.of(name, "ms", fresh)
    row.more.update(again=statistics.median(again), first=first)
    return row


def _ms(page: Page, number: int) -> float:
    began = time.perf_counter()
    page(number)
    return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    main()
