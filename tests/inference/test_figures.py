"""Figures of two models compared: what one loses against the other, and what nobody measured."""

import json

import pytest

from triage.inference.figures import EvaluatedHead, compare_figures, read_figures


@pytest.fixture
def model(tmp_path):
    """Write a folder with figures; `intent` and `entities` are by set."""

    def write(name, intent, entities=None, **more):
        packs = {each: {"intent": {"texts": 100, "macro_f1": value}} for each, value in intent.items()}
        for each, value in (entities or {}).items():
            packs.setdefault(each, {})["entities"] = {"f1": value}
        folder = tmp_path / name
        folder.mkdir()
        (folder / "metrics.json").write_text(json.dumps({"packs": packs, "limit": None} | more), "utf-8")
        return folder

    return write


def test_losses_of_more_than_a_point_are_named_the_largest_first(model):
    serving = model("serving", {"a": 0.90, "b": 0.80, "c": 0.5}, {"a": 0.7})
    new = model("new", {"a": 0.89, "b": 0.789, "c": 0.9}, {"a": 0.6})
    found = compare_figures(new, serving)
    assert list(found.losses.items()) == [
        (EvaluatedHead("entities", "a"), (0.7, 0.6)),
        (EvaluatedHead("intent", "b"), (0.80, 0.789)),
    ]
    assert found.unmeasured == []


def test_sets_that_only_the_serving_model_was_evaluated_on_are_named(model):
    found = compare_figures(model("new", {"a": 0.9, "z": 0.1}), model("serving", {"a": 0.9, "b": 0.8}))
    assert found == ({}, [EvaluatedHead("intent", "b")])


def test_figures_of_a_sample_say_nothing_about_the_whole(model):
    serving, sample = model("serving", {"a": 0.9}), model("sample", {"a": 0.2}, limit=50)
    assert compare_figures(sample, serving) == ({}, [EvaluatedHead("intent", "a")])
    assert compare_figures(sample, model("other", {"a": 0.9}, limit=50)).losses


@pytest.mark.parametrize(
    "content", [None, "{", "[]", '{"packs": []}', '{"packs": {"a": 1, "b": {"intent": {"macro_f1": "x"}}}}']
)
def test_damaged_figures_are_none(tmp_path, model, content):
    if content is not None:
        (tmp_path / "metrics.json").write_text(content)
    assert read_figures(tmp_path) == {}
    assert compare_figures(tmp_path, model("serving", {"a": 0.9})).unmeasured == [EvaluatedHead("intent", "a")]
