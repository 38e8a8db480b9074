from triage.inference.homophones import Homophones
from triage.training.data.homophones import changed, han_runs, pairs, table, telling

SOUNDS = {"退": "tui", "款": "kuan", "推": "tui", "腿": "tui", "宽": "kuan", "货": "huo", "火": "huo"}


def test_runs_are_simplified_and_end_with_the_script():
    assert han_runs("退貨iPhone火") == ["退货", "火"]
    assert pairs(["退货了", "火"]) == {"退货", "货了"}


def test_pairs_that_tell_most_about_the_label_come_first():
    texts = [("我退款", "refund")] * 6 + [("我登录", "login")] * 6 + [("我好吗", "refund"), ("我好吗", "login")] * 3
    found = telling(texts)
    assert set(found[:4]) == {"我退", "退款", "我登", "登录"}
    assert set(found[4:]) == {"我好", "好吗"}
    assert telling(texts, least=7) == []


def test_a_word_is_listed_with_characters_that_make_no_right_word_of_it():
    by_sound: dict[str, list[str]] = {}
    for character, each in SOUNDS.items():
        by_sound.setdefault(each, []).append(character)
    lines = table(["退款", "推货", "退火"], lambda word: [SOUNDS[each] for each in word], by_sound, {"腿款"})
    # 腿款 is right by the texts, and 推款 is not a word of the table; 退货 would be one of 退火.
    assert lines == ["退款 推 宽", "推货 退腿 火", "退火 推腿 货"]


def test_texts_name_the_pairs_that_the_table_must_not_have():
    homophones = Homophones(["付款"], ["客服 - 付", "退款 推 -"])
    assert changed(["顾客付款", "我推款吗", "退款"], homophones) == {"我推", "推款"}
