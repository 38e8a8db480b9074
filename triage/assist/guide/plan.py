"""Compares a catalogue with its index, and brings the index up to it: what is new, changed and deleted."""

import csv
import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

import msgspec
from elasticsearch import Elasticsearch

from triage.assist.encoder.base import SentenceEncoder
from triage.assist.guide.catalogue import Catalogue
from triage.assist.guide.ranking import FEWEST_ORDERS
from triage.assist.rows import UnreadableTextError, csv_rows, read_text
from triage.clock import Clock, rfc3339
from triage.elastic import catalogue as store
from triage.errors import ConfigError
from triage.schemas.catalogue import CatalogueDocument, CatalogueItem, CatalogueState
from triage.schemas.knowledge import pack_vector

_BATCH = 64
_FEW = 10
_VERSION_DIGITS = 16
_MOST_PER_ORDER = 50
"""Items of an order that count: a wholesaler's order of hundreds would tell little and have thousands of pairs."""
_MOST_PARTNERS = 100

Orders = Mapping[str, Mapping[str, int]]


@dataclass
class CataloguePlan:
    """Ids of items that `apply_catalogue` would create, update and delete in the index.

    `kept` are refused items of the catalogue, whose indexed versions stay; `unchanged` is a number.
    """

    create: list[str] = field(default_factory=list)
    update: list[str] = field(default_factory=list)
    delete: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    unchanged: int = 0

    def __bool__(self) -> bool:
        return bool(self.create or self.update or self.delete)

    def require_few_deletions(self, indexed: int) -> None:
        """Raise ConfigError if most of the `indexed` items (a number) would be deleted, as with the wrong file."""
        if len(self.delete) > max(_FEW, indexed // 2):
            raise ConfigError(
                f"{len(self.delete):,} of {indexed:,} indexed items are not in this catalogue and would be deleted; "
                "is it the right one? If so, add --delete-many"
            )


def plan_catalogue(
    found: Catalogue, indexed: Mapping[str, CatalogueDocument], encoder: str | None, orders: Orders | None = None
) -> CataloguePlan:
    """Compare a catalogue with the documents in its index by item id; the plan says what to create, update and delete.

    An item is updated if its content, the `encoder` of its vector (a version) or its `orders` have changed. None for
    one of the two: it is not compared, and stays in the index as it is.
    """
    plan = CataloguePlan()
    for identity, item in found.items.items():
        before = indexed.get(identity)
        if before is None:
            plan.create.append(identity)
        elif (
            before.version != version_of(item)
            or (encoder is not None and before.encoder != encoder)
            or (orders is not None and before.bought_with != orders.get(identity, {}))
        ):
            plan.update.append(identity)
        else:
            plan.unchanged += 1
    refused = found.refused
    for identity in indexed:
        if identity not in found.items:
            (plan.kept if identity in refused else plan.delete).append(identity)
    return plan


def apply_catalogue(
    client: Elasticsearch,
    index: str,
    plan: CataloguePlan,
    found: Catalogue,
    indexed: Mapping[str, CatalogueDocument],
    encoder: SentenceEncoder | None,
    clock: Clock,
    orders: Orders | None = None,
    progress: Callable[[int, int], None] = lambda _, __: None,
) -> int:
    """Change the index as `plan` says; returns the number of deleted items.

    `found` is the catalogue, `indexed` the present documents by item id. `progress` is called with (items done,
    items). If it is interrupted, another run continues. Raises Unavailable, AccessDenied, DependencyError,
    ModelError.
    """
    names = [*plan.create, *plan.update]
    done = 0
    for batch in _batches([found.items[name] for name in names]):
        store.write_catalogue(client, index, _documents(batch, indexed, encoder, orders))
        done += len(batch)
        progress(done, len(names))
    deleted = store.delete_items(client, index, plan.delete)
    if plan:
        # Last, so that who sees the new state also finds its items.
        store.make_catalogue_visible(client, index)
        items = len(found.items) + len(plan.kept)
        state = CatalogueState(doc="state", items=items, applied_at=rfc3339(clock.now_ms()))
        store.write_catalogue(client, index, [state])
    return deleted


def version_of(item: CatalogueItem) -> str:
    """The version of an item: a hash of its content."""
    content = msgspec.json.encode(msgspec.structs.replace(item, source=""), order="sorted")
    return hashlib.sha256(content).hexdigest()[:_VERSION_DIGITS]


def read_orders(path: Path) -> dict[str, dict[str, int]]:
    """Number of orders that two items have in common, by item and other item, from CSV with columns `order` and `item`.

    Pairs with fewer than five orders are left out. Raises ConfigError naming the line.
    """
    orders: dict[str, set[str]] = defaultdict(set)
    try:
        for row in csv_rows(read_text(path)):
            order, item = ((row.fields or {}).get(name, "").strip() for name in ("order", "item"))
            if not order or not item:
                problem = row.problem or "needs the columns order and item"
                raise ConfigError(f"line {row.line}: {problem}", where=str(path))
            orders[order].add(item)
    except (UnreadableTextError, csv.Error) as error:
        raise ConfigError(str(error), where=str(path)) from error
    pairs: Counter[tuple[str, str]] = Counter()
    for items in orders.values():
        if len(items) <= _MOST_PER_ORDER:
            pairs.update(combinations(sorted(items), 2))
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for (one, other), number in pairs.most_common():
        if number < FEWEST_ORDERS:
            break
        for item, partner in ((one, other), (other, one)):
            if len(found[item]) < _MOST_PARTNERS:
                found[item][partner] = number
    return dict(found)


def embedded_texts(item: CatalogueItem) -> dict[str, str]:
    """The text whose vector stands for an item, by language: its name and description."""
    languages = dict.fromkeys([*item.name, *item.text])
    return {
        language: f"{item.in_language(item.name, language)[1]}\n{item.in_language(item.text, language)[1]}".strip()
        for language in languages
    }


def documents_of(items: Sequence[CatalogueItem], encoder: SentenceEncoder | None) -> list[CatalogueDocument]:
    """The documents of catalogue items to index, with vectors if there is an encoder. Raises ModelError."""
    documents = [CatalogueDocument(doc="item", item=item.id, version=version_of(item), stored=item) for item in items]
    if encoder is not None:
        texts = [(document, language, text) for document, item in zip(documents, items, strict=True)
                 for language, text in embedded_texts(item).items()]  # fmt: skip
        for (document, language, _), vector in zip(
            texts, encoder.encode_passages([text for _, _, text in texts]), strict=True
        ):
            document.exact[language] = pack_vector(vector)
            document.encoder = encoder.version
    return documents


def _documents(
    items: Sequence[CatalogueItem],
    indexed: Mapping[str, CatalogueDocument],
    encoder: SentenceEncoder | None,
    orders: Orders | None,
) -> list[CatalogueDocument]:
    documents = documents_of(items, encoder)
    for each in documents:
        before = indexed.get(each.item)
        if orders is not None:
            each.bought_with = dict(orders.get(each.item, {}))
        elif before is not None:
            each.bought_with = before.bought_with
        if encoder is None and before is not None and before.version == each.version:
            each.encoder, each.exact = before.encoder, before.exact
    return documents


def _batches(items: Sequence[CatalogueItem]) -> Iterator[Sequence[CatalogueItem]]:
    for start in range(0, len(items), _BATCH):
        yield items[start : start + _BATCH]
