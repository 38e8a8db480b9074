"""Pages: grouped, muted, silenced, repeated, acknowledged and snoozed; played through an engine."""

import msgspec
import pytest
from engine_rig import (
    START_MS,
    STEP_MS,
    Messages,
    Table,
    advance_all,
    deduplicated,
    events,
    make,
    now,
    play,
    static_rule,
)

from triage.alerting.lifecycle.silences import Silences, parse_matchers
from triage.clock import ManualClock, rfc3339
from triage.errors import ConfigError
from triage.schemas.action import Acknowledge, Silence, Snooze

INTENT = static_rule("intent")
BRAND = static_rule("brand", ("brand",), severity="error")
BOTH = static_rule("both", ("brand", "intent"), severity="error")
ALL = static_rule("all", (), severity="warning")
RULES = (INTENT, BRAND, BOTH, ALL)


def bursts(messages, steps, *keys, first=0, negative=12):
    """Steps in which each key has only negatives, then those of calm."""
    for step in range(first, first + steps):
        for key in keys:
            yield messages.counts(step, negative, negative, **key)
        yield messages.mark(step + 1)


def calm(messages, first, steps):
    for step in range(first, first + steps):
        yield messages.mark(step + 1)


def at(step):
    return START_MS + round(step * STEP_MS)


DELIVERY, BILLING, EVERYTHING = {"intent": "delivery"}, {"intent": "billing"}, {"everything": True}


def test_alerts_of_a_group_come_on_one_page_which_resolves_once():
    engine, messages = make(now(), rules=RULES), Messages()
    sent = play(engine, bursts(messages, 2, DELIVERY, BILLING))
    assert [page.event for page in sent] == ["firing"]
    [page] = sent
    assert {page.alert.key, *(other.key for other in page.also)} == {"intent=delivery", "intent=billing"}
    sent = play(engine, bursts(messages, 4, BILLING, first=2))
    assert sent == [], "delivery is over, billing is not"
    sent = play(engine, calm(messages, 6, 5))
    assert [(p.event, p.alert.dedup_key) for p in sent] == [("resolved", page.alert.dedup_key)]


def test_brands_are_groups_of_their_own():
    engine, messages = make(now(), rules=RULES), Messages()
    sent = play(engine, bursts(messages, 1, {"brand": "Acme"}, {"brand": "Bolt"}))
    assert sorted(page.alert.key for page in sent) == ["brand=Acme", "brand=Bolt"]


@pytest.mark.parametrize(("group_by", "pages"), [("brand", 2), ("none", 1)])
def test_a_shop_of_one_brand_has_one_page_where_all_alerts_are_one_group(group_by, pages):
    spiking = (DELIVERY, {"brand": "Acme"}, {"brand": "Acme", "intent": "delivery"}, EVERYTHING)
    engine, messages = make(now(), rules=RULES, group_by=group_by), Messages()
    sent = play(engine, [*bursts(messages, 2, *spiking), *calm(messages, 2, 5)])
    assert [page.event for page in sent] == ["firing"] * pages + ["resolved"] * pages
    assert "intent=delivery" in {page.alert.key for page in sent}, "the most severe comes first"


def test_a_page_waits_for_its_group_and_the_next_one_for_the_interval():
    engine, messages = make(now(), rules=RULES, group_wait_s=30, group_interval_s=900), Messages()
    sent = play(engine, [messages.counts(0, 12, 12, **DELIVERY), messages.mark(1), messages.mark(1.09)])
    assert sent == [], "29 seconds"
    assert events(play(engine, [messages.mark(1.1)])) == [("firing", "intent=delivery")]
    sent = play(engine, bursts(messages, 2, DELIVERY, BILLING, first=1))
    assert sent == [], "the interval is not over"
    sent = play(engine, bursts(messages, 3, DELIVERY, BILLING, first=3))
    assert events(sent) == [("firing", "intent=billing")], "a page of its own: the first may be acknowledged"


