"""Traditional characters become simplified ones, one for one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage import han
from triage.han import SIMPLIFIED, simplified


@pytest.mark.parametrize(
    ("text", "expected"), [("聯絡電話", "联络电话"), ("妳的身分證", "你的身分证"), ("著火", "着火"), ("abc", "abc")]
)
def test_characters(text, expected):
    assert simplified(text) == expected


@given(st.text())
def test_the_length_stays_and_nothing_is_left_to_fold(text):
    once = simplified(text)
    assert len(once) == len(text)
    assert simplified(once) == once


def test_each_character_becomes_one_other():
    assert all(len(value) == 1 and ord(value) != key for key, value in SIMPLIFIED.items())
    assert not set(map(ord, SIMPLIFIED.values())) & SIMPLIFIED.keys()


def test_a_file_with_half_a_pair_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(han, "files", lambda _: tmp_path)
    (tmp_path / "han.txt").write_text("# pairs\n電电話话\n", "utf-8")
    assert han._read() == {ord("電"): "电", ord("話"): "话"}
    (tmp_path / "han.txt").write_text("電电話\n", "utf-8")
    with pytest.raises(ValueError, match="zip"):
        han._read()
