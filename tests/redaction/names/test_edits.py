"""Edits of a text and the offsets after them."""

from hypothesis import given
from hypothesis import strategies as st

from triage.redaction.names.edits import Edit, Edited, joined, merged, outside, overlaps

RANGES = st.lists(
    st.tuples(st.integers(0, 30), st.integers(1, 6)).map(lambda one: (one[0], one[0] + one[1])), max_size=6
)


def _edit(start, end, label="person", source="model"):
    return Edit(start, end, label, f"[{label.upper()}]", 0.9, source)


def test_ranges_before_within_and_after_an_edit():
    edited = Edited("ask Jane Smith now", [_edit(4, 14)])
    assert edited.text == "ask [PERSON] now"
    assert edited.moved(0, 3) == (0, 3)
    assert edited.moved(4, 14) == edited.moved(9, 14) == edited.moved(5, 6) == (4, 12)
    assert edited.moved(15, 18) == (13, 16)
    assert edited.moved(0, 4) == (0, 4)
    assert edited.moved(14, 18) == (12, 16)


def test_an_address_wins_then_the_model():
    assert merged([_edit(0, 4), _edit(2, 9, "location", "rule")]) == [_edit(0, 9, "location", "rule")]
    assert merged([_edit(0, 4, source="rule"), _edit(2, 9)]) == [_edit(0, 9)]


@given(RANGES)
def test_every_character_outside_the_edits_is_found_at_its_new_offset(ranges):
    text = "".join(chr(0x4E00 + at) for at in range(40))
    edits = merged(_edit(start, end) for start, end in ranges)
    edited = Edited(text, edits)
    for at, char in enumerate(text):
        start, end = edited.moved(at, at + 1)
        covered = any(edit.start <= at < edit.end for edit in edits)
        assert edited.text[start:end] == ("[PERSON]" if covered else char)
    for _, (start, end) in edited.placed():
        assert edited.text[start:end] == "[PERSON]"


@given(RANGES, st.integers(0, 30), st.integers(1, 9))
def test_ranges_without_others(ranges, start, length):
    taken = joined(ranges)
    covered = {at for first, last in ranges for at in range(first, last)}
    wanted = set(range(start, start + length))
    left = [at for first, last in outside(start, start + length, taken) for at in range(first, last)]
    assert left == sorted(wanted - covered)
    assert overlaps(start, start + length, taken) == bool(wanted & covered)
