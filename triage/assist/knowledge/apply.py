"""Brings the index of knowledge up to a folder: passages first, then their article, then what is old goes.

A run that was killed is continued by the next one: articles that were switched are unchanged then, and passages without
an article are deleted. Of two runs at once, each article ends in one version of one of them, whole.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from elasticsearch import Elasticsearch

from triage.assist.encoder.base import SentenceEncoder
from triage.assist.knowledge.passages import split_article
from triage.assist.knowledge.plan import KnowledgePlan, version_of
from triage.assist.knowledge.tokens import TokenCounter
from triage.assist.retrieval.late_interaction import pack_tokens
from triage.clock import Clock, rfc3339
from triage.elastic import knowledge as store
from triage.elastic.knowledge import StoredArticle
from triage.elastic.passage_removal import discard_passages
from triage.errors import Unavailable
from triage.schemas.knowledge import Article, ArticleState, Passage, PassageDocument, pack_vector, passage_name

_BATCH_PASSAGES = 64
_TRIES = 5

Progress = Callable[[int, int], None]


@dataclass
class Applied:
    """The result of a run: articles written and deleted, their passages, old passages that were swept.

    `contested` counts articles that another run changed meanwhile; they have one version, whole.
    """

    written: int = 0
    deleted: int = 0
    passages: int = 0
    swept: int = 0
    contested: int = 0


@dataclass(frozen=True)
class _Prepared:
    article: Article
    version: str
    passages: list[Passage]


class KnowledgeWriter:
    """Writes articles into an index of knowledge. `encoder` is None where passages get no vectors."""

    def __init__(
        self,
        client: Elasticsearch,
        index: str,
        encoder: SentenceEncoder | None,
        counter: TokenCounter,
        passage_tokens: int,
        clock: Clock,
    ) -> None:
        self._client, self._index = client, index
        self._encoder, self._counter = encoder, counter
        self._passage_tokens = passage_tokens
        self._clock = clock

    def apply(
        self,
        plan: KnowledgePlan,
        articles: Mapping[str, Article],
        indexed: Mapping[str, StoredArticle],
        progress: Progress = lambda _, __: None,
    ) -> Applied:
        """Carry out a plan; `progress` is called with (articles done, articles).

        Raises Unavailable, AccessDenied, DependencyError, ModelError; what was done before stays.
        """
        done = Applied()
        names = [*plan.create, *plan.update, *plan.encode]
        total = len(names) + len(plan.delete)
        for batch in self._batches(articles[name] for name in names):
            self._write(batch, indexed, done)
            progress(done.written, total)
        for name in plan.delete:
            if store.remove_article(self._client, self._index, indexed[name]):
                self._discard(store.passage_ids(indexed[name].state))
                done.deleted += 1
            else:
                done.contested += 1
            progress(done.written + done.deleted, total)
        store.make_visible(self._client, self._index)
        self._sweep(done)
        return done

    def _batches(self, articles: Iterator[Article]) -> Iterator[list[_Prepared]]:
        batch: list[_Prepared] = []
        size = 0
        for article in articles:
            passages = split_article(article, self._counter, self._passage_tokens)
            batch.append(_Prepared(article, version_of(article, self._passage_tokens), passages))
            size += len(passages)
            if size >= _BATCH_PASSAGES:
                yield batch
                batch, size = [], 0
        if batch:
            yield batch

    def _write(self, batch: Sequence[_Prepared], indexed: Mapping[str, StoredArticle], done: Applied) -> None:
        documents = self._documents(batch)
        store.write_passages(self._client, self._index, documents)
        now = rfc3339(self._clock.now_ms())
        store.write_versions(self._client, self._index, ((each.article, each.version) for each in batch), now)
        # A folder of many small articles must not cost a request each.
        changes = [(self._state(each, now), indexed.get(each.article.id)) for each in batch]
        switched = store.switch_articles(self._client, self._index, changes)
        replaced = [_replaced(*change) for change, mine in zip(changes, switched, strict=True) if mine]
        self._discard([passage for each in replaced for passage in each])
        for (state, _), mine in zip(changes, switched, strict=True):
            if not mine:
                done.contested += 1
                self._switch_contested(state)
        # A run at the same time may have taken them for leftovers before their articles were switched.
        store.write_passages(self._client, self._index, store.missing_passages(self._client, self._index, documents))
        done.written += len(batch)
        done.passages += len(documents)

    def _switch_contested(self, state: ArticleState) -> None:
        """Make a version the current one of an article that another run changed in between."""
        for _ in range(_TRIES):
            before = store.read_article(self._client, self._index, state.article)
            (switched,) = store.switch_articles(self._client, self._index, [(state, before)])
            if switched:
                self._discard(_replaced(state, before))
                return
        raise Unavailable("elasticsearch", f"article {state.article} is being changed by others; run apply again")

    def _discard(self, passages: Sequence[str]) -> int:
        return discard_passages(self._client, self._index, passages)

    def _documents(self, batch: Sequence[_Prepared]) -> list[PassageDocument]:
        documents = [
            PassageDocument(
                doc="passage",
                passage=passage_name(article.id, passage.number),
                article=article.id,
                version=prepared.version,
                number=passage.number,
                title=article.title,
                heading=passage.heading,
                text=passage.text,
                start=passage.start,
                end=passage.end,
                language=article.language,
                audience=article.audience,
                kind=article.kind,
                product=article.product,
                intent=article.intent,
                valid_from=article.valid_from,
                valid_until=article.valid_until,
            )
            for prepared in batch
            for article in (prepared.article,)
            for passage in prepared.passages
        ]
        if self._encoder is not None:
            read = self._encoder.read_passages([embedded_text(each) for each in documents])
            for document, text in zip(documents, read, strict=True):
                document.encoder, document.vector = self._encoder.version, text.vector.tolist()
                document.exact, document.tokens = pack_vector(text.vector), pack_tokens(text.tokens)
        return documents

    def _state(self, prepared: _Prepared, now: str) -> ArticleState:
        article = prepared.article
        return ArticleState(
            article=article.id,
            version=prepared.version,
            passages=len(prepared.passages),
            title=article.title,
            language=article.language,
            audience=article.audience,
            kind=article.kind,
            product=article.product,
            intent=article.intent,
            valid_from=article.valid_from,
            valid_until=article.valid_until,
            encoder=self._encoder.version if self._encoder else None,
            source=article.source,
            applied_at=now,
        )

    def _sweep(self, done: Applied) -> None:
        current = store.read_articles(self._client, self._index)
        stale = store.find_leftovers(self._client, self._index, current).stale
        if stale:
            done.swept = self._discard(stale)
            store.make_visible(self._client, self._index)


def _replaced(state: ArticleState, before: StoredArticle | None) -> list[str]:
    """`_id`s of the passages of the version before that are none of this one."""
    own = set(store.passage_ids(state))
    return [each for each in store.passage_ids(before.state) if each not in own] if before is not None else []


def embedded_text(passage: PassageDocument) -> str:
    """The text whose vector stands for a passage: title and headings say what its sentences are about."""
    head = " › ".join(part for part in (passage.title, passage.heading) if part)
    return f"{head}\n{passage.text}"
