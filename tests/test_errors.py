"""Errors of dependencies are sentences for operators."""

import pytest

from triage.errors import Unavailable


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        (
            "HTTPConnection(host='127.0.0.1', port=9200): Failed to establish a new connection: "
            "[Errno 111] Connection refused",
            "Connection refused",
        ),
        ("HTTPSConnectionPool(host='es', port=443): Max retries exceeded", "Max retries exceeded"),
        ("<urllib3.connection.HTTPConnection object at 0x7f00a1b2>: timed out", "timed out"),
        ("no broker answered: 127.0.0.1:9092 ([Errno 111] Connection refused)",
         "no broker answered: 127.0.0.1:9092 (Connection refused)"),
        ("[Errno -2] Name or service not known", "Name or service not known"),
        ("the field <b> is <i>not</i> (mapped)", "the field <b> is <i>not</i> (mapped)"),
    ],
)  # fmt: skip
def test_what_is_for_programmers_is_left_out(message, shown):
    assert str(Unavailable("elasticsearch", message)) == f"elasticsearch: {shown}"
