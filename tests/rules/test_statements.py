import pytest

from triage.rules.phrases import occurrences
from triage.rules.statements import states


def stated(text, phrase):
    return any(states(text, *place) for place in occurrences(phrase, text))


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("the charger caught fire", "caught fire"),
        ("it did not just stop, it caught fire", "caught fire"),
        ("I can't believe it caught fire", "caught fire"),
        ("nobody helped when it caught fire", "caught fire"),
        ("not only caught fire but ruined the wall", "caught fire"),
        ("CAUGHT FIRE AGAIN", "caught fire"),
        ("Caught fire in the hall", "caught fire"),
        ("never again, it caught fire", "caught fire"),
        ("突然起火了", "起火"),
        ("不小心碰了一下就起火", "起火"),
        ("没想到起火了", "起火"),
        ("it never caught fire before, but today it caught fire", "caught fire"),
        ('it "caught fire"', "caught fire"),
    ],
)
def test_stated(text, phrase):
    assert stated(text, phrase)


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("it never caught fire", "caught fire"),
        ("it hasn't caught fire", "caught fire"),
        ("No one ever caught fire", "caught fire"),
        ("none of them caught fire", "caught fire"),
        ("I like the book Caught Fire", "caught fire"),
        ("Caught Fire Candles are late", "caught fire"),
        ('my film "Caught Fire" is scratched', "caught fire"),
        ("并没有起火", "起火"),
        ("防起火的盒子", "起火"),
        ("电影《起火》的海报", "起火"),
        ("不会起火", "起火"),
        ("nothing of it", "caught fire"),
    ],
)
def test_denied_or_named(text, phrase):
    assert not stated(text, phrase)