def test_an_alert_that_is_over_before_its_page_is_due_is_recorded_and_not_paged():
    engine, messages = make(now(), rules=RULES, group_wait_s=3600), Messages()
    sent = play(engine, [*bursts(messages, 1, DELIVERY), *calm(messages, 1, 20)])
    assert sent == []
    [episode] = engine._episodes.all()
    assert episode.not_paged_because == "it was over before its page was due"


def test_a_firing_parent_mutes_its_children_and_they_page_when_it_is_over():
    engine, messages = make(now(), rules=RULES), Messages()
    child = {"brand": "Acme", "intent": "delivery"}
    sent = play(engine, bursts(messages, 1, {"brand": "Acme"}, child, {"brand": "Acme", "intent": "billing"}))
    assert events(sent) == [("firing", "brand=Acme")]
    muted = [e for e in engine._episodes.all() if e.rule == "both"]
    assert [e.not_paged_because[:20] for e in muted] == ["muted by the alert t"] * 2
    sent = play(engine, bursts(messages, 6, child, first=1))
    assert events(sent) == [("resolved", "brand=Acme"), ("firing", "brand=Acme|intent=delivery")]


def test_a_parent_does_not_mute_what_is_more_severe_and_is_explained_by_it():
    engine, messages = make(now(), rules=(INTENT, ALL)), Messages()
    sent = play(engine, bursts(messages, 1, EVERYTHING, DELIVERY))
    assert events(sent) == [("firing", "intent=delivery")]
    [parent] = [e for e in engine._episodes.all() if e.rule == "all"]
    assert "of rule intent" in parent.not_paged_because


def test_everything_mutes_its_group_only_where_that_is_asked_for():
    loud = static_rule("all", ())
    for all_mutes, expected in ((True, 1), (False, 2)):
        engine, messages = make(now(), rules=(INTENT, loud), rule_options={"all_mutes": all_mutes}), Messages()
        [page] = play(engine, bursts(messages, 1, EVERYTHING, DELIVERY))
        assert 1 + len(page.also) == expected


def test_two_rules_on_the_same_values_page_once():
    other = static_rule("other", count=5)
    engine, messages = make(now(), rules=(INTENT, other)), Messages()
    sent = play(engine, [*bursts(messages, 1, DELIVERY, negative=7), *bursts(messages, 4, DELIVERY, first=1)])
    assert [(page.event, page.alert.rule) for page in sent] == [("firing", "other")]


def test_a_page_repeats_until_it_is_acknowledged():
    engine, messages = make(now(), rules=RULES, repeat_interval_s=3600), Messages()
    sent = play(engine, bursts(messages, 26, DELIVERY))
    assert [(page.event, page.repeat) for page in sent] == [("firing", False)], "the first is not delivered yet"
    for receiver in ("log", "webhook"):
        engine.delivered(sent[0].alert.dedup_key, "firing", receiver)
    sent = play(engine, bursts(messages, 26, DELIVERY, first=26))
    assert [(page.event, page.repeat) for page in sent][:1] == [("firing", True)]
    assert engine.act(Acknowledge(id="1", actor="Kim", at_ms=5, dedup_key=sent[0].alert.dedup_key))
    for _ in range(3):
        for receiver in ("log", "webhook"):
            engine.delivered(sent[0].alert.dedup_key, "firing", receiver)
    assert play(engine, bursts(messages, 40, DELIVERY, first=52)) == []
    sent = play(engine, calm(messages, 92, 10))
    assert [page.event for page in sent] == ["resolved"], "a resolve is always sent"


def test_an_acknowledgement_reaches_the_receivers_that_want_it_once_and_survives_a_restart():
    parts = {"acknowledging": frozenset({"webhook"})}
    engine, messages, table = make(now(), rules=RULES, parts=parts), Messages(), Table()
    [page] = play(engine, bursts(messages, 1, DELIVERY, BILLING), table)
    action = Acknowledge(id="1", actor="Kim", at_ms=7_000, dedup_key=page.also[0].dedup_key, comment="on it")
    assert engine.act(action)
    [told_] = advance_all(engine, table)
    assert (told_.event, told_.alert.dedup_key, told_.pending) == ("acknowledged", page.alert.dedup_key, ["webhook"])
    alert = engine.alert(engine.episode(page.alert.dedup_key))
    assert (alert.acknowledged.by, alert.acknowledged.at) == ("Kim", rfc3339(7_000))
    again = make(now(), rules=RULES, parts=parts)
    again.restore(table.entries)
    again.take_changes()
    assert not again.act(action), "read again from the topic"
    assert not again.act(Acknowledge(id="2", actor="Kim", at_ms=9_000, dedup_key="triage-unknown"))


