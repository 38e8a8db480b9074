"""Whatever a parser refuses, and however, is one error."""

import json
import tomllib

import msgspec
import pytest
import yaml

from triage.decoding import DecodeError, decoded


@pytest.mark.parametrize(
    ("decode", "content"),
    [
        (json.loads, "{"),
        (json.loads, "[" * 100_000),
        (json.loads, b"\xff"),
        (json.loads, "1" * 5_000),
        (msgspec.json.decode, b"[" * 100_000),
        (msgspec.json.decode, b'"\xff"'),
        (msgspec.json.decode, b"{"),
        (tomllib.loads, "a = "),
        (yaml.safe_load, "[" * 10_000),
        (yaml.safe_load, "a: [b"),
    ],
)
def test_every_refusal_is_one_error(decode, content):
    with pytest.raises(DecodeError):
        decoded(decode, content, yaml.YAMLError)


def test_what_is_valid_is_returned_and_other_errors_pass():
    assert decoded(msgspec.json.decode, b"[1]", type=list[int]) == [1]
    with pytest.raises(DecodeError, match="Expected `str`, got `int`"):
        decoded(msgspec.json.decode, b"1", type=str)
    with pytest.raises(ZeroDivisionError):
        decoded(lambda content: content / 0, 1)
