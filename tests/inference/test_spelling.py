"""Misspelt words: which are read as others, which stay, and where their tokens are in the text."""

import numpy as np
import pytest

from triage.inference.spelling import Edit, Spelling, apply_edits, is_slip, original_offsets

SPELLING = Spelling({"the", "is", "my", "and", "was", "for", "have", "not", "it", "you", "they", "me"})


def _read(text):
    return apply_edits(text, SPELLING.edits(text))


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("you have not answerd my complant", "you have not answered my complaint"),
        ("my delievry is for the nieghbour", "my delivery is for the nieghbour"),  # one slip of a frequent word only
        ("my pasword is not accepted and it was chnaged", "my password is not accepted and it was changed"),
        ("it is definately my acount", "it is definitely my account"),
        ("Plese cancel my subscription", "Please cancel my subscription"),
        ("my oder was late. Plese refund it", "my oder was late. Please refund it"),
        ("they charegd me", "they charged me"),
    ],
)
def test_a_slip_is_read_as_the_frequent_word(text, read):
    assert _read(text) == read


@pytest.mark.parametrize(
    "text",
    [
        "",
        "the parcel never arrived",
        "it set my curtains alight",
        "it shrunk and the seams came apart",  # one letter from frequent words, but right
        "my name is Prodct and the agent was Custmer",  # capitals within a sentence begin names
        "write to @custmer or #servce, custmer@shop.example, https://servce.example/acount",
        "PLESE ANSWER",
        "meine bestelung ist nicht da, custmer",  # another language: most words are unknown
        "我的acount登录不上去",
        "the 3rd acount2 and re-fnd",
        "custmers' and custmer's",
        "tel my fam",  # short words have too many neighbours
    ],
)
def test_right_words_names_addresses_and_other_languages_stay(text):
    assert _read(text) == text


@pytest.mark.parametrize(
    ("word", "meant", "slip"),
    [
        ("recieve", "receive", True),
        ("custmer", "customer", True),
        ("custommer", "customer", True),
        ("custonmer", "customer", True),
        ("custoner", "customer", True),
        ("relevent", "relevant", True),
        ("wustomer", "customer", False),  # the first letter
        ("cussomer", "customer", False),  # not the next key
        ("petting", "putting", True),
        ("pets", "puts", False),  # a vowel of a short word
        ("receives", "received", False),
        ("charge", "charges", False),
        ("charges", "charge", False),
        ("cutsomre", "customer", False),  # two slips
        ("customerly", "customer", False),
    ],
)
def test_one_slip(word, meant, slip):
    assert is_slip(word, meant) is slip


def test_offsets_of_the_original_text():
    text = "my acount is locked and custmmer care is asleep"
    edits = [Edit(3, 9, "account"), Edit(24, 32, "customer")]
    read = apply_edits(text, edits)
    assert read == "my account is locked and customer care is asleep"
    words = ["my", "account", "is", "locked", "customer", "care", "asleep"]
    tokens = np.array([(read.index(word), read.index(word) + len(word)) for word in words])
    found = original_offsets(tokens, edits)
    assert [text[start:end] for start, end in found.tolist()] == [
        "my", "acount", "is", "locked", "custmmer", "care", "asleep",
    ]  # fmt: skip


def test_parts_of_a_corrected_word_stay_in_it_and_in_order():
    edits = [Edit(2, 6, "abcdefgh")]
    tokens = np.array([(0, 2), (2, 5), (5, 10), (10, 12)])
    found = original_offsets(tokens, edits).tolist()
    assert found[0] == [0, 2]
    assert found[3] == [6, 8]
    assert found[1][0] == 2
    assert found[2][1] == 6
    assert 2 <= found[1][1] <= 6
    assert 2 <= found[2][0] <= 6


def test_special_tokens_keep_their_empty_range():
    assert original_offsets(np.array([(0, 0), (0, 4)]), [Edit(0, 3, "abcd")]).tolist() == [[0, 0], [0, 3]]
