"""Explore, movers, review queue and export on two weeks of seeded feedback."""

import csv
import io
from dataclasses import replace
from datetime import datetime

import msgspec
import pytest
from console_seed import RISING, seed_index
from indices import own_settings, remove
from records import enriched
from starlette.datastructures import QueryParams

from triage.clock import ManualClock, rfc3339, zone_named
from triage.config import Settings
from triage.console.changes.measure import compare, top_movers
from triage.console.dependencies import Dependencies
from triage.console.explore.export import COLUMNS, rows, safe
from triage.console.explore.facets import find_values
from triage.console.explore.fragments import term
from triage.console.explore.page import read_results
from triage.console.filters import Filters
from triage.console.record.page import read_details
from triage.console.review.page import read_queue
from triage.elastic import corrections as store
from triage.elastic.client import connect
from triage.elastic.explore import find_record, records_page
from triage.elastic.plan import apply, plan_index
from triage.errors import ModelError
from triage.metrics import Metrics
from triage.schemas.correction import correction_of
from triage.schemas.enriched import Route
from triage.translations import translations_for

NOW = 1_795_339_800_000
PER_DAY = 60

pytestmark = pytest.mark.stack


class NoModel:
    """A console whose model is unavailable."""

    def word_weights(self, record):
        raise ModelError("no model folder")

    def own_labels(self, record):
        raise ModelError("no model folder")

    def rules(self, record):
        raise ModelError("no rules")

    def intents(self):
        raise ModelError("no model folder")


@pytest.fixture(scope="module")
def dependencies(stack):
    elasticsearch = own_settings(stack.elasticsearch_url, "texploreseeded")
    client = connect(elasticsearch)
    clock = ManualClock(NOW)
    apply(client, plan_index(client, elasticsearch, clock))
    seed_index(client, elasticsearch, NOW, PER_DAY)
    settings = Settings(elasticsearch=elasticsearch)
    yield Dependencies(settings, client, clock, Metrics(), None, None, None, None, NoModel(), list)
    client.close()
    remove(elasticsearch)


def _view(query, **changes):
    return replace(Filters.of(QueryParams(query)), **changes)


def test_facets_count_what_the_view_holds_and_narrow_it_down(dependencies):
    everything = read_results(dependencies, _view("range=all"), NOW, None)
    assert everything.statistics.total == 17 * PER_DAY
    by_product = {share.value: share.count for share in everything.statistics.facets["product"].shares}
    assert sum(by_product.values()) == 17 * PER_DAY
    one = read_results(dependencies, _view(f"range=all&product={RISING}"), NOW, None)
    assert one.statistics.total == by_product[RISING]
    assert {hit.record.product for hit in one.page.hits} == {RISING}
    assert sum(slot.total for slot in one.statistics.slots) == one.statistics.total
    nothing = read_results(dependencies, _view("q=nosuchword"), NOW, None)
    assert (nothing.statistics.total, nothing.page.hits) == (0, [])


def test_days_of_the_chart_are_the_readers(dependencies):
    found = read_results(dependencies, _view("range=30d"), NOW, None, zone=zone_named("Asia/Shanghai"))
    assert found.step_ms == 43_200_000
    assert {rfc3339(slot.start_ms)[11:16] for slot in found.statistics.slots} == {"04:00", "16:00"}
    assert sum(slot.total for slot in found.statistics.slots) == found.statistics.total


def test_a_field_with_a_filter_still_offers_its_other_values_with_their_counts(dependencies):
    everything = read_results(dependencies, _view("range=all"), NOW, None)
    counts = {share.value: share.count for share in everything.facets["channel"].shares}
    chosen = read_results(dependencies, _view("range=all&channel=social&not_region=cn&region=mars"), NOW, None)
    assert chosen.facets["channel"].shares[0].value == "social"
    several = read_results(dependencies, _view("range=all&channel=social&channel=review"), NOW, None)
    assert {share.value: share.count for share in several.facets["channel"].shares} == counts
    assert several.statistics.total == counts["social"] + counts["review"]
    assert [share.value for share in chosen.facets["region"].shares][:2] == ["mars", "cn"]
    without = read_results(dependencies, _view("range=all&not_channel=social&not_channel=review"), NOW, None)
    assert without.statistics.total == counts["complaint"]


