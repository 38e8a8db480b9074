import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.inference.homophones import Homophones
from triage.inference.spelling import Edit, apply_edits

KNOWN = ["付钱", "买书", "付款", "取得"]
TABLE = ["退款 推腿 宽", "客服 - 付", "舒服 书 -", "登录 - 路陆", "密码 - 马"]
HOMOPHONES = Homophones(KNOWN, TABLE)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("我要推款", "我要退款"),
        ("退宽呢", "退款呢"),
        ("问客付了，没人理", "问客服了，没人理"),
        ("登路不了，密马忘了", "登录不了，密码忘了"),
        ("推款推款", "退款退款"),
    ],
)
def test_a_character_of_the_same_sound_is_read_as_the_one_meant(text, meant):
    assert apply_edits(text, HOMOPHONES.edits(text)) == meant


@pytest.mark.parametrize(
    "text", ["顾客付款了", "买书服务好", "退款、客服", "推车，款式", "hello refund", "推", "", "\ud83d推"]
)
def test_other_words_stay(text):
    assert not HOMOPHONES.edits(text)


def test_an_edit_is_one_character_with_its_place():
    assert HOMOPHONES.edits("请推款") == [Edit(1, 2, "退")]


def test_words_that_the_tokenizer_or_the_table_knows_are_right():
    assert not Homophones(["登陆"], TABLE).edits("登陆")
    assert not Homophones([], [*TABLE, "登陆 - -"]).edits("登陆")


@given(st.text(st.sampled_from("退推腿款宽客服付舒书登录路陆密码马钱买取得，a 🤬\ud83d"), max_size=30))
def test_edits_are_single_characters_in_order_that_make_words_of_the_table(text):
    edits = HOMOPHONES.edits(text)
    read = apply_edits(text, edits)
    assert len(read) == len(text)
    assert all(edit.end == edit.start + 1 and len(edit.new) == 1 != text[edit.start] for edit in edits)
    assert [edit.start for edit in edits] == sorted({edit.start for edit in edits})
    words = {line.split()[0] for line in TABLE}
    assert all({read[edit.start - 1 : edit.end], read[edit.start : edit.end + 1]} & words for edit in edits)


@given(st.text(st.sampled_from("天地人山水火木金土，。abc 😀"), max_size=30))
def test_texts_without_a_word_of_the_table_stay(text):
    assert not HOMOPHONES.edits(text)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("什么时候能腿款", "什么时候能退款"),
        ("给客付打了三次", "给客服打了三次"),
        ("我的密马不对", "我的密码不对"),
        ("想曲消", "想取消"),
    ],
)
def test_the_table_that_ships_has_words_of_feedback(text, meant):
    assert apply_edits(text, (edits := Homophones([]).edits(text))) == meant
    assert edits
