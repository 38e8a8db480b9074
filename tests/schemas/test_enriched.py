"""Document ids: stable, and never shared by two records."""

from hypothesis import given
from hypothesis import strategies as st

from triage.schemas.counts import dimension_key
from triage.schemas.enriched import document_id, record_key
from triage.types import Channel, Position


def test_the_source_id_decides_and_the_position_stands_in():
    at = Position("feedback.reviews", 2, 7)
    assert document_id(Channel.REVIEW, "shop", "1", at) == document_id(Channel.REVIEW, "shop", "1", None)
    assert document_id(Channel.REVIEW, "shop", None, at) != document_id(Channel.REVIEW, "shop", "1", at)
    assert document_id(Channel.REVIEW, "shop", "1", at) != document_id(Channel.COMPLAINT, "shop", "1", at)
    assert len(document_id(Channel.REVIEW, None, None, at)) == 64


def test_a_position_that_is_used_again_is_another_record():
    at = Position("feedback.reviews", 2, 7)
    first, again, later = (document_id(Channel.REVIEW, "shop", None, at, ms) for ms in (1_000, 1_000, 1_001))
    assert first == again != later
    assert document_id(Channel.REVIEW, "shop", "1", at, 1_000) == document_id(Channel.REVIEW, "shop", "1", at, 1_001)


def test_the_key_of_a_raw_message_is_the_document():
    assert record_key(Channel.REVIEW, None, "1") == document_id(Channel.REVIEW, None, "1", None).encode()
    assert record_key(Channel.REVIEW, "shop", None) is None


TEXT = st.text(max_size=6)


@given(TEXT, TEXT, TEXT, TEXT)
def test_no_choice_of_names_collides(source_a, id_a, source_b, id_b):
    same = (source_a, id_a) == (source_b, id_b)
    one, other = (document_id(Channel.SOCIAL, *names, None) for names in ((source_a, id_a), (source_b, id_b)))
    assert (one == other) == same


@given(st.dictionaries(TEXT, TEXT, max_size=3), st.dictionaries(TEXT, TEXT, max_size=3))
def test_dimension_keys_are_equal_only_for_equal_dimensions(one, two):
    escaped = all("=" not in name and "|" not in name and "\\" not in name for name in (*one, *two))
    if escaped:
        assert (dimension_key(one) == dimension_key(two)) == (one == two)