def test_phrases_and_exclusions_hold_in_english_and_chinese(dependencies):
    def total(text):
        return read_results(dependencies, _view("range=all", text=text), NOW, None).statistics.total

    assert total("depot flooded") == total('"depot is flooded"') > 0
    assert total('"flooded is depot"') == 0
    assert total("parcel") == total("parcel flooded") + total("parcel -flooded")
    assert total("parcel -flooded") > 0
    assert total('"还没到"') == total("快递") > 0
    assert total("-快递") == 17 * PER_DAY - total("快递")
    assert total('-"快递还没到" -flooded') < total("-快递")


def test_alerts_about_records_of_the_view_are_marked(dependencies):
    marked = [
        read_results(dependencies, _view(f"range=all{more}"), NOW, None).alerts for more in ("", "&product=Tidal")
    ]
    assert [[alert.rule for alert in alerts] for alerts in marked] == [["delivery"], []]


@pytest.fixture(scope="module")
def many(stack):
    """A console whose records have 120 brands, some with odd names, and twelve queues."""
    elasticsearch = own_settings(stack.elasticsearch_url, "texplorebrands")
    client, clock = connect(elasticsearch), ManualClock(NOW)
    apply(client, plan_index(client, elasticsearch, clock))
    odd = ["Ünïque & Söhne", 'A.B (C) [D]*?+|{}#@~<>"\\\\', "أكمي", "很好吃", "Straße 9"]
    for number in range(120):
        brand = odd[number] if number < len(odd) else f"Brand {number:03d}"
        found = enriched(
            f"text {number}", NOW - 1000 * number - 60_000, brand=brand, route=Route(f"queue-{number % 12}", []),
            intent=["delivery", "billing", *(f"own_{each}" for each in range(9))][number % 11],
        )  # fmt: skip
        client.index(index=f"{elasticsearch.index_prefix}-2026", id=f"m{number}", document=msgspec.to_builtins(found))
    client.indices.refresh(index=f"{elasticsearch.index_prefix}-2026")
    settings = Settings(elasticsearch=elasticsearch)
    yield Dependencies(settings, client, clock, Metrics(), None, None, None, None, NoModel(), list)
    client.close()
    remove(elasticsearch)


def _found(many, name, words, query="range=all", language="en"):
    translations = translations_for(language)
    found = find_values(many, _view(query), name, words, lambda value: term(name, value, translations))
    return [share.value for share in found.shares], found.more


def test_a_field_with_more_values_than_are_listed_says_so(many):
    facets = read_results(many, _view("range=all"), NOW, None).facets
    assert (len(facets["brand"].shares), facets["brand"].more) == (8, True)
    assert (len(facets["queue"].shares), facets["queue"].more) == (8, True)
    assert facets["channel"].more is False


def test_all_values_are_found_by_parts_of_their_names(many):
    values, more = _found(many, "brand", "")
    assert (len(values), more) == (100, True)
    assert _found(many, "brand", "BRAND 11") == ([*(f"Brand 11{digit}" for digit in range(10)), "Brand 011"], False)
    assert _found(many, "brand", "rand 07")[0][:10] == [f"Brand 07{digit}" for digit in range(10)]
    assert _found(many, "brand", "ünÏQUE söhne")[0] == ["Ünïque & Söhne"]
    assert _found(many, "brand", "أكمي")[0] == ["أكمي"]
    assert _found(many, "brand", "好")[0] == ["很好吃"]
    assert _found(many, "brand", "straße")[0] == ["Straße 9"]
    assert _found(many, "brand", "no such brand") == ([], False)
    assert _found(many, "queue", "UE-1")[0] == ["queue-1", "queue-10", "queue-11"]


@pytest.mark.parametrize("words", ["(C) [D]", "*?+|{}#@~<>", '"\\', ".B"])
def test_signs_of_expressions_are_searched_as_they_are(many, words):
    assert _found(many, "brand", words)[0] == ['A.B (C) [D]*?+|{}#@~<>"\\\\']


