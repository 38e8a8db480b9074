"""Paths of webhooks into whatever is sent: they find or they don't, they never fail."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.config import load_settings
from triage.errors import ConfigError, InvalidRecord
from triage.serving.mapping import mapped

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "0"]), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.dictionaries(st.sampled_from(["a", "b"]), JSON),
    st.sampled_from(["a", "a.b", "a.0.b", "x|a.a", '"c"', "a..b", ""]),
)
def test_any_path_on_any_body(body, path):
    found = mapped({"text": path}, body)
    assert set(found) <= {"text"}
    if path == '"c"':
        assert found == {"text": "c"}


def test_a_body_that_is_no_object():
    with pytest.raises(InvalidRecord, match="JSON object"):
        mapped({"text": "a"}, [1])


def test_mappings_are_checked_at_start():
    with pytest.raises(ConfigError) as refused:
        load_settings(None, {"api.mappings": {"desk": {"body": "a", "attributes.x": "b"}}})
    assert "mappings.desk: has no text" in str(refused.value)
    assert "body is not a field of a record" in str(refused.value)
