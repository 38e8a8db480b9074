import importlib.util
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triage.training.data.examples import Entity, Example
from triage.training.loop.augment import apply_edits, augment_example, augment_examples

TEXT = "my Anker charger from Berlin does not charge the phone anymore since yesterday, please help me quickly"
NAMES = ("Anker", "Berlin")


def example(text=TEXT, names=NAMES, sentiment="negative"):
    entities = tuple(Entity(text.index(name), text.index(name) + len(name), "organization") for name in names)
    return Example(text, "s", intent="product_fault", sentiment=sentiment, entities=entities)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["typos", "drop", "case", "emoji"]))
def test_names_and_negations_are_kept(seed, kind):
    varied = augment_example(example(), random.Random(seed), [kind])
    assert [varied.text[e.start : e.end].lower() for e in varied.entities] == ["anker", "berlin"]
    assert "not" in varied.text.lower().split()
    assert (varied.intent, varied.sentiment) == ("product_fault", "negative")


@pytest.mark.parametrize("kind", ["typos", "drop", "case", "emoji"])
def test_each_kind_changes_something(kind):
    assert any(augment_example(example(), random.Random(seed), [kind]).text != TEXT for seed in range(10))


def test_the_case_of_names_stays():
    for seed in range(10):
        varied = augment_example(
            example("my Anker from Berlin broke", ("Anker", "Berlin")), random.Random(seed), ["case"]
        )
        assert varied.text in ("my Anker from Berlin broke", "MY Anker FROM Berlin BROKE")
        assert [varied.text[name.start : name.end] for name in varied.entities] == ["Anker", "Berlin"]


def test_chinese_characters_are_dropped_but_not_negations():
    text = "收到的杯子不好用而且客服态度也不行真的很失望"
    for seed in range(30):
        varied = augment_example(example(text, (), "negative"), random.Random(seed), ["drop"]).text
        assert varied.count("不") == 2
        assert len(varied) <= len(text)


def test_emoji_are_added_only_for_a_known_sentiment():
    assert augment_example(example(sentiment="neutral"), random.Random(1), ["emoji"]).text == TEXT
    assert augment_example(example(sentiment=None), random.Random(1), ["emoji"]).text == TEXT
    assert len(augment_example(example(sentiment="positive"), random.Random(1), ["emoji"]).text) > len(TEXT)


@pytest.mark.skipif(importlib.util.find_spec("opencc") is None, reason="needs the train extra")
def test_simplified_becomes_traditional_around_the_names():
    varied = augment_example(example("范小姐说华为手机质量有问题", ("范小姐", "华为")), random.Random(1), ["script"])
    assert varied.text == "范小姐說华为手機質量有問題"
    assert [varied.text[name.start : name.end] for name in varied.entities] == ["范小姐", "华为"]
    assert augment_example(example(), random.Random(1), ["script"]).text == TEXT


def test_the_share_and_the_seed_decide_which_texts():
    texts = [example() for _ in range(200)]
    varied = augment_examples(texts, 0.3, 7, ["emoji"])
    changed = sum(one.text != TEXT for one in varied)
    assert 35 <= changed <= 85
    assert varied == augment_examples(texts, 0.3, 7, ["emoji"])
    assert augment_examples(texts, 0.0, 7) == texts


def test_edits_move_the_entities_after_them():
    moved = apply_edits(example("aa Anker bb Berlin", NAMES), [(0, 2, "xxxx"), (9, 11, "")])
    assert moved.text == "xxxx Anker  Berlin"
    assert [moved.text[e.start : e.end] for e in moved.entities] == ["Anker", "Berlin"]
