"""A view stands in its address, whole, and what is nonsense there is left out and named."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.datastructures import QueryParams

from triage.console.changes.measure import compare
from triage.console.explore.fragments import search_form
from triage.console.filters import FIELDS, Filters
from triage.elastic.changes import Periods
from triage.translations import translations_for

NOW = 1_795_339_800_000  # 2026-11-22T09:30:00Z
DAY = 86_400_000


def _read(address):
    return Filters.of(QueryParams(address.partition("?")[2]))


@settings(max_examples=40)
@given(
    st.text(max_size=30),
    st.dictionaries(
        st.sampled_from(sorted(FIELDS)), st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=3)
    ),
    st.sampled_from(["1h", "7d", "all"]),
)
def test_a_view_comes_back_from_its_address(text, values, name):
    chosen = {key: tuple(dict.fromkeys(found)) for key, found in values.items()}
    given = Filters(text.strip(), name, values=chosen, excluded=dict(reversed(chosen.items())))
    assert _read(given.address()) == given


def test_times_that_were_given_come_back_and_take_the_place_of_the_range():
    given = Filters(start=NOW - DAY, end=NOW)
    assert given.address() == "/explore?from=2026-11-21T09%3A30&to=2026-11-22T09%3A30"
    assert _read(given.address()).between(NOW + DAY) == (NOW - DAY, NOW)


def test_times_of_a_form_are_those_of_its_zone_and_the_address_means_the_same_to_all():
    found = Filters.of(QueryParams("from=2026-11-21T17:30&to=2026-11-22T17:30&zone=Asia/Shanghai"))
    assert found == Filters(start=NOW - DAY, end=NOW)
    assert "zone" not in found.address()
    assert Filters.of(QueryParams("from=2026-11-21T17:30%2B08:00&zone=America/New_York")).start == NOW - DAY
    form = search_form(found, translations_for("en", "Asia/Shanghai"))
    assert 'name="zone" value="Asia/Shanghai"' in form
    assert 'name="from" type="datetime-local" value="2026-11-21T17:30"' in form
    assert "From (Asia/Shanghai)" in form
    assert 'name="zone"' not in search_form(found, translations_for("en"))


def test_a_range_counts_back_in_whole_minutes_so_that_answers_can_be_cached():
    first, second = (Filters(range="24h").between(NOW + seconds * 1000) for seconds in (1, 59))
    assert first == second == (NOW + 60_000 - DAY, NOW + 60_000)
    assert Filters(range="all").between(NOW) == (None, None)


@pytest.mark.parametrize(("query", "problems"), [
    ("range=never", ("range",)), ("from=yesterday", ("from",)), ("from=2026-01-02&to=2026-01-01", ("to",)),
    ("to=99999-01-01", ("to",)), ("from=9999-12-31T23:59-12:00", ("from",)), ("to=9999-12-31T23:59-00:01", ("to",)),
    ("from=0001-01-01T00:00%2B14:00", ("from",)), ("from=1969-12-31", ("from",)), ("from=&to=", ()), ("nonsense=1", ()),
    ("zone=Moon/Crater", ("zone",)),
])  # fmt: skip
def test_nonsense_is_named_and_left_out(query, problems):
    found = Filters.of(QueryParams(query))
    assert found.problems == problems
    assert found.query(NOW)["bool"]["filter"]
    assert found.address()


def test_too_much_is_cut():
    found = Filters.of(QueryParams([("brand", f"b{n}") for n in range(50)] + [("q", "x" * 1000)]))
    assert len(found.values["brand"]) == 20
    assert len(found.text) == 200


def test_the_query_has_times_values_and_all_words():
    query = Filters("late parcel", "24h", values={"intent": ("delivery", "billing"), "author": ("h1",)}).query(NOW)
    assert query["bool"]["filter"] == [
        {"range": {"@timestamp": {"gte": "2026-11-21T09:31:00.000Z", "lt": "2026-11-22T09:31:00.000Z"}}},
        {"terms": {"intent.label": ["delivery", "billing"]}},
        {"terms": {"author_id": ["h1"]}},
        {"match": {"text": {"query": "late parcel", "operator": "and"}}},
    ]


def test_values_that_the_filters_exclude_are_not_admitted():
    view = Filters(values={"brand": ("A", "B")}, excluded={"intent": ("billing",)})
    assert view.admit({"brand": "B", "intent": "delivery", "other": "x"})
    assert view.admit({})
    assert not view.admit({"brand": "C"})
    assert not view.admit({"intent": "billing"})


def test_excluded_values_and_words_are_in_the_query():
    query = Filters('late "no parcel" -refund', "all", values={"brand": ("A",)}, excluded={"brand": ("B", "C")})
    assert query.query(NOW)["bool"]["filter"] == [
        {"terms": {"brand": ["A"]}},
        {"bool": {"must_not": [{"terms": {"brand": ["B", "C"]}}]}},
        {"match": {"text": {"query": "late", "operator": "and"}}},
        {"match_phrase": {"text": "no parcel"}},
        {"bool": {"must_not": [{"match_phrase": {"text": "refund"}}]}},
    ]


def test_a_value_is_either_accepted_or_excluded():
    view = Filters().with_value("brand", "A").excluding("brand", "B").excluding("brand", "A")
    assert (view.values, view.excluded) == ({}, {"brand": ("B", "A")})
    assert view.with_value("brand", "A") == Filters(values={"brand": ("A",)}, excluded={"brand": ("B",)})
    assert view.without("brand", "A").without("brand", "B") == Filters()
    assert view.accepting("brand", ("C", "D")) == Filters(values={"brand": ("C", "D")})
    assert view.address() == "/explore?not_brand=B&not_brand=A"
    assert _read(view.address()) == view


def test_values_are_put_in_and_taken_out():
    view = Filters().only(brand="Acme").with_value("intent", "delivery").with_value("intent", "billing")
    assert view.values == {"brand": ("Acme",), "intent": ("delivery", "billing")}
    assert view.without("intent", "delivery").without("brand", "Acme").values == {"intent": ("billing",)}
    assert view.only(intent="praise").values["intent"] == ("praise",)


def test_a_view_of_all_times_has_what_comes_before_from_1970_on():
    whole = Filters.of(QueryParams("from=1970-01-01&to=9999-12-31T23:59"))
    assert whole.problems == ()
    start, end = whole.between(NOW)
    assert Periods.ending(end, end - start).before_ms == 0


def test_a_view_of_the_future_has_no_time_before():
    assert compare(None, None, Filters.of(QueryParams("from=9999-12-31")), NOW) is None
