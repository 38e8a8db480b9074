"""Reads market.yaml: own and competing brands with their products, and all names of each."""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from triage.decoding import read_yaml
from triage.errors import ConfigError, did_you_mean
from triage.han import simplified

_BRAND_FIELDS = ("name", "own", "also")
_PRODUCT_FIELDS = ("name", "brand", "category", "also")
_TOP_FIELDS = ("version", "brands", "products")


@dataclass(frozen=True, slots=True)
class Brand:
    """A brand: its main name, its other names, and whether it is the operator's own."""

    name: str
    own: bool
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Product:
    """A product: its name, other names, the only brand that sells it (None: several do), and a category."""

    name: str
    brand: str | None = None
    category: str | None = None
    also: tuple[str, ...] = ()


class Market:
    """Brands and products in the order of the file, which can be found by any of their names."""

    def __init__(self, brands: Sequence[Brand], products: Sequence[Product]) -> None:
        self.brands = tuple(brands)
        self.products = tuple(products)
        self._brands = {folded(name): brand for brand in brands for name in (brand.name, *brand.also)}
        self._products = {folded(name): each for each in products for name in (each.name, *each.also)}

    def brand_of(self, name: str) -> Brand | None:
        """Return the brand with this name in any spelling; None if the file does not list it."""
        return self._brands.get(folded(name))

    def product_of(self, name: str) -> Product | None:
        """Return the product with this name in any spelling; None if the file does not list it."""
        return self._products.get(folded(name))

    def products_of(self, brand: Brand) -> list[Product]:
        """The products that only this brand sells."""
        return [each for each in self.products if each.brand and self.brand_of(each.brand) is brand]


def folded(name: str) -> str:
    """Normalize a name for comparison: case, width, Unicode form, Chinese script and white space."""
    return simplified(" ".join(unicodedata.normalize("NFKC", name).casefold().split()))


def read_market(path: Path) -> Market:
    """Read a market file. Raises ConfigError with every problem of the file."""
    where = str(path)
    content: Any = read_yaml(path)
    problems: list[str] = []
    market = _market(content, problems)
    if problems:
        raise ConfigError(problems, where=where)
    return market


def _market(content: Any, problems: list[str]) -> Market:
    if not isinstance(content, dict) or content.get("version") != 1 or not isinstance(content.get("brands"), list):
        problems.append("must have `version: 1` and a list `brands`; a list `products` may follow")
        return Market((), ())
    _unknown(content, _TOP_FIELDS, "the file", problems)
    brands = [brand for at, entry in enumerate(content["brands"], 1) if (brand := _brand(entry, at, problems))]
    listed = content.get("products") or []
    if not isinstance(listed, list):
        problems.append("products: must be a list")
        listed = []
    products = [product for at, entry in enumerate(listed, 1) if (product := _product(entry, at, problems))]
    problems += _repeated("brand", ((each.name, each.also) for each in brands))
    problems += _repeated("product", ((each.name, each.also) for each in products))
    market = Market(brands, products)
    for at, product in enumerate(products, 1):
        if product.brand is not None and market.brand_of(product.brand) is None:
            guess = did_you_mean(product.brand, [brand.name for brand in brands])
            problems.append(f"product {at} ({product.name}): no brand {product.brand!r} in the file{guess}")
    if brands and not any(brand.own for brand in brands):
        problems.append("no brand has `own: true`: name at least one of your own, the others are competitors")
    return market


def _brand(entry: Any, at: int, problems: list[str]) -> Brand | None:
    where = f"brand {at}"
    if (names := _names(entry, where, _BRAND_FIELDS, problems)) is None:
        return None
    own = entry.get("own", False)
    if not isinstance(own, bool):
        problems.append(f"{where}: own must be true or false, not {own!r}")
    return Brand(names[0], own is True, tuple(names[1:]))


def _product(entry: Any, at: int, problems: list[str]) -> Product | None:
    where = f"product {at}"
    if (names := _names(entry, where, _PRODUCT_FIELDS, problems)) is None:
        return None
    problems += [
        f"{where}: {field} must be a text of at most 200 characters, not {str(entry[field])[:60]!r}"
        for field in ("brand", "category")
        if field in entry and not _is_name(entry[field])
    ]
    brand, category = (entry.get(field) if _is_name(entry.get(field)) else None for field in ("brand", "category"))
    return Product(names[0], brand, category, tuple(names[1:]))


def _names(entry: Any, where: str, fields: tuple[str, ...], problems: list[str]) -> list[str] | None:
    """The name of an entry and its other names; None, with the problem noted, if it has no name."""
    if not isinstance(entry, dict) or not _is_name(entry.get("name")):
        problems.append(f"{where}: must have a name, such as {{name: Acme, also: [ACME Corp]}}, not {str(entry)[:80]}")
        return None
    _unknown(entry, fields, f"{where} ({entry['name']})", problems)
    also = entry.get("also", [])
    if not isinstance(also, list) or not all(map(_is_name, also)):
        problems.append(f"{where} ({entry['name']}): also must be a list of names, not {str(also)[:80]}")
        also = []
    return [entry["name"], *also]


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(folded(value)) <= 200


def _unknown(entry: dict[Any, Any], fields: tuple[str, ...], where: str, problems: list[str]) -> None:
    problems += [f"{where}: no field {name!r}{did_you_mean(str(name), fields)}" for name in entry if name not in fields]


def _repeated(kind: str, named: Iterable[tuple[str, tuple[str, ...]]]) -> Iterator[str]:
    owner: dict[str, str] = {}
    for name, also in named:
        for each in dict.fromkeys(folded(one) for one in (name, *also)):
            if (other := owner.setdefault(each, name)) is not name:
                yield f"{kind} {name!r}: {each!r} is also a name of {kind} {other!r}"
