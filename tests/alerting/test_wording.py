"""Wording: both languages say everything, and titles fit a locked telephone."""

import importlib.resources

import pytest
import yaml
from checkout import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st

from triage.alerting.wording import Numbers, Wording, fit, wording_for
from triage.translations import catalogue

LANGUAGES = {"en": 80, "zh": 52}
WINDOW = 3_600_000


def steps(language):
    """By intent; without one, by the empty name."""
    named = {name.removeprefix("first_steps."): text for name, text in catalogue(language).items()}
    return {
        "" if name == "default" else name: tuple(text.splitlines())
        for name, text in named.items()
        if f"first_steps.{name}" in catalogue(language)
    }


def intents():
    taxonomy = importlib.resources.files("triage.training") / "resources" / "taxonomy.yaml"
    return yaml.safe_load(taxonomy.read_text("utf-8"))["intents"]


ENGLISH_STEPS, CHINESE_STEPS = steps("en"), steps("zh")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_has_every_label(language):
    wording = wording_for(language)
    labels = {name for name, kind in Wording.__annotations__.items() if kind is str}
    assert len(labels) > 15
    for label in labels:
        assert getattr(wording, label).strip(), label
    assert set(wording.severities) == {"critical", "error", "warning", "info"}


def test_first_steps_are_there_for_every_intent_that_people_complain_about():
    expected = set(intents()) - {"praise", "other"} | {""}
    assert set(ENGLISH_STEPS) == set(CHINESE_STEPS) == expected
    for steps in (*ENGLISH_STEPS.values(), *CHINESE_STEPS.values()):
        assert len(steps) == 3
        assert all(0 < len(step) <= 100 for step in steps)
    assert wording_for("zh").first_steps("no_such_intent") == CHINESE_STEPS[""]


@pytest.mark.parametrize("intent", intents())
def test_chinese_has_a_name_for_every_intent(intent):
    assert not wording_for("zh").intent(intent).isascii()


dimension_values = st.dictionaries(
    st.sampled_from(["brand", "region", "intent", "channel", "product"]), st.text(min_size=1, max_size=60), max_size=5
)


@settings(max_examples=60)
@given(
    dimension_values,
    st.integers(1, 10**7),
    st.integers(0, 10**7),
    st.one_of(st.none(), st.floats(0, 10**7)),
    st.booleans(),
)
def test_titles_fit_and_keep_their_numbers(dimensions, negative, more, expected, at_peak):
    numbers = Numbers(negative, negative + more, WINDOW, expected)
    for language, limit in LANGUAGES.items():
        wording = wording_for(language)
        subject = wording.subject(dimensions)
        for title in (
            wording.title(subject, numbers, at_peak=at_peak),
            wording.resolved_title(subject, numbers, 90 * 60_000),
        ):
            assert len(title) <= limit
            assert str(negative) in title
            assert str(negative + more) in title


@pytest.mark.parametrize(
    ("dimensions", "english", "chinese"),
    [
        ({}, "Complaints", "投诉"),
        ({"intent": "delivery"}, "Delivery complaints", "物流配送投诉"),
        ({"brand": "Acme", "intent": "delivery"}, "Acme · delivery complaints", "Acme · 物流配送投诉"),
        (
            {"brand": "أكمي", "intent": "delivery"},
            "\u2068أكمي\u2069 · delivery complaints",
            "\u2068أكمي\u2069 · 物流配送投诉",
        ),
        ({"channel": "review", "brand": "__other__"}, "Other brands · negative reviews", "其他品牌 · 差评"),
        (
            {"intent": "own_intent", "channel": "chat"},
            "Own intent negative records from chat",
            "own intentchat 负面记录",
        ),
    ],
)
def test_subjects(dimensions, english, chinese):
    assert wording_for("en").subject(dimensions) == english
    assert wording_for("zh").subject(dimensions) == chinese


def test_what_gives_way_is_the_head():
    assert fit("a" * 30, " 44 of 48", 20) == "a" * 10 + "… 44 of 48"
    assert fit("", "x" * 30, 20) == "x" * 20
    assert fit("\u2068" + "א" * 30 + "\u2069", " 44 of 48", 20) == "\u2068" + "א" * 8 + "…\u2069 44 of 48"


@pytest.mark.parametrize("intent", sorted(set(ENGLISH_STEPS) - {""}))
def test_the_runbook_of_an_intent_begins_with_the_steps_on_the_page(intent):
    runbook = (ROOT / "docs" / "runbooks" / f"{intent}.md").read_text("utf-8")
    for number, step in enumerate(ENGLISH_STEPS[intent], 1):
        assert f"{number}. {step}\n" in runbook


@pytest.mark.parametrize(("expected", "en", "zh"), [(0.98, "47×", "47 倍"), (0.5, "under 1 expected", "预期不到 1 条")])
def test_title_and_summary_say_the_same_of_what_was_expected(expected, en, zh):
    numbers = Numbers(46, 47, WINDOW, expected)
    assert en in wording_for("en").title("x", numbers, at_peak=True)
    assert zh in wording_for("zh").title("x", numbers, at_peak=True)
    summary = wording_for("en").summary("", numbers, None, 0, peak_ms=(0, 0), latest_ms=(0, 0))
    assert ("about 1 " in summary) == (expected > 0.9)
