"""`triage intents`, as an owner uses it; the encoder is a small one."""

import pytest
from cli import run
from small_encoder import SmallEncoder

from triage.assist.own_intents import matching
from triage.config import load_settings

WORDS = ("empty", "wrong", "missing", "lost", "zero", "gone", "old", "new")


@pytest.fixture(autouse=True)
def encoder(monkeypatch):
    monkeypatch.setattr(matching, "open_encoder", lambda settings: SmallEncoder())


@pytest.fixture
def files(tmp_path):
    (tmp_path / "examples.txt").write_text("\n".join(f"gift card balance {word}" for word in WORDS), "utf-8")
    (tmp_path / "others.txt").write_text("\n".join(f"parcel {n} late at depot{n % 5}" for n in range(300)), "utf-8")
    return tmp_path


@pytest.fixture
def intents(capfd, files):
    def intents(*arguments):
        return run(capfd, "intents", *arguments, "--set", f"intents.path={files / 'own.npz'}")

    return intents


def _add(intents, files, *more, name="gift_card"):
    return intents("add", name, "--examples", files / "examples.txt", "--others", files / "others.txt", *more)


def test_add_list_match_evaluate_remove(intents, files):
    outcome = _add(intents, files)
    assert outcome.code == 0
    assert "8 examples" in outcome.out
    assert "gift_card" in intents("list").out
    matched = intents("match", "the gift card balance is off", "kettle").out.splitlines()
    assert matched[0].endswith("yes")
    assert matched[1].endswith("no")
    labelled = '{"text": "gift card balance today", "label": "gift_card"}\n{"text": "parcel", "label": "x"}\n'
    (files / "test.jsonl").write_text(labelled, "utf-8")
    assert "100.0%" in intents("evaluate", "--data", files / "test.jsonl").out
    assert intents("remove", "gift_card").code == 0
    assert "gift_card" not in intents("list").out


def test_a_dry_run_writes_nothing(intents, files):
    assert _add(intents, files, "--dry-run").code == 0
    assert not (files / "own.npz").exists()


def test_a_name_of_the_model_is_refused(intents, files):
    outcome = _add(intents, files, name="delivery")
    assert outcome.code == 2
    assert "choose another name" in outcome.err


def test_a_wrong_name_and_an_unknown_one_are_refused(intents, files):
    assert "not a valid name" in _add(intents, files, name="Gift-Card").err
    _add(intents, files)
    outcome = intents("remove", "gift_cart")
    assert outcome.code == 2
    assert "did you mean" in outcome.err.lower()


def test_own_intents_are_found_in_enriching_only_when_switched_on(files, intents):
    from triage.cli.own_intents import own_intents

    _add(intents, files)
    path = str(files / "own.npz")
    assert own_intents(load_settings(None, {"intents.path": path})) is None
    find = own_intents(load_settings(None, {"intents.path": path, "intents.enrich": True}))
    assert [[own.label for own in found] for found in find(["gift card balance", "parcel"])] == [["gift_card"], []]


def test_without_an_encoder_the_fix_is_named(intents, files, monkeypatch):
    monkeypatch.setattr(matching, "open_encoder", lambda settings: None)
    outcome = _add(intents, files)
    assert outcome.code == 2
    assert "triage knowledge encoder build" in outcome.err