def test_what_has_a_name_is_found_by_it(many):
    assert _found(many, "intent", "物流", language="zh")[0] == ["delivery"]
    assert _found(many, "intent", "deliv", language="zh")[0] == ["delivery"]
    assert len(_found(many, "intent", "own")[0]) == 9


def test_a_search_among_values_leaves_out_the_filter_on_their_own_field(many):
    assert _found(many, "queue", "queue-1", "range=all&queue=queue-7")[0] == ["queue-1", "queue-10", "queue-11"]


def test_a_search_keeps_to_the_view(many):
    assert _found(many, "brand", "brand", "range=all&queue=queue-7")[0] == [
        f"Brand {number:03d}" for number in range(7, 120, 12)
    ]


def test_words_severity_and_model_narrow_down_too(dependencies):
    found = read_results(dependencies, _view("range=all&q=flooded&severity=critical&model=triage-en-zh@1"), NOW, None)
    assert found.page.hits
    for hit in found.page.hits:
        assert "flooded" in hit.record.text
        assert hit.record.severity.level == "critical"
    assert (
        read_results(dependencies, _view("range=all&flag=low_confidence"), NOW, None).statistics.total
        < 17 * PER_DAY / 5
    )


def test_pages_follow_each_other_without_gap_or_double(dependencies):
    seen, after = [], None
    while True:
        found = read_results(dependencies, _view("range=all&intent=delivery"), NOW, after)
        seen += [hit.id for hit in found.page.hits]
        after = found.page.after
        if after is None:
            break
    assert len(seen) == len(set(seen)) == found.statistics.total


@pytest.mark.parametrize("after", ["x", "[1]", "{}", "[1,2,3,[4]]"])
def test_a_mark_that_no_page_gave_is_refused(dependencies, after):
    with pytest.raises(ValueError, match="after"):
        read_results(dependencies, _view("range=all"), NOW, after)


def test_what_moved_names_the_product_whose_delivery_complaints_rose(dependencies):
    found = top_movers(dependencies.client, dependencies.settings.elasticsearch, NOW)
    assert (found.range, found.item) == ("7d", "product")
    top = found.by_item[0]
    assert top.values == (RISING, "delivery")
    assert top.now > 5 * top.before
    assert found.by_intent[0].values == ("delivery",)
    assert found.all.now > found.all.before > 0
    assert ("brand", "Nova") in found.behind[(RISING, "delivery")]
    assert ("brand", "Nova") in found.behind[("delivery",)]


def test_what_moved_needs_a_past(dependencies):
    assert top_movers(dependencies.client, dependencies.settings.elasticsearch, NOW - 13 * 86_400_000).range is None


def test_the_comparison_says_why(dependencies):
    found = compare(
        dependencies.client, dependencies.settings.elasticsearch, _view("intent=delivery&sentiment=negative"), NOW
    )
    assert found.by["product"][0].values == (RISING,)
    assert "intent" not in found.by
    assert "Leeds" in [share.value for share in found.entities]
    assert {"flooded", "depot", "courier"} & {share.value for share in found.words}
    assert found.left_out == ()
    assert compare(dependencies.client, dependencies.settings.elasticsearch, _view("range=all"), NOW) is None


def test_the_comparison_of_everything_opens_with_what_explains_most(dependencies):
    elasticsearch = dependencies.settings.elasticsearch
    found = compare(dependencies.client, elasticsearch, _view(""), NOW).explanation
    assert found.negative
    assert (found.first.field, found.first.value) == ("intent", "delivery")
    assert found.second.value in {RISING, "Nova", "Leeds"}
    assert 0.5 * found.total.difference < found.first.change.difference
    assert found.ranked[0].field in {"intent", "product", "brand"}
    # One sentiment: all records of the view, which are negative or not.
    assert compare(dependencies.client, elasticsearch, _view("sentiment=negative"), NOW).explanation == found
    assert not compare(dependencies.client, elasticsearch, _view("sentiment=positive"), NOW).explanation.negative


