"""The market report: every number is a count of records in the index."""

import random

import msgspec
import pytest
from indices import own_settings, remove
from records import enriched

from triage.assist.market.names import Brand, Market, Product
from triage.assist.market.reading import read_market_report
from triage.assist.market.report import Opinion
from triage.clock import ManualClock
from triage.elastic.client import connect
from triage.elastic.plan import apply, plan_index
from triage.intervals import wilson
from triage.schemas.enriched import Aspect, Entity

pytestmark = pytest.mark.stack
NOW = 1_795_339_800_000
WEEK = 7 * 86_400_000
MARKET = Market(
    [
        Brand("Hualin", own=True, also=("华林",)),
        Brand("Kestrel", own=False),
        Brand("Mingyue", own=False),
        Brand("Absent", own=False),
    ],
    [Product("AirFry 300", brand="Hualin", category="kitchen"), Product("card account", also=("信用卡",))],
)
BRANDS = {
    "Hualin": "Hualin",
    "HUALIN": "Hualin",
    "華林": "Hualin",
    "Kestrel": "Kestrel",
    "kestrel ": "Kestrel",
    "Nobody": None,
    None: None,
}
PRODUCTS = {
    "AirFry 300": "AirFry 300",
    "ＡirFry 300": "AirFry 300",
    "card account": "card account",
    "信用卡": "card account",
    "lamp": None,
    None: None,
}
NAMED = {"Kestrel": "Kestrel", "KESTREL": "Kestrel", "Mingyue": "Mingyue", "华林": "Hualin", "Leeds": None}


@pytest.fixture(scope="module")
def records():
    rng = random.Random(4)
    found = []
    for number in range(400):
        score = rng.choice([-0.9, -0.9, 0.0, 0.8])
        names = rng.sample(list(NAMED), rng.choice([0, 0, 1, 2]))
        pairs = {
            (rng.choice(["delivery", "price"]), rng.choice(["positive", "negative", "neutral"]))
            for _ in range(rng.choice([0, 1, 2]))
        }
        found.append(
            enriched(
                f"r{number}",
                NOW - int(rng.random() * 2 * WEEK) - 1,
                score=score,
                brand=rng.choice(list(BRANDS)),
                product=rng.choice(list(PRODUCTS)),
                entities=[Entity(name, "organization", 0, 1, 0.9, "model") for name in names],
                aspects=[Aspect(aspect, polarity, 0.9, f"{aspect}:{polarity}") for aspect, polarity in sorted(pairs)],
            )
        )
    return found


@pytest.fixture(scope="module")
def report(stack, records):
    settings = own_settings(stack.elasticsearch_url, "tmarket")
    client = connect(settings)
    apply(client, plan_index(client, settings, ManualClock(NOW)))
    operations = []
    for number, record in enumerate(records):
        operations += [
            {"index": {"_index": f"{settings.index_prefix}-2026", "_id": f"m{number}"}},
            msgspec.to_builtins(record),
        ]
    assert not client.bulk(operations=operations, refresh=True)["errors"]
    yield read_market_report(client, settings, MARKET, NOW - WEEK, NOW)
    client.close()
    remove(settings)


def _own(record, brand):
    return BRANDS[record.brand] == brand or (brand == "Hualin" and PRODUCTS[record.product] == "AirFry 300")


def _speaks(record, brand):
    return _own(record, brand) or any(NAMED[entity.text] == brand for entity in record.entities)


def _opinion(records):
    labels = [record.sentiment.label for record in records]
    return Opinion(labels.count("positive"), labels.count("negative"))


def _weeks(records):
    edge = enriched("edge", NOW - WEEK).timestamp
    return [each for each in records if each.timestamp >= edge], [each for each in records if each.timestamp < edge]


def test_brands_are_counted_under_one_name(report, records):
    now, before = _weeks(records)
    assert report.voices == sum(any(_speaks(record, brand.name) for brand in MARKET.brands) for record in now)
    for row in report.brands:
        name = row.brand.name
        assert row.records == sum(_own(record, name) for record in now), name
        assert row.mentions == sum(_speaks(record, name) for record in now), name
        assert row.mentions_before == sum(_speaks(record, name) for record in before), name
        assert row.opinion == _opinion([record for record in now if _own(record, name)]), name
        assert row.share == row.mentions / report.voices
    assert [row.rank for row in report.brands] == [1, 2, 3, 4]
    assert report.brands[0].mentions >= report.brands[1].mentions > report.brands[3].mentions == 0
    assert report.brands[3].rank_before is None


def test_products_by_aspect(report, records):
    now, _ = _weeks(records)
    assert {row.product.name for row in report.products} == {"AirFry 300", "card account"}
    for row in report.products:
        mine = [record for record in now if PRODUCTS[record.product] == row.product.name]
        assert (row.records, row.opinion) == (len(mine), _opinion(mine))
        for aspect, opinion in row.aspects.items():
            pairs = [each.pair for record in mine for each in record.aspects]
            assert opinion == Opinion(pairs.count(f"{aspect}:positive"), pairs.count(f"{aspect}:negative"))
    assert sorted(report.aspects) == ["delivery", "price"]


def test_rivals_that_negative_records_of_an_own_brand_name(report, records):
    now, _ = _weeks(records)
    assert {(each.brand.name, each.competitor.name): each.negative for each in report.lost_to} == {
        ("Hualin", rival): sum(
            _own(record, "Hualin")
            and record.sentiment.label == "negative"
            and any(NAMED[entity.text] == rival for entity in record.entities)
            for record in now
        )
        for rival in ("Kestrel", "Mingyue")
    }


def test_brands_that_the_file_lacks_are_named(report, records):
    now, _ = _weeks(records)
    assert report.unlisted == {"Nobody": sum(record.brand == "Nobody" for record in now)}


def test_without_an_index_all_is_zero(stack):
    settings = own_settings(stack.elasticsearch_url, "tmarketabsent")
    with connect(settings) as client:
        found = read_market_report(client, settings, MARKET, NOW - WEEK, NOW)
    assert (found.voices, found.products, found.lost_to, found.unlisted) == (0, [], [], {})
    assert [row.mentions for row in found.brands] == [0, 0, 0, 0]


def test_net_sentiment_lies_in_its_interval():
    assert Opinion().net is None
    assert Opinion(3, 1).net == 0.5
    low, high = Opinion(3, 1).interval
    assert (low, high) == tuple(2 * end - 1 for end in wilson(3, 4))
    assert -1 <= low < 0.5 < high <= 1
