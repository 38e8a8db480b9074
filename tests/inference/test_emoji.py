import pytest
from tokenizers import Tokenizer, models

from triage.inference.emoji import emoji_table, replace_emoji


@pytest.fixture(scope="module")
def table():
    tokenizer = Tokenizer(models.WordLevel({"<unk>": 0, "😡": 1, "👍": 2, "❤": 3}, unk_token="<unk>"))
    return emoji_table(tokenizer)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("客服回复了 🤬", "客服回复了 😡"),
        ("ok 👍", "ok 👍"),
        ("love 🤍\ufe0f", "love ❤\ufe0f"),
        ("boxed 🪤 now", "boxed   now"),
        ("no relative is known 🖕", "no relative is known  "),
        ("of a later Unicode \U0001fae8", "of a later Unicode  "),
        ("plain", "plain"),
        ("中文没有表情", "中文没有表情"),
    ],
)
def test_unknown_emoji_become_known_ones_or_a_space_and_offsets_stay(table, text, shown):
    assert replace_emoji(text, table) == shown
    assert len(replace_emoji(text, table)) == len(text)


def test_a_tokenizer_without_an_unknown_token_keeps_all():
    tokenizer = Tokenizer(models.BPE({"a": 0}, []))
    assert emoji_table(tokenizer) == {}
