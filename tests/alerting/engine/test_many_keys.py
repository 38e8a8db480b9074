"""Work grows with the keys that fire, not with their square: counted in calls of functions."""

import pytest
from engine_rig import START_MS, STEP_MS, TOPIC, Messages, advance_all, calls, make, now, static_rule

from triage.schemas.counts import KeyCount, WindowCounts, dimension_key

RULES = {
    "one group": [static_rule("intent")],
    "a group each": [static_rule("brand", ("brand",))],
    "parents and children": [
        static_rule("brand", ("brand",)),
        static_rule("both", ("brand", "intent")),
        static_rule("all", ()),
    ],
}


def everything(rules, keys, step, negative):
    """Each key of each rule has so many negatives, and no other records."""
    counts = []
    for rule in rules:
        for number in range(keys if rule.dimension else 1):
            values = {name: f"{name}-{number}" for name in rule.dimension}
            counts.append(KeyCount(START_MS + step * STEP_MS, dimension_key(values), values, negative, negative or 10))
    first = 10 * step
    return WindowCounts(
        window_ms=STEP_MS, topic=TOPIC, partition=0, first_offset=first, last_offset=first + 9, counts=counts
    )


def work_of(rules, keys):
    """Calls that a step costs in which all keys fire, a repeat of all pages, and the steps in which they resolve."""
    engine, messages = make(now(), rules=rules, repeat_interval_s=STEP_MS // 1000), Messages()
    spent = []

    def play(step, negative):
        engine.apply(everything(rules, keys, step, negative))
        messages.offset = 10 * (step + 1)
        engine.apply(messages.mark(step + 1))
        pages = []
        spent.append(calls(lambda: pages.extend(advance_all(engine))))
        for page in pages:
            for receiver in ("log", "webhook"):
                spent[-1] += calls(engine.delivered, page.alert.dedup_key, page.event, receiver)
        return pages

    assert play(0, 12)
    assert {page.event for page in play(1, 12)} == {"firing"}
    ends = [page.event for step in range(2, 6) for page in play(step, 0)]
    assert "resolved" in ends
    assert engine.open_episodes == 0
    return spent


@pytest.mark.parametrize("rules", RULES.values(), ids=RULES.keys())
def test_twice_as_many_keys_cost_twice_as_much(rules):
    few, many = work_of(rules, 100), work_of(rules, 200)
    assert [step for step, (one, other) in enumerate(zip(few, many, strict=True)) if other > 2.1 * one] == []