def test_a_snoozed_alert_is_paged_again_if_it_still_fires():
    parts = {"acknowledging": frozenset({"log"})}
    clock = ManualClock(at(1))
    engine, messages = make(clock, rules=RULES, parts=parts, allowed_lateness_s=0), Messages()
    [page] = play(engine, bursts(messages, 1, DELIVERY))
    key = page.alert.dedup_key
    clock.set(at(30))
    assert engine.act(Snooze(id="1", actor="Kim", at_ms=1, dedup_key=key, until_ms=at(5)))
    for receiver in ("log", "webhook"):
        engine.delivered(key, "firing", receiver)
    sent = play(engine, bursts(messages, 4, DELIVERY, first=1))
    assert [page.event for page in sent] == ["acknowledged", "firing"]
    assert engine.alert(engine.episode(key)).snoozed_until is None
    assert sent[1].repeat


def test_a_silence_mutes_what_matches_until_its_end_and_the_alert_says_so():
    silences = Silences(
        [Silence(id="s", actor="Kim", at_ms=0, matchers=parse_matchers(["intent=delivery"]), until_ms=at(4))]
    )
    engine, messages = make(now(), rules=RULES, parts={"silences": silences}), Messages()
    sent = play(engine, bursts(messages, 2, DELIVERY, BILLING))
    assert events(sent) == [("firing", "intent=billing")]
    [muted] = [e for e in engine._episodes.all() if e.key == "intent=delivery"]
    assert muted.not_paged_because == f"silenced by Kim until {rfc3339(at(4))} (intent=delivery)"
    sent = play(engine, bursts(messages, 3, DELIVERY, BILLING, first=2))
    assert events(sent) == [("firing", "intent=delivery")]


def test_an_end_that_is_sooner_than_the_repeat_resolves_nothing():
    """Others took an alert for over when it was not sent again before its end time."""
    engine, messages = make(now(), rules=RULES, repeat_interval_s=14_400), Messages()
    sent = play(engine, bursts(messages, 40, DELIVERY))
    assert [page.event for page in sent] == ["firing"]
    assert sent[0].alert.ended_at is None


def test_a_refire_pages_although_the_resolve_before_was_not_delivered():
    engine, messages = make(now(), rules=RULES), Messages()
    sent = play(engine, [*bursts(messages, 1, DELIVERY), *calm(messages, 1, 10)])
    sent += play(engine, bursts(messages, 1, DELIVERY, first=11))
    assert [page.event for page in sent] == ["firing", "resolved", "firing"]
    assert len({page.alert.dedup_key for page in sent}) == 2


def test_a_replay_of_a_month_pages_nobody_and_what_still_fires_at_its_end_does_once():
    month = 12 * 24 * 30
    clock = ManualClock(at(month))
    engine, messages = make(clock, rules=RULES, max_page_age_s=6 * 3600), Messages()
    log = []
    for day in range(28):
        log += bursts(messages, 3, DELIVERY, {"brand": "Acme"}, first=day * 288)
    assert play(engine, log) == []
    assert len(engine._episodes.all()) > 2
    assert all(e.page is None for e in engine._episodes.all())
    assert all("more than 6 h" in e.not_paged_because for e in engine._episodes.all() if not e.open)
    sent = play(engine, bursts(messages, 300, DELIVERY, first=month - 300))
    assert [page for page in deduplicated(sent) if page[1] == "firing"] == deduplicated(sent)
    assert len(deduplicated(sent)) == 1


