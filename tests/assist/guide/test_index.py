"""The catalogue in the index: applied, changed, interrupted, and reviews that speak for and against."""

import guides
import msgspec
import pytest
from elastic_fixtures import client, settings
from records import AT_MS, enriched
from small_encoder import SmallEncoder

from triage.assist.guide.catalogue import Catalogue, ItemProblem
from triage.assist.guide.plan import apply_catalogue, plan_catalogue, read_orders
from triage.assist.guide.reviews import Reviews
from triage.assist.guide.snapshot import CatalogueReader, snapshot_of
from triage.assist.market.names import read_market
from triage.clock import ManualClock
from triage.elastic.catalogue import ensure_catalogue, read_catalogue_documents, read_catalogue_state
from triage.elastic.plan import apply, plan_index
from triage.errors import ConfigError
from triage.schemas.enriched import Aspect
from triage.types import Channel

__all__ = ["client", "settings"]
pytestmark = pytest.mark.stack


@pytest.fixture
def bring(client, settings, clock):
    """`bring(items)` applies a catalogue and returns the plan."""
    index = settings.catalogue()

    def bring(items, encoder=None, orders=None, problems=()):
        ensure_catalogue(client, index)
        indexed = {each.item: each for each in read_catalogue_documents(client, index)}
        found = Catalogue({each.id: each for each in items}, list(problems))
        plan = plan_catalogue(found, indexed, encoder.version if encoder else None, orders)
        apply_catalogue(client, index, plan, found, indexed, encoder, clock, orders)
        return plan

    return bring


def test_an_apply_changes_only_what_changed(bring, client, settings, clock):
    items = guides.items()[:5]
    assert len(bring(items).create) == 5
    assert not bring(items)
    changed = msgspec.structs.replace(items[0], prices={"USD": 1.0})
    plan = bring([changed, *items[2:]], problems=[ItemProblem(9, "price", "wrong", items[1].id)])
    assert (plan.update, plan.delete, plan.kept, plan.unchanged) == ([items[0].id], [], [items[1].id], 3)
    plan = bring(items[2:])
    assert plan.delete == [items[0].id, items[1].id]
    stored = read_catalogue_documents(client, settings.catalogue())
    assert [each.stored for each in stored] == items[2:]
    assert read_catalogue_state(client, settings.catalogue()).items == 3


def test_vectors_come_with_an_encoder_and_stay_without_one(bring, client, settings):
    items, encoder = guides.items()[:3], SmallEncoder()
    bring(items)
    assert bring(items, encoder).update == [each.id for each in items]
    assert not bring(items)
    documents = read_catalogue_documents(client, settings.catalogue())
    assert {each.encoder for each in documents} == {encoder.version}
    assert {language for each in documents for language in each.exact} == {"en", "zh"}
    bring(items, orders={items[0].id: {items[1].id: 7}})
    documents = read_catalogue_documents(client, settings.catalogue())
    assert documents[0].bought_with == {items[1].id: 7}
    assert documents[0].encoder == encoder.version


def test_a_wrong_file_deletes_nothing(bring):
    bring([guides.item(f"i{number}") for number in range(30)])
    found = Catalogue({"x": guides.item("x")})
    plan = plan_catalogue(found, {f"i{number}": None for number in range(30)}, None)
    with pytest.raises(ConfigError, match="--delete-many"):
        plan.require_few_deletions(30)


def test_a_reader_follows_the_index(bring, client, settings):
    clock, index = ManualClock(AT_MS), settings.catalogue()
    reader = CatalogueReader(
        lambda: read_catalogue_state(client, index),
        lambda: read_catalogue_documents(client, index),
        lambda documents: snapshot_of(documents, guides.words(), None),
        clock,
    )
    assert reader.read().items == []
    bring(guides.items()[:2])
    assert reader.read().items == []
    clock.advance(10_001)
    assert len(reader.read().items) == 2
    first = reader.read()
    clock.advance(10_001)
    assert reader.read() is first


