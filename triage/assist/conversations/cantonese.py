"""Writes frequent Cantonese words as their Mandarin ones, so that one set of patterns reads both."""

import re

_WORDS = {
    "唔使": "不用", "唔好": "不要", "唔该": "麻烦", "唔见": "不见", "得唔得": "可以吗", "边个": "谁", "边度": "哪里",
    "点样": "怎样", "点解": "为什么", "而家": "现在", "依家": "现在", "倾偈": "聊天", "倾计": "聊天", "有冇": "有没有",
    "职员": "工作人员", "联络": "联系", "户口": "账户", "俾人": "被人", "畀人": "被人",
    "系咪": "是不是", "唔系": "不是",
}  # fmt: skip
_CHARS = dict(
    zip(
        "哋嘅唔冇俾畀嚟喺佢咗揾搵睇嗰啲咁乜嘢喇㗎攞谂噉嗌",
        "们的不没给给来在他了找找看那些这什东了的拿想这叫",
        strict=True,
    )
)
# These are words of Mandarin too, and Cantonese only before certain others.
_SPEAK, _CONNECT = r"倾(?=[两几一]?句|[下吓掂])", r"驳(?=[去线通到返俾畀给])"
_ALL = re.compile("|".join([*sorted(_WORDS, key=len, reverse=True), f"[{''.join(_CHARS)}]", _SPEAK, _CONNECT]))
_OTHERS = {"倾": "谈", "驳": "转"}


def as_mandarin(text: str) -> str:
    """Replace Cantonese words of a text in simplified characters; other texts are returned unchanged."""
    if text.isascii():
        return text
    return _ALL.sub(lambda found: _WORDS.get(found[0]) or _CHARS.get(found[0]) or _OTHERS[found[0]], text)
