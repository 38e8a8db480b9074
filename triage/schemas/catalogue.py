"""Items of the guide's catalogue, and their documents in the index of the catalogue."""

from typing import Literal

import msgspec

Texts = dict[str, str]
"""A text by language code; "" is any language."""


class CatalogueItem(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One item that the guide can recommend.

    `product` is what records call it (the field `product`); None: its name. `prices` are by currency code. `choices`
    are the values of attributes of the kinds choice and yes_no, `numbers` those of the kind number, in its base unit.
    `source` is the file, and the line in it.
    """

    id: str
    name: Texts
    category: str
    text: Texts = {}
    brand: str | None = None
    product: str | None = None
    prices: dict[str, float] = {}
    choices: dict[str, list[str]] = {}
    numbers: dict[str, float] = {}
    url: str | None = None
    source: str = ""

    def in_language(self, texts: Texts, language: str) -> tuple[str, str]:
        """Return (language, text) from `texts`, `name` or `text`, in `language` if there is one, else in any language.

        Without any text it is (`language`, "").
        """
        for each in (language, "", *texts):
            if texts.get(each):
                return each, texts[each]
        return language, ""

    def called(self, language: str) -> str:
        """The item's name in a language."""
        return self.in_language(self.name, language)[1]


class CatalogueDocument(msgspec.Struct, kw_only=True, omit_defaults=True):
    """An item in the index. `version` is a hash of its content.

    `exact` is, by language, the vector of the text as `pack_vector` packs it, made by `encoder`. `bought_with` is the
    number of orders with another item too, by its id.
    """

    doc: Literal["item"]  # without a default, which would be left out
    item: str
    version: str
    stored: CatalogueItem
    encoder: str | None = None
    exact: dict[str, str] = {}
    bought_with: dict[str, int] = {}


class CatalogueState(msgspec.Struct, kw_only=True):
    """The state of the index after the last `triage guide apply`; if `applied_at` changes, items have changed."""

    doc: Literal["state"]
    items: int
    applied_at: str