ACME, CHILD = {"brand": "Acme"}, {"brand": "Acme", "intent": "delivery"}


def silencing(*matchers, until):
    return Silences([Silence(id="s", actor="Kim", at_ms=0, matchers=parse_matchers(matchers), until_ms=until)])


@pytest.mark.parametrize(
    ("parent", "parts"),
    [
        (BRAND, {"silences": silencing("rule=brand", until=at(99))}),
        (static_rule("brand", ("brand",), severity="error", notify=[]), {}),
        (static_rule("brand", ("brand",), severity="error", notify=["log"]), {}),
        (static_rule("brand", ("brand",), severity="error", notify=["slack"]), {}),
    ],
    ids=["silenced", "notify nobody", "the log only", "others than the child's"],
)
def test_a_parent_whose_page_does_not_reach_the_child_s_receivers_mutes_nothing(parent, parts):
    engine, messages = make(now(), rules=(parent, BOTH), parts=parts, receivers=("log", "webhook", "slack")), Messages()
    sent = play(engine, bursts(messages, 1, ACME, CHILD))
    assert ("firing", "brand=Acme|intent=delivery") in events(sent)
    [child] = [e for e in engine._episodes.all() if e.rule == "both"]
    assert child.page == child.dedup_key


def test_a_parent_mutes_where_its_page_reaches_all_of_the_child_s_receivers():
    narrow = static_rule("both", ("brand", "intent"), severity="error", notify=["log", "slack"])
    wide = static_rule("brand", ("brand",), severity="error", notify=["slack", "webhook"])
    engine, messages = make(now(), rules=(wide, narrow), receivers=("log", "webhook", "slack")), Messages()
    sent = play(engine, bursts(messages, 1, ACME, CHILD))
    assert events(sent) == [("firing", "brand=Acme")], "the log reaches nobody"


def test_a_snoozed_page_mutes_nothing_and_an_acknowledged_one_does():
    for action, expected in (
        (
            Snooze(id="1", actor="Kim", at_ms=1, dedup_key="", until_ms=at(99)),
            [("firing", "brand=Acme|intent=delivery")],
        ),
        (Acknowledge(id="1", actor="Kim", at_ms=1, dedup_key=""), []),
    ):
        engine, messages = make(now(), rules=(BRAND, BOTH)), Messages()
        [page] = play(engine, bursts(messages, 1, ACME))
        assert engine.act(msgspec.structs.replace(action, dedup_key=page.alert.dedup_key))
        assert events(play(engine, bursts(messages, 2, ACME, CHILD, first=1))) == expected


def test_a_page_that_no_receiver_will_ever_take_mutes_nothing():
    engine, messages = make(now(), rules=(BRAND, BOTH)), Messages()
    [page, *_] = play(engine, bursts(messages, 1, ACME, CHILD))
    engine.delivered(page.alert.dedup_key, "firing", "log")
    engine.refused(page.alert.dedup_key, "firing", "webhook", "HTTP 403")
    assert play(engine, bursts(messages, 1, ACME, CHILD, first=1)) == [], "it is on its way"
    engine.delivered(page.alert.dedup_key, "firing", "webhook", "HTTP 400")
    assert events(play(engine, bursts(messages, 1, ACME, CHILD, first=2))) == [("firing", "brand=Acme|intent=delivery")]


def test_a_child_waits_for_the_page_of_its_parent_in_another_group():
    """The parent's group had a page a step ago: its next one waits for the interval."""
    wide, child = static_rule("intent"), {"brand": "Acme", "intent": "delivery"}
    options = {"rules": (wide, BOTH), "group_wait_s": 30, "group_interval_s": 900}
    engine, messages = make(now(), **options), Messages()
    sent = play(engine, [*bursts(messages, 1, BILLING), messages.mark(1.5)])
    assert events(sent) == [("firing", "intent=billing")]
    log = [*bursts(messages, 1, BILLING, DELIVERY, child, first=1), messages.mark(2.5)]
    assert play(engine, log) == []
    [waiting] = [e for e in engine._episodes.all() if e.rule == "both"]
    assert waiting.not_paged_because.startswith("waits for the page of the alert triage-")
    sent = play(engine, [*bursts(messages, 3, BILLING, DELIVERY, child, first=2), messages.mark(5.5)])
    assert events(sent) == [("firing", "intent=delivery")]
    [muted] = [e for e in engine._episodes.all() if e.rule == "both"]
    assert muted.not_paged_because.startswith("muted by the alert triage-")


