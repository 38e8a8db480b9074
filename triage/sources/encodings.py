"""Guesses the encoding of a table, and reads other encodings as UTF-8."""

import codecs
import re
from collections.abc import Callable

from triage.errors import ConfigError
from triage.sources.stream import ByteStream

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
SAMPLE_BYTES = 65_536
# Share of a text's characters that are common ones, above which an encoding is believed.
_BELIEVED = 0.8
_HIGH = re.compile(rb"[\x80-\xff]")


def encoding_by_mark(head: bytes) -> str | None:
    """The encoding shown by a byte order mark or by the zero bytes of UTF-16; None if the bytes show none."""
    for mark, name in _BOMS:
        if head.startswith(mark):
            return name
    if len(head) >= 4 and head[1] == 0 == head[3] and head[0] and head[2]:
        return "utf-16-le"
    if len(head) >= 4 and head[0] == 0 == head[2] and head[1] and head[3]:
        return "utf-16-be"
    return None


def guess_encoding(sample: bytes) -> str:
    """Guess the encoding of a table without a byte order mark: utf-8 if most lines are valid, else the most likely one.

    `sample` are the first bytes of the file. Only lines with bytes above 127 count.
    """
    complete = sample.rpartition(b"\n")[0] if len(sample) >= SAMPLE_BYTES else sample
    lines = [line for line in (complete or sample).split(b"\n") if _HIGH.search(line)]
    valid = sum(_decodes(line, "utf-8") for line in lines)
    if 2 * valid >= len(lines):
        return "utf-8"
    text = b"\n".join(lines)
    scores = {name: share(text) for name, share in _SHARES.items()}
    best = max(scores, key=lambda name: scores[name])
    if scores[best] >= _BELIEVED:
        return best
    return "cp1252" if _decodes(text, "cp1252") else "utf-8"


def check_encoding(name: str) -> str:
    """Return the name of an encoding as Python writes it. Raises ConfigError if it is not a known text encoding."""
    try:
        info = codecs.lookup(name.strip())
        "".encode(info.name)
        b"".decode(info.name)
    except (LookupError, ValueError, TypeError):
        raise ConfigError(f"--encoding {name!r} is not known; use e.g. utf-8, gb18030, utf-16 or cp1252") from None
    return info.name


def _mark_invalid(error: UnicodeError) -> tuple[str, int]:
    """Handle bytes that can't be decoded: they become one byte that is not UTF-8, so that their row is refused."""
    assert isinstance(error, UnicodeDecodeError)
    return "\udc80", error.end


codecs.register_error("triage-mark-invalid", _mark_invalid)


class Transcoder:
    """A byte stream that converts another stream from its encoding to UTF-8.

    Bytes that cannot be decoded become the byte 0x80, which is invalid in UTF-8.
    """

    def __init__(self, stream: ByteStream, encoding: str) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder(encoding)("triage-mark-invalid")
        self._ready = b""
        self._ended = False

    def read1(self, size: int) -> bytes:
        while not self._ready and not self._ended:
            piece = self._stream.read1(SAMPLE_BYTES)
            self._ended = not piece
            self._ready = self._decoder.decode(piece, final=self._ended).encode("utf-8", "surrogateescape")
        piece, self._ready = self._ready[:size], self._ready[size:]
        return piece


def _decodes(data: bytes, encoding: str) -> bool:
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _share(encoding: str, is_common: Callable[[bytes], bool]) -> Callable[[bytes], float]:
    """Return a function that computes the share of common characters (0 to 1) in a text of this encoding.

    Only characters beyond ASCII count, and `is_common` decides by their bytes. The share is 0 for bytes that are not in
    this encoding.
    """

    def share(data: bytes) -> float:
        try:
            high = [char for char in data.decode(encoding) if char > "\x7f"]
            common = sum(is_common(char.encode(encoding)) for char in high)
        except UnicodeError:
            return 0.0
        return common / len(high) if high else 0.0

    return share


_GB_LEADS = {0xA1, 0xA3, *range(0xB0, 0xD8)}
# The levels of frequent characters in each standard, and its punctuation.
_SHARES = {
    "gb18030": _share(
        "gb18030", lambda c: len(c) == 2 and c[1] >= 0xA1 and (0xB0 <= c[0] <= 0xD7 or c[0] in {0xA1, 0xA3})
    ),
    "big5": _share("big5", lambda c: len(c) == 2 and (0xA4 <= c[0] <= 0xC6 or c[0] == 0xA1)),
    "cp932": _share("cp932", lambda c: len(c) == 2 and 0x81 <= c[0] <= 0x97),
}
