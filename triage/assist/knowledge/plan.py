"""Compares a folder of knowledge with the index: what is new, changed, to encode again, and to delete."""

import hashlib
import re
from collections.abc import Container, Mapping
from dataclasses import dataclass, field

import msgspec

from triage.assist.knowledge.passages import FORM
from triage.assist.knowledge.problems import Collection
from triage.elastic.knowledge import StoredArticle
from triage.errors import ConfigError
from triage.schemas.knowledge import Article

_VERSION_DIGITS = 12
_FEW = 10
_OF_LANGUAGE = re.compile(r"-[a-z]{2,3}$")


@dataclass
class KnowledgePlan:
    """The changes that `apply` makes: `create`, `update` and `encode` (the same text, another encoder), in order.

    `delete` are articles that the folder no longer has, `kept` refused ones, whose indexed version stays.
    """

    create: list[str] = field(default_factory=list)
    update: list[str] = field(default_factory=list)
    encode: list[str] = field(default_factory=list)
    delete: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    unchanged: int = 0

    def __bool__(self) -> bool:
        return bool(self.create or self.update or self.encode or self.delete)

    def require_few_deletions(self, indexed: int) -> None:
        """Raise ConfigError if most of the indexed articles would be deleted, as with the wrong folder."""
        if len(self.delete) > max(_FEW, indexed // 2):
            raise ConfigError(
                f"{len(self.delete):,} of {indexed:,} indexed articles are not in this folder and would be deleted; "
                "is it the right one? If so, add --delete-many"
            )


def version_of(article: Article, passage_tokens: int) -> str:
    """The version of an article: a hash of its fields and text, and of how it is split."""
    content = msgspec.json.encode([msgspec.structs.replace(article, source=""), FORM, passage_tokens])
    return hashlib.sha256(content).hexdigest()[:_VERSION_DIGITS]


def plan_knowledge(
    found: Collection,
    indexed: Mapping[str, StoredArticle],
    passage_tokens: int,
    encoder: str | None,
    incomplete: Container[str] = (),
) -> KnowledgePlan:
    """Compare accepted articles with those of the index; `encoder` is the version of the encoder, None without one.

    Without an encoder, articles that have vectors keep them. Those that are `incomplete` in the index are updated.
    """
    plan = KnowledgePlan()
    for identity, article in found.articles.items():
        before = indexed.get(identity)
        if before is None:
            plan.create.append(identity)
        elif identity in incomplete or before.state.version != version_of(article, passage_tokens):
            plan.update.append(identity)
        elif encoder is not None and before.state.encoder != encoder:
            plan.encode.append(identity)
        else:
            plan.unchanged += 1
    refused = found.refused
    for identity in indexed:
        if identity not in found.articles:
            # The id of a translation in the index ends with its language, the refused article may lack it.
            names = {identity, _OF_LANGUAGE.sub("", identity)}
            (plan.kept if names & refused else plan.delete).append(identity)
    return plan
