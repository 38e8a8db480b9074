"""The outbox: every alert is stored with its examples, and the notifications of a page are sent in order."""

import asyncio
import threading
import time
from types import SimpleNamespace

import pytest
from engine_rig import AGES, START_MS, STEP_MS, Messages, Table, make, now, static_rule

from triage.alerting.delivery.outbox import Outbox
from triage.alerting.evidence import lookup
from triage.clock import rfc3339
from triage.config import Settings
from triage.metrics import Metrics
from triage.schemas.action import Acknowledge
from triage.schemas.alert import Evidence, Example


def found(text="Where is my parcel?"):
    return Evidence(examples=[Example("1", text, "delivery", "complaint", "2026-01-01T00:00:00Z")])


class Post:
    """An outbox on one engine, with a receiver, two archives, and `answer(alert, end_ms)` as the index.

    The second archive waits for `slow`.
    """

    def __init__(self, engine, answer):
        self.engine = engine
        self.pages = []
        self.stored = {}
        self.slow = asyncio.Event()
        self.slow.set()
        self.looked_up = []
        self._answer = answer
        clock = now()
        notifier = SimpleNamespace(name="log", send=self._send, close=self._nothing)
        self.outbox = Outbox(
            [notifier], Settings(alerting={"max_page_age_s": AGES}).alerting, clock, Metrics(),
            look_up=self._look_up, archives={"index": self._store, "topic": self._store_slowly},
            flush=self.flush,
        )  # fmt: skip
        self.outbox.start()

    async def play(self, *messages):
        await self.begin(*messages)
        await self.quiet()

    async def begin(self, *messages):
        """Apply messages and flush, without waiting for what they set in motion."""
        for message in messages:
            self.engine.apply(message)
        more = True
        while more:
            more = self.engine.advance()
            await self.flush(0, self.engine)
        await self.archived()

    async def flush(self, partition, engine):
        self.outbox.take(partition, engine, engine.take_changes())

    async def quiet(self):
        """Everything under way is done, but for the archives that wait for more."""
        async with asyncio.timeout(10):
            while len(asyncio.all_tasks()) > 3:  # noqa: ASYNC110
                await asyncio.sleep(0.002)

    async def archived(self):
        """The archives have done what they can."""
        for _ in range(100):
            await asyncio.sleep(0)

    async def _send(self, notification):
        self.pages.append(notification)

    async def _nothing(self):
        pass

    async def _store(self, alert, version):
        await asyncio.sleep(0)
        self.stored[alert.key] = alert

    async def _store_slowly(self, alert, version):
        await self.slow.wait()

    def _look_up(self, alert, end_ms):
        self.looked_up.append((alert.key, (end_ms - START_MS) // STEP_MS))
        return self._answer(alert, end_ms)


def test_a_page_has_examples_of_the_window_it_names_and_the_stored_alert_of_its_largest_however_late():
    async def run():
        engine, messages = make(now(), receivers=["log"]), Messages()
        post = Post(engine, lambda alert, end_ms: found())
        quiet = [messages.counts(step, 0, 9) for step in (2, 3)]
        # Three steps close at once, as after a restart: the window of the last has none of the spike's records.
        await post.play(messages.counts(0, 12, 15), messages.counts(1, 30, 40), *quiet, messages.mark(4))
        await post.outbox.stop()
        return post

    post = asyncio.run(run())
    assert set(post.looked_up) == {("intent=delivery", 1), ("intent=delivery", 2)}
    (page,) = [page.alert for page in post.pages if page.event == "firing"]
    stored = post.stored["intent=delivery"]
    assert page.examples == stored.examples == found().examples
    assert page.examples_end == page.peak_end == rfc3339(START_MS + STEP_MS)
    assert stored.examples_end == stored.peak_end == rfc3339(START_MS + 2 * STEP_MS)


def test_alerts_that_share_a_page_and_alerts_that_are_not_paged_have_examples_too():
    async def run():
        rules = [static_rule("shared"), static_rule("recorded", ("region",), notify=[])]
        engine, messages = make(now(), rules=rules, receivers=["log"]), Messages()
        post = Post(engine, lambda alert, end_ms: found(alert.key))
        await post.play(
            messages.counts(0, 12, 15, intent="delivery"), messages.counts(0, 11, 15, intent="billing"),
            messages.counts(0, 11, 15, region="eu"), messages.mark(1),
        )  # fmt: skip
        await post.outbox.stop()
        return post

    post = asyncio.run(run())
    (page,) = post.pages
    assert [other.key for other in page.also] == ["intent=billing"]
    assert {key: alert.examples[0].text for key, alert in post.stored.items()} == {
        key: key for key in ("intent=delivery", "intent=billing", "region=eu")
    }
    assert not post.stored["region=eu"].paged


def test_an_index_without_an_answer_is_asked_again_also_when_the_alert_is_over(monkeypatch):
    monkeypatch.setattr(lookup, "_RETRY_S", 0.0)

    async def run():
        away = [None, None, None]
        engine, messages = make(now(), receivers=["log"]), Messages()
        post = Post(engine, lambda alert, end_ms: away.pop() if away else found())
        quiet = [messages.counts(step, 0, 9) for step in (1, 2, 3, 4)]
        await post.play(messages.counts(0, 12, 15), *quiet, messages.mark(5))
        await post.outbox.stop()
        return post

    post = asyncio.run(run())
    assert [page.event for page in post.pages] == ["firing", "resolved"]
    assert post.stored["intent=delivery"].status == "resolved"
    assert post.stored["intent=delivery"].examples == found().examples


def broken(alert, end_ms):
    raise RuntimeError("an unexpected answer")


@pytest.mark.parametrize("answer", [lambda alert, end_ms: None, broken], ids=["silent", "broken"])
def test_an_index_that_never_knows_keeps_no_page_and_is_not_asked_for_ever(monkeypatch, answer):
    monkeypatch.setattr(lookup, "_RETRY_S", 0.0)

    async def run():
        engine, messages = make(now(), receivers=["log"]), Messages()
        post = Post(engine, answer)
        await post.play(messages.counts(0, 12, 15), messages.mark(1))
        await post.outbox.stop()
        return post

    post = asyncio.run(run())
    assert len(post.pages) == 1
    assert 2 <= len(post.looked_up) <= 12


def test_examples_that_cannot_be_kept_keep_no_page(monkeypatch):
    monkeypatch.setattr(lookup, "_RETRY_S", 0.0)

    async def run():
        engine, messages = make(now(), receivers=["log"]), Messages()
        monkeypatch.setattr(engine, "attach", broken)
        post = Post(engine, lambda alert, end_ms: found())
        await post.play(messages.counts(0, 12, 15), messages.mark(1))
        await post.outbox.stop()
        return post

    assert [page.alert.examples for page in asyncio.run(run()).pages] == [[]]


def test_a_page_and_its_alert_ask_the_index_once():
    async def run():
        engine, messages = make(now(), receivers=["log"]), Messages()
        post = Post(engine, lambda alert, end_ms: time.sleep(0.05) or found())
        await post.play(messages.counts(0, 12, 15), messages.mark(1))
        await post.outbox.stop()
        return post

    post = asyncio.run(run())
    assert post.looked_up == [("intent=delivery", 1)]
    assert post.pages[0].alert.examples == found().examples


class Gate:
    """An index that answers about `key` (None: all) only once it is opened."""

    def __init__(self, key=None):
        self.key = key
        self._open = threading.Event()

    def __call__(self, alert, end_ms):
        if self.key in {None, alert.key}:
            assert self._open.wait(10)
        return found()

    def open(self):
        self._open.set()


def acknowledge(engine):
    (episode,) = engine._episodes.all()
    assert engine.act(Acknowledge(id="1", actor="Kim", at_ms=START_MS, dedup_key=episode.dedup_key))


@pytest.mark.parametrize("acknowledged", [False, True])
def test_what_follows_a_page_waits_for_the_look_up_of_its_examples(acknowledged):
    async def run():
        parts = {"acknowledging": frozenset(["log"])}
        engine, messages, gate = make(now(), receivers=["log"], parts=parts), Messages(), Gate()
        post = Post(engine, gate)
        await post.begin(messages.counts(0, 12, 15), messages.mark(1))
        if acknowledged:
            acknowledge(engine)
        quiet = [messages.counts(step, 0, 9) for step in (1, 2, 3, 4)]
        await post.begin(*quiet, messages.mark(5))
        before = list(post.pages)
        gate.open()
        await post.quiet()
        await post.outbox.stop()
        return before, [page.event for page in post.pages]

    before, after = asyncio.run(run())
    assert before == [], "the page is first, and its examples are not known yet"
    assert after == ["firing", *["acknowledged"] * acknowledged, "resolved"]


def test_a_repeat_that_is_looked_up_again_is_not_overtaken_by_the_resolve():
    async def run():
        options = {"receivers": ["log"], "repeat_interval_s": STEP_MS // 1000}
        engine, messages, gate = make(now(), **options), Messages(), Gate()
        post = Post(engine, lambda alert, end_ms: found())
        await post.play(messages.counts(0, 12, 15), messages.mark(1))
        post._answer = gate
        await post.begin(messages.counts(1, 12, 15), messages.mark(2))
        quiet = [messages.counts(step, 0, 9) for step in (2, 3, 4, 5)]
        await post.begin(*quiet, messages.mark(6))
        gate.open()
        await post.quiet()
        await post.outbox.stop()
        return [(page.event, page.repeat) for page in post.pages]

    first, *repeats, last = asyncio.run(run())
    assert first == ("firing", False)
    assert set(repeats) == {("firing", True)}
    assert last == ("resolved", False)


def test_the_look_up_of_one_page_delays_no_other():
    async def run():
        rules = [static_rule("brand", ("brand",))]
        engine, messages, gate = make(now(), rules=rules, receivers=["log"]), Messages(), Gate("brand=Acme")
        post = Post(engine, gate)
        await post.begin(
            messages.counts(0, 12, 15, brand="Acme"), messages.counts(0, 12, 15, brand="Bolt"), messages.mark(1)
        )
        while not post.pages:  # noqa: ASYNC110
            await asyncio.sleep(0.002)
        before = [page.alert.key for page in post.pages]
        gate.open()
        await post.quiet()
        await post.outbox.stop()
        return before, [page.alert.key for page in post.pages]

    async def bounded():
        async with asyncio.timeout(5):
            return await run()

    assert asyncio.run(bounded()) == (["brand=Bolt"], ["brand=Bolt", "brand=Acme"])


def test_after_a_rebalance_only_the_new_engine_sends_and_in_order():
    async def run():
        engine, messages, gate, table = make(now(), receivers=["log"]), Messages(), Gate(), Table()
        post = Post(engine, gate)
        engine.apply(messages.counts(0, 12, 15))
        engine.apply(messages.mark(1))
        engine.advance()
        changes = engine.take_changes()
        table.write(changes.writes)
        post.outbox.take(0, engine, changes)
        await post.archived()
        post.outbox.drop()
        post.engine = make(now(), receivers=["log"])
        post.engine.restore(table.entries)
        post.outbox.take(0, post.engine, post.engine.take_changes(), resent=True)
        quiet = [messages.counts(step, 0, 9) for step in (1, 2, 3, 4)]
        await post.begin(*quiet, messages.mark(5))
        gate.open()
        await post.quiet()
        await post.outbox.stop()
        return [(page.event, page.resent) for page in post.pages]

    assert asyncio.run(run()) == [("firing", True), ("resolved", False)]


def _spike(messages, step):
    return [
        messages.counts(step, 12, 15),
        *(messages.counts(step + n, 0, 9) for n in range(1, 5)),
        messages.mark(step + 5),
    ]


def test_an_alert_is_archived_when_each_archive_has_its_last_state_however_often_one_writes_it():
    async def run():
        engine, messages = make(now(), receivers=["log"]), Messages()
        post = Post(engine, lambda alert, end_ms: found())
        post.slow.clear()
        await post.play(*_spike(messages, 0))
        (episode,) = engine._episodes.all()
        # As with examples that are found late: the same version again, also in the middle of its writing.
        for pause in range(6):
            post.outbox._archive(engine.alert(episode), episode.version)
            for _ in range(pause):
                await asyncio.sleep(0)
            post.outbox._archive(engine.alert(episode), episode.version)
            await post.archived()
        before = engine.episode(episode.dedup_key).archived
        post.slow.set()
        await post.archived()
        await post.outbox.stop()
        return episode, before, engine.episode(episode.dedup_key).archived

    episode, before, after = asyncio.run(run())
    assert (episode.state, before, after) == ("resolved", False, True)


def test_alerts_that_are_over_leave_nothing_behind():
    async def run():
        engine, messages = make(now(), receivers=["log"]), Messages()
        post = Post(engine, lambda alert, end_ms: found())
        for number in range(4):
            # The slower archive never sees most versions.
            post.slow.clear()
            await post.play(*_spike(messages, 40 * number))
            post.slow.set()
            await post.archived()
        await post.play(messages.counts(200, 0, 9), messages.mark(201))
        await post.outbox.stop()
        return post

    post = asyncio.run(run())
    assert len([page for page in post.pages if page.event == "resolved"]) == 4
    assert post.engine._episodes.all() == []
    assert post.outbox._owners == {}
    assert post.outbox._unarchived == {}
