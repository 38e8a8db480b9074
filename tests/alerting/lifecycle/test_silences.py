"""Silences: which holds, which matches, and how they are written."""

import pytest

from triage.alerting.lifecycle.silences import Silences, format_matchers, matches, parse_matchers
from triage.errors import ConfigError
from triage.schemas.action import Matcher, Silence

ACME = Matcher("brand", "Acme")


def silence(name, until_ms=1_000, at_ms=0, matchers=(ACME,)):
    return Silence(id=name, actor="lin", at_ms=at_ms, matchers=list(matchers), until_ms=until_ms)


def on(silences, at_ms=0, **dimensions):
    found = silences.active_for(dimensions or {"brand": "Acme"}, "spike", "critical", at_ms)
    return None if found is None else found.id


def test_a_silence_holds_until_its_end():
    silences = Silences([silence("a")])
    assert [on(silences, at_ms) for at_ms in (0, 999, 1_000)] == ["a", "a", None]


def test_of_several_the_one_that_ends_last_counts_and_then_the_first_by_id():
    assert on(Silences([silence("a"), silence("b", until_ms=2_000)])) == "b"
    assert on(Silences([silence("b"), silence("a")])) == "a"


def test_the_newest_word_on_a_silence_counts():
    silences = Silences([silence("a", at_ms=5)])
    silences.put(silence("a", until_ms=9_000, at_ms=4))
    assert silences.all()[0].until_ms == 1_000
    silences.put(silence("a", until_ms=0, at_ms=5))
    assert on(silences) is None, "an end that comes with the same clock counts"


def test_all_matchers_must_hold_and_rule_and_severity_are_fields():
    assert matches([ACME, Matcher("intent", "praise", negated=True)], {"brand": "Acme"})
    assert not matches([ACME, Matcher("intent", "praise", negated=True)], {"brand": "Acme", "intent": "praise"})
    assert not matches([ACME], {})
    by_rule = silence("r", matchers=[Matcher("rule", "spike"), Matcher("severity", "critical")])
    assert on(Silences([by_rule]), brand="Bolt") == "r"
    assert on(Silences([silence("r", matchers=[Matcher("severity", "error")])])) is None


def test_matchers_are_read_and_written_alike():
    assert parse_matchers(["brand = Acme", "intent!=praise"]) == [ACME, Matcher("intent", "praise", negated=True)]
    assert format_matchers(parse_matchers([" brand=Acme=1", "intent!=praise"])) == "brand=Acme=1 intent!=praise"


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (["brand"], "FIELD=VALUE"),
        (["=Acme"], "FIELD=VALUE"),
        (["brand= "], "FIELD=VALUE"),
        (["colour=red"], "'colour'"),
        ([], "at least one matcher"),
        (["intent!=praise"], "matcher with ="),
    ],
)
def test_only_what_is_not_a_matcher_is_named(texts, said):
    with pytest.raises(ConfigError) as caught:
        parse_matchers(texts)
    assert len(caught.value.problems) == 1
    assert said in caught.value.problems[0]
    assert caught.value.where == "--match"


def test_every_problem_is_named_at_once():
    with pytest.raises(ConfigError) as caught:
        parse_matchers(["brand", "colour=red", "brand=Acme"])
    assert len(caught.value.problems) == 2
