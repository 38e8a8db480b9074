"""`triage market`, as an analyst sees it."""

import json

import pytest
from cli import run
from scripted_http import ScriptedServer

MARKET = """
version: 1
brands:
  - {name: Hualin, own: true, also: [华林]}
  - {name: Kestrel}
products: [{name: kettle}]
"""


@pytest.fixture
def market(tmp_path):
    path = tmp_path / "market.yaml"
    path.write_text(MARKET, "utf-8")
    return path


@pytest.fixture
def index():
    """Answers every condition of a search with ten records, seven of them negative."""

    def answer(sent):
        aggregations = json.loads(sent.body)["aggs"]
        if "by" not in aggregations:
            values = [{"key": "Nobody", "doc_count": 3}]
            return 200, _body({name: {"buckets": values} for name in aggregations})
        sentiments = [{"key": "negative", "doc_count": 7}, {"key": "positive", "doc_count": 2}]
        bucket = {"doc_count": 10, "sentiment": {"buckets": sentiments}}
        bucket["pairs"] = {"buckets": [{"key": "price:negative", "doc_count": 4}]}
        filters = aggregations["by"]["filters"]["filters"]
        return 200, _body({"by": {"buckets": dict.fromkeys(filters, bucket)}})

    server = ScriptedServer(answer)
    yield server
    server.close()


def _body(aggregations):
    return {"timed_out": False, "_shards": {"failed": 0}, "hits": {"hits": []}, "aggregations": aggregations}


def test_a_file_is_checked(capfd, market):
    outcome = run(capfd, "market", "check", market)
    assert (outcome.code, outcome.err.strip()) == (0, "valid: 1 own brands, 1 competitors, 1 products")


def test_mistakes_end_with_code_2_and_the_file(capfd, market):
    market.write_text("version: 1\nbrands: [{nam: A}]", "utf-8")
    outcome = run(capfd, "market", "check", market)
    assert outcome.code == 2
    assert f"{market}: brand 1: must have a name" in outcome.err


def test_without_a_file_the_setting_is_named(capfd):
    outcome = run(capfd, "market", "show")
    assert outcome.code == 2
    assert "set market.path" in outcome.err


def test_the_report_is_tables_to_read(capfd, market, index):
    outcome = run(capfd, "market", "show", market, "--until", "2026-11-22T09:30Z", "--elasticsearch", index.url)
    assert outcome.code == 0, outcome.err
    assert outcome.out.splitlines() == [
        "2026-11-15T09:30:00.000Z to 2026-11-22T09:30:00.000Z: 10 records speak of these brands",
        "",
        "BRAND         RECORDS  VOICE   RANK  BEFORE  NET  95 %",
        "Hualin   own  10       100.0%  1     1       -56  -87 to +9",
        "Kestrel       10       100.0%  1     1       -56  -87 to +9",
        "",
        "PRODUCT  RECORDS  NET  95 %       PRICE",
        "kettle   10       -56  -87 to +9  -100 (4)",
        "",
        "LOST    NAMES    NEGATIVE",
        "Hualin  Kestrel  10",
        "",
        "not in the file: Nobody (3)",
    ]


def test_programs_get_json(capfd, market, index):
    outcome = run(capfd, "market", "show", market, "--json", "--elasticsearch", index.url)
    found = json.loads(outcome.out)
    assert found["brands"][0]["brand"] == {"name": "Hualin", "own": True, "also": ["华林"]}
    assert found["products"][0]["aspects"] == {"price": {"positive": 0, "negative": 4}}
