"""Records that a connector wrapped: the message names the setting that unwraps them."""

import pytest

from triage.errors import InvalidRecord
from triage.schemas.raw import parse_raw


@pytest.mark.parametrize(
    ("payload", "reason", "said"),
    [
        ('{"schema": {"type": "struct"}, "payload": {"text": "a"}}', "missing_text", "schemas.enable to false"),
        ('{"before": null, "after": {"body": "a"}, "op": "c", "ts_ms": 1}', "missing_text", "ExtractNewRecordState"),
        ('{"value": "{\\"text\\": \\"a\\"}", "key": "1", "timestamp": 1}', "missing_text", "ExtractField$Value"),
        ('{"schema": 1, "payload": 2, "subject": "a"}', "missing_text", "it must hold the text of the feedback"),
        ('{"value": 5}', "missing_text", "it must hold the text of the feedback"),
        ('{"text": null, "before": 1, "after": 2, "op": 3}', "missing_text", "Debezium"),
        (
            '"{\\"text\\": \\"a\\"}"',
            "not_an_object",
            "not a string; this is JSON inside a string; send",
        ),
        ("", "not_json", "raw topics take no deletions"),
    ],
)
def test_a_wrapped_record_is_refused_with_the_fix(payload, reason, said):
    with pytest.raises(InvalidRecord) as caught:
        parse_raw(payload.encode())
    assert caught.value.reason == reason
    assert said in str(caught.value)


@pytest.mark.parametrize("text", ['{"schema": 1, "payload": 2, "text": "a"}', '{"value": "{}", "text": "a"}'])
def test_a_record_with_a_text_is_not_wrapped(text):
    assert parse_raw(text.encode()).text == "a"
