"""Everything that the model has not read is read, in pieces that it can take."""

from hypothesis import given
from hypothesis import strategies as st
from names import NameModel

from triage.redaction.names.reading import read_all


def test_nothing_to_read_calls_nothing():
    model = NameModel({})
    assert read_all(model, [("text", []), ("...", [(0, 3)])]) == [[], []]
    assert model.calls == []


@given(st.lists(st.sampled_from(["word ", "字", "。", "\n", "xxxxxxxxxxxxxxxxxxxx", "Zoë Quill"]), max_size=200))
def test_names_are_found_wherever_a_text_is_cut(parts):
    text = "".join(parts)
    (spans,) = read_all(NameModel({"Zoë Quill": "person"}, max_chars=120), [(text, [(0, len(text))])])
    for span in spans:
        assert text[span.start : span.end] == "Zoë Quill"
    assert bool(spans) == ("Zoë Quill" in text)
