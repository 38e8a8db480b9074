"""Articles of knowledge and the documents of the index of knowledge.

The index holds three kinds of documents, told apart by `doc`: `passage`, what searches find; `article`, which names the
current version of an article; `version`, the whole text of each version that ever was. Offsets are Unicode code points
of the article's `body`.
"""

from base64 import b64decode, b64encode
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

Audience = Literal["public", "internal"]
ArticleKind = Literal["policy", "howto", "faq", "playbook"]
AUDIENCES: tuple[Audience, ...] = ("public", "internal")
KINDS: tuple[ArticleKind, ...] = ("policy", "howto", "faq", "playbook")


class Article(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One article as its owner wrote it; dates are YYYY-MM-DD, the last one inclusive.

    Without `product` or `intent` it is about all of them. `source` is the file, and the line in it.
    """

    id: str
    title: str
    language: str
    body: str
    audience: Audience = "public"
    kind: ArticleKind = "faq"
    product: list[str] = []
    intent: list[str] = []
    valid_from: str | None = None
    valid_until: str | None = None
    source: str = ""


class Passage(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A part of an article: `text` is `body[start:end]`, in code points.

    `number` counts the passages of an article from 1; `heading` is the path of headings.
    """

    number: int
    start: int
    end: int
    text: str
    heading: str = ""


class PassageDocument(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A passage in the index. `encoder` is the version of the encoder that made `vector`.

    `version` is that of the article. `exact` is the vector as base64 of float16: servers keep 8 bits of each number of
    `vector`, and compare those. `tokens` are the signs of the vectors of its tokens, as text.
    """

    doc: Literal["passage"]  # without a default, which would be left out
    passage: str
    article: str
    version: str
    number: int
    title: str
    heading: str
    text: str
    start: int
    end: int
    language: str
    audience: Audience
    kind: ArticleKind
    product: list[str] = []
    intent: list[str] = []
    valid_from: str | None = None
    valid_until: str | None = None
    encoder: str | None = None
    vector: list[float] | None = None
    exact: str | None = None
    tokens: str | None = None


class ArticleState(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The current version of an article, its number of passages, and the encoder that made their vectors."""

    article: str
    version: str
    passages: int
    title: str
    language: str
    audience: Audience
    kind: ArticleKind
    product: list[str] = []
    intent: list[str] = []
    valid_from: str | None = None
    valid_until: str | None = None
    encoder: str | None = None
    source: str = ""
    applied_at: str = ""


def pack_vector(vector: NDArray[np.float32]) -> str:
    """Return a vector as base64 of little-endian float16, for `PassageDocument.exact`."""
    return b64encode(vector.astype("<f2").tobytes()).decode("ascii")


def unpack_vector(text: str) -> NDArray[np.float32]:
    """Return the vector, of float32, that `pack_vector` packed."""
    return np.frombuffer(b64decode(text), "<f2").astype(np.float32)


def passage_name(article: str, number: int) -> str:
    """Return the name of a passage in answers, from the article's id and the passage's number: `returns#3`."""
    return f"{article}#{number}"


def passage_id(article: str, version: str, number: int) -> str:
    """Return the `_id` of a passage in the index; versions of an article never share one."""
    return f"{article}@{version}#{number}"