def test_orders_need_support(tmp_path):
    path = tmp_path / "orders.csv"
    rows = [f"{number},{item}" for number in range(5) for item in ("a", "b")]
    rows += [f"x{number},{item}" for number in range(4) for item in ("a", "c")]
    path.write_text("order,item\n" + "\n".join(rows), "utf-8")
    assert read_orders(path) == {"a": {"b": 5}, "b": {"a": 5}}
    path.write_text("order,itm\n1,a\n", "utf-8")
    with pytest.raises(ConfigError, match="line 2: needs the columns order and item"):
        read_orders(path)


PRAISE = "Bought it in May. The battery is great. My dog likes it."
BLAME = "It broke after a week, and the screen has scratches."


@pytest.fixture
def reviews(client, settings):
    apply(client, plan_index(client, settings, ManualClock(AT_MS)))

    def aspects(polarity):
        return [Aspect("quality", polarity, 0.9, f"quality:{polarity}")]

    def store(*records):
        operations = []
        for number, record in enumerate(records):
            operations += [
                {"index": {"_index": f"{settings.index_prefix}-2026", "_id": f"m{number}"}},
                msgspec.to_builtins(record),
            ]
        assert not client.bulk(operations=operations, refresh=True)["errors"]
        clock = ManualClock(AT_MS + 60_000)
        market = read_market(guides.MARKET)
        return Reviews(client, settings, clock, 30, lambda: market)

    common = {"channel": Channel.REVIEW, "brand": "HUALIN", "product": "phone"}
    return store(
        enriched(PRAISE, score=0.9, aspects=aspects("positive"), **common),
        enriched(BLAME, aspects=aspects("negative"), **common | {"brand": "华林"}),
        enriched("屏幕很好。", score=0.9, aspects=aspects("positive"), language="zh", **common),
        enriched(
            "The complaint says it broke.", aspects=aspects("negative"), **common | {"channel": Channel.COMPLAINT}
        ),
        enriched("Kestrel broke.", aspects=aspects("negative"), **common | {"brand": "Kestrel"}),
        enriched("Old and broke.", AT_MS - 31 * 86_400_000, aspects=aspects("negative"), **common),
    )


def test_reviews_speak_for_and_against_word_for_word(reviews):
    item = next(each for each in guides.items() if each.id == "p-01")
    found = reviews.find([item], "en")["p-01"]
    assert (found.praising, found.blaming) == (2, 1)
    (praise,), (blame,) = found.speaking_for, found.against
    assert (praise.text, praise.record, praise.aspect) == ("The battery is great.", "m0", "quality")
    assert PRAISE[praise.start : praise.end] == praise.text
    assert (blame.text, blame.record) == (BLAME, "m1")
    assert reviews.find([item], "zh")["p-01"].speaking_for[0].text == "屏幕很好。"


def test_a_review_in_the_language_is_found_behind_many_newer_ones_in_another(reviews, client, settings):
    aspects = [Aspect("quality", "positive", 0.9, "quality:positive")]
    common = {"channel": Channel.REVIEW, "brand": "HUALIN", "product": "phone", "language": "zh", "score": 0.9}
    operations = []
    for number in range(25):
        newer = enriched("屏幕很好。", AT_MS + 1_000 + number, aspects=aspects, **common)
        operations += [
            {"index": {"_index": f"{settings.index_prefix}-2026", "_id": f"newer{number}"}},
            msgspec.to_builtins(newer),
        ]
    assert not client.bulk(operations=operations, refresh=True)["errors"]
    item = next(each for each in guides.items() if each.id == "p-01")
    found = reviews.find([item], "en")["p-01"]
    assert (found.praising, found.speaking_for[0].text) == (27, "The battery is great.")


def test_reviews_that_cannot_be_read_are_left_out(settings, clock):
    from triage.elastic.client import connect

    broken = connect(settings.model_copy(update={"url": "http://127.0.0.1:1", "request_timeout_s": 1}))
    with broken:
        assert Reviews(broken, settings, clock, 30).find(guides.items()[:1], "en") is None
