"""Inhibition: a parent that is looked up is the one that comparing every pair would find."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.alerting.lifecycle.episode import Episode
from triage.alerting.lifecycle.inhibition import InhibitionIndex, _first, _sharper, _wider, rank

DIMENSIONS = st.dictionaries(st.sampled_from(["brand", "intent", "region"]), st.sampled_from("ab"), max_size=3)


def episode(number, dimensions, severity="error", state="firing", started_ms=0, rule="rule"):
    return Episode(
        dedup_key=f"triage-{number}", rule=rule, key="", dimensions=dimensions, state=state, severity=severity,
        window_ms=1, started_ms=started_ms, last_step_ms=0, last_firing_ms=0, end_ms=1, negative=1, total=1,
        peak_negative=1, peak_total=1,
    )  # fmt: skip


@st.composite
def episodes(draw):
    return [
        episode(
            number,
            draw(DIMENSIONS),
            draw(st.sampled_from(["critical", "error", "info"])),
            draw(st.sampled_from(["firing", "ongoing", "recovering", "pending", "resolved"])),
            draw(st.integers(0, 2)),
            draw(st.sampled_from("xyz")),
        )
        for number in range(draw(st.integers(1, 12)))
    ]


def by_pairs(child, found, *, all_mutes):
    parents = [
        e
        for e in found
        if e.firing
        and e.dedup_key != child.dedup_key
        and (_wider(e, child, all_mutes=all_mutes) or _first(e, child) or _sharper(e, child))
    ]
    return min(parents, key=lambda e: (len(e.dimensions), e.started_ms, e.rule), default=None)


@given(episodes(), st.booleans())
def test_it_finds_what_comparing_every_pair_finds(found, all_mutes):
    index = InhibitionIndex(found)
    for child in found:
        if child.firing:
            assert index.parent_of(child, all_mutes=all_mutes) is by_pairs(child, found, all_mutes=all_mutes)


@pytest.mark.parametrize(
    ("parent", "child", "mutes"),
    [
        (episode(1, {"brand": "Acme"}), episode(2, {"brand": "Acme", "region": "eu"}), True),
        (episode(1, {"brand": "Bolt"}), episode(2, {"brand": "Acme", "region": "eu"}), False),
        (episode(1, {"brand": "Acme"}, "info"), episode(2, {"brand": "Acme", "region": "eu"}), False),
        (episode(1, {"brand": "Acme", "region": "eu"}, "critical"), episode(2, {"brand": "Acme"}), True),
        (episode(1, {"brand": "Acme"}, started_ms=1), episode(2, {"brand": "Acme"}, started_ms=2), True),
        (episode(1, {"brand": "Acme"}, state="resolved"), episode(2, {"brand": "Acme", "region": "eu"}), False),
        (episode(1, {}), episode(2, {"brand": "Acme"}), False),
    ],
)
def test_who_mutes_whom(parent, child, mutes):
    assert (InhibitionIndex([parent, child]).parent_of(child, all_mutes=False) is parent) is mutes


def test_ranks_follow_the_severities_and_an_unknown_one_comes_last():
    assert [rank(episode(1, {}, name)) for name in ("critical", "error", "warning", "info", "odd")] == [0, 1, 2, 3, 4]


def test_of_several_parents_the_widest_and_then_the_earliest_is_named():
    child = episode(1, {"brand": "a", "intent": "b"}, started_ms=9)
    wide, early = episode(2, {"brand": "a"}, started_ms=5, rule="y"), episode(3, {"intent": "b"}, started_ms=4)
    same = episode(4, {"brand": "a", "intent": "b"}, started_ms=1)
    index = InhibitionIndex([child, wide, early, same])
    assert index.parent_of(child, all_mutes=False) is early
    assert InhibitionIndex([child, same]).parent_of(child, all_mutes=False) is same
    by_rule = episode(5, {"intent": "b"}, started_ms=5, rule="x")
    assert InhibitionIndex([child, wide, by_rule]).parent_of(child, all_mutes=False) is by_rule
    everything = episode(6, {})
    assert InhibitionIndex([child, everything]).parent_of(child, all_mutes=False) is None
    assert InhibitionIndex([child, everything]).parent_of(child, all_mutes=True) is everything
