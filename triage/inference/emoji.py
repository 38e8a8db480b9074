"""Replaces emoji that the tokenizer doesn't know by known ones with the same feeling, or by a space.

A tokenizer reads every emoji that is not in its vocabulary as the same unknown token. In posts this token is mostly a
happy one, so the model took 🤬 for praise. Each emoji is replaced by one code point, so that offsets stay.
"""

import re
from collections.abc import Mapping

from tokenizers import Tokenizer

# The pictographs of Unicode's blocks from Miscellaneous Symbols to Symbols and Pictographs Extended-A, also those that
# a later Unicode adds there.
_BLOCKS = ((0x2600, 0x27C0), (0x1F000, 0x1FB00))
_PICTOGRAPH = re.compile("[\u2600-\u27bf\U0001f000-\U0001faff]")
_RELATIVES = {
    "😡": "🤬😾🗯👹👺",
    "👎": "🖕🖓🤮🤢💩🗑🚮🪳🐀🐛🪰",
    "😢": "😿🥺🙍🫂",
    "😞": "🙎🫤",
    "😕": "🫥🫠",
    "😒": "🤥🥱",
    "😣": "🥴🤕🤒🤧🥵🥶",
    "😱": "🤯🫣🫢\U0001fae8😧🙀",
    "😩": "\U0001fae9",
    "😐": "🤐🤫",
    "🤔": "🧐🤨",
    "💀": "⚰🪦☠",
    "💣": "🧨",
    "😊": "😸😺🥹🥲",
    "😎": "🤠🥸😼",
    "😘": "😽",
    "🎉": "🥳🎆🎇🪅🪩",
    "❤": "🤍🤎\U0001fa75\U0001fa76\U0001fa77🫶🫰💒",
    "👌": "🤌🫡",
    "🏆": "🏅🥈🥉",
    "👊": "🤛🤜",
    "👉": "🫵",
}


def emoji_table(tokenizer: Tokenizer) -> dict[int, int]:
    """Replacements of emoji that `tokenizer` does not know, for `str.translate`; empty if it has no unknown token."""
    unknown = {tokenizer.token_to_id(name) for name in ("<unk>", "[UNK]", "unk")} - {None}
    symbols = [chr(code) for start, stop in _BLOCKS for code in range(start, stop)]
    missing = {
        symbol
        for symbol, encoding in zip(symbols, tokenizer.encode_batch(symbols, add_special_tokens=False), strict=True)
        if not unknown.isdisjoint(encoding.ids)
    }
    table = {ord(symbol): ord(" ") for symbol in missing}
    for relative, others in _RELATIVES.items():
        if relative not in missing:
            table |= {ord(symbol): ord(relative) for symbol in others if symbol in missing}
    return table


def replace_emoji(text: str, table: Mapping[int, int]) -> str:
    """The text with its unknown emoji replaced by `table`, the result of `emoji_table`; as long as before."""
    return text.translate(table) if not text.isascii() and _PICTOGRAPH.search(text) else text