def test_where_a_view_had_too_few_records_before_a_wider_one_says_what_is_usual(dependencies):
    view = _view(f"intent=delivery&sentiment=negative&product={RISING}")
    found = compare(dependencies.client, dependencies.settings.elasticsearch, view, NOW)
    assert found.left_out == ("product",)
    assert [share.value for share in found.entities] == ["Leeds"]
    assert {"nova", "headphones"}.isdisjoint(share.value for share in found.words)
    assert "flooded" in {share.value for share in found.words}


def test_the_record_has_its_neighbours_and_says_what_is_missing(dependencies):
    found = read_details(dependencies, "r1000000")
    assert found.hit.record.product == RISING
    assert "r1000000" not in {hit.id for hit in found.similar}
    assert any(hit.record.product == RISING for hit in found.similar)
    assert found.problem == "no rules"
    assert read_details(dependencies, "nobody") is None


def test_what_people_have_judged_leaves_the_queue(dependencies):
    client, settings = dependencies.client, dependencies.settings.elasticsearch
    before = read_queue(dependencies, _view("range=30d"), "new")
    assert before.waiting > 2
    assert all("low_confidence" in hit.record.flags for hit in before.hits)
    times = [hit.record.timestamp for hit in before.hits]
    assert times == sorted(times, reverse=True)
    judged = before.hits[0]
    store.correct(
        client, settings,
        correction_of(judged.id, judged.record, actor="ann", corrected_at="2026-11-22T09:30:00.000Z",
                      intent="billing", sentiment="neutral"),
    )  # fmt: skip
    after = read_queue(dependencies, _view("range=30d"), "new")
    assert after.waiting == before.waiting - 1
    assert judged.id not in {hit.id for hit in after.hits}
    assert (after.reviewed, after.changed, after.latest[0].record) == (1, 1, judged.id)
    assert judged.id in read_results(dependencies, _view("range=all&flag=low_confidence"), NOW, None).corrections
    assert store.withdraw(client, settings, judged.id)
    unsure = [hit.record.intent.confidence for hit in read_queue(dependencies, _view("range=30d"), "unsure").hits]
    assert unsure == sorted(unsure)


def test_the_export_is_whole_in_order_and_bounded(dependencies, monkeypatch):
    monkeypatch.setattr("triage.console.explore.export._PAGE", 50)
    query = _view("range=all&intent=delivery").query(NOW)
    first = records_page(dependencies.client, dependencies.settings.elasticsearch, query, 50)

    def exported(limit):
        text = "".join(rows(dependencies, query, first, limit, zone_named("Asia/Shanghai")))
        assert text.startswith("\ufeff")
        return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))

    everything = exported(10_000)
    assert len(everything) == read_results(dependencies, _view("range=all&intent=delivery"), NOW, None).statistics.total
    assert tuple(everything[0]) == COLUMNS
    assert {row["intent"] for row in everything} == {"delivery"}
    assert [row["time"] for row in everything] == sorted((row["time"] for row in everything), reverse=True)
    record = find_record(dependencies.client, dependencies.settings.elasticsearch, everything[0]["id"]).record
    assert everything[0]["text"] == record.text
    assert everything[0]["time_zone"] == "Asia/Shanghai"
    here = datetime.fromisoformat(f"{everything[0]['local_time']}+08:00")
    assert here == datetime.fromisoformat(everything[0]["time"]).replace(microsecond=0)
    assert float(everything[0]["sentiment_score"]) == record.sentiment.score
    assert len(exported(70)) == 70


@pytest.mark.parametrize(("cell", "written"), [
    ("=1+1", "'=1+1"), ("+1", "'+1"), ("-1", "'-1"), ("@x", "'@x"), ("\tx", "'\tx"), ("\rx", "'\rx"),
    ("＝1+1", "'＝1+1"), ("＋1", "'＋1"), ("－1", "'－1"), ("＠SUM(A1)", "'＠SUM(A1)"),
    (" =1+1", "' =1+1"), ("\u3000＝1", "'\u3000＝1"), ("\ufeff=1", "'\ufeff=1"), ("\u200b @x", "'\u200b @x"),
    ("fine = 1", "fine = 1"), ("  fine", "  fine"), ("", ""), (-0.9, -0.9), (None, None),
])  # fmt: skip
def test_no_cell_is_a_formula(cell, written):
    assert safe(cell) == written