def test_what_pages_goes_first_where_not_all_alerts_can_be_open(monkeypatch):
    monkeypatch.setattr("triage.alerting.engine.episodes.MAX_OPEN_EPISODES", 4)
    quiet = static_rule("a-quiet", ("intent",), notify=[])
    loud, worst = static_rule("b-loud", ("brand",), severity="error"), static_rule("c-worst", ("region",))
    engine, messages = make(now(), rules=(quiet, loud, worst), group_by="none"), Messages()
    spiking = [{"intent": f"i{n}"} for n in range(9)] + [{"brand": f"b{n}"} for n in range(2)] + [{"region": "eu"}]
    [page] = play(engine, bursts(messages, 1, *spiking))
    assert {page.alert.key, *(other.key for other in page.also)} == {"region=eu", "brand=b0", "brand=b1"}
    assert engine.open_episodes == 4


def test_what_pages_displaces_what_does_not(monkeypatch):
    monkeypatch.setattr("triage.alerting.engine.episodes.MAX_OPEN_EPISODES", 3)
    quiet, loud = static_rule("quiet", ("intent",), notify=[]), static_rule("loud", ("brand",))
    engine, messages = make(now(), rules=(quiet, loud)), Messages()
    noise = [{"intent": f"i{n}"} for n in range(3)]
    assert play(engine, bursts(messages, 1, *noise)) == []
    sent = play(engine, bursts(messages, 2, *noise, ACME, first=1))
    assert events(sent) == [("firing", "brand=Acme")]
    assert engine.open_episodes == 3
    [over] = [e for e in engine._episodes.all() if not e.open]
    assert over.not_paged_because == "it made room for one that is paged: at most 3 alerts are open at once"
    more = [{"brand": f"b{n}"} for n in range(9)]
    assert len(play(engine, bursts(messages, 1, *noise, ACME, *more, first=3))) == 2, "the rest has no room"


def test_a_wider_alert_displaces_muted_narrower_ones_and_not_the_other_way_round(monkeypatch):
    monkeypatch.setattr("triage.alerting.engine.episodes.MAX_OPEN_EPISODES", 3)
    engine, messages = make(now(), rules=(BRAND, BOTH)), Messages()
    children = [{"brand": "Acme", "intent": f"i{n}"} for n in range(6)]
    assert events(play(engine, bursts(messages, 1, ACME, *children))) == [("firing", "brand=Acme")]
    before = {e.dedup_key for e in engine._episodes.all() if e.open}
    play(engine, bursts(messages, 1, ACME, *children, first=1))
    assert {e.dedup_key for e in engine._episodes.all() if e.open} == before, "they do not take turns"
    sent = play(engine, bursts(messages, 1, ACME, *children, {"brand": "Bolt"}, first=2))
    assert events(sent) == [("firing", "brand=Bolt")]


def test_a_storm_of_keys_is_bounded(monkeypatch):
    monkeypatch.setattr("triage.alerting.engine.episodes.MAX_OPEN_EPISODES", 5)
    engine, messages = make(now(), rules=RULES), Messages()
    play(engine, bursts(messages, 2, *({"intent": f"i{number}"} for number in range(9))))
    assert engine.open_episodes == 5


@pytest.mark.parametrize(
    ("matchers", "said"),
    [
        (["brand"], "is not a matcher"),
        (["colour=red"], "unknown field 'colour'"),
        ([], "at least one"),
        (["brand!=A"], "with ="),
    ],
)
def test_invalid_matchers_are_named(matchers, said):
    with pytest.raises(ConfigError, match=said):
        parse_matchers(matchers)
