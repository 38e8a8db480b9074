"""Evidence for the console's pages: answers and similar cases, verdicts on them, and the state of the knowledge."""

import threading
from dataclasses import dataclass, field

from elasticsearch import Elasticsearch

from triage.assist.answers.answerer import Answerer
from triage.assist.answers.assemble import build_answerer, parameters_of, usable_encoder
from triage.assist.answers.grouping import AskedGroup, group_questions
from triage.assist.answers.model import Answer, Question
from triage.assist.cases.similar import CaseFinder
from triage.assist.retrieval.similarity import Centres
from triage.clock import Clock, rfc3339
from triage.config import Settings
from triage.elastic.evidence import (
    latest_unanswered,
    store_verdict,
    verdicts_by_article,
    verdicts_of_record,
)
from triage.elastic.knowledge import read_articles
from triage.elastic.passages import passages_of_articles
from triage.elastic.search import Hit
from triage.schemas.evidence import Verdict, VerdictLabel
from triage.schemas.knowledge import ArticleState, PassageDocument

_CASES = 3
_UNANSWERED = 1_000
_SHOWN_ARTICLES = 20


@dataclass(frozen=True)
class ArticleUse:
    """An article, and the number of verdicts on its passages by kind (used, edited, wrong)."""

    article: ArticleState
    verdicts: dict[str, int] = field(default_factory=dict)

    @property
    def used(self) -> int:
        return self.verdicts.get("used", 0) + self.verdicts.get("edited", 0)


@dataclass(frozen=True)
class KnowledgeState:
    """All articles with their verdicts, and the last questions that got no answer, in groups, the largest first.

    `passages` are those of the articles of one intent, if one was asked for.
    """

    articles: list[ArticleUse]
    unanswered: list[AskedGroup]
    passages: list[PassageDocument] = field(default_factory=list)


class LocalEvidence:
    """Finds evidence with the console's own copy of the sentence encoder, loaded at the first request.

    All methods block, and raise Unavailable, AccessDenied, DependencyError or ModelError.
    """

    def __init__(self, settings: Settings, client: Elasticsearch, clock: Clock) -> None:
        self._settings, self._client, self._clock = settings, client, clock
        self._lock = threading.Lock()
        self._answerer: Answerer | None = None

    def of_record(self, hit: Hit) -> tuple[Answer, list[Verdict]]:
        """Return the answer for a record, from articles and similar cases for staff, and verdicts on its passages."""
        record = hit.record
        question = Question(record=hit.id, language=None, audience="internal", k=_CASES)
        text = record.parts.joined(record.text)
        answer = self._ready().answer(question, text, record.intent.label)
        return answer, verdicts_of_record(self._client, self._settings.elasticsearch, hit.id)

    def tell(self, hit: Hit, passage: str, version: str, verdict: VerdictLabel, actor: str) -> None:
        """Store the verdict of the user `actor` on a passage that was shown for the record `hit`.

        `passage` is its name, such as `returns#3`, `version` that of its article.
        """
        record = hit.record
        stored = Verdict(
            doc="verdict",
            record=hit.id,
            passage=passage,
            article=passage.rpartition("#")[0],
            version=version,
            verdict=verdict,
            actor=actor,
            at=rfc3339(self._clock.now_ms()),
            text=record.parts.joined(record.text),
            language=record.language,
            intent=record.intent.label,
            author_id=record.author_id,
        )
        store_verdict(self._client, self._settings.elasticsearch, stored)

    def state(self, intent: str | None) -> KnowledgeState:
        """Return the articles of `intent` (None: of all), and the questions that got no answer."""
        elastic = self._settings.elasticsearch
        verdicts = verdicts_by_article(self._client, elastic)
        stored = read_articles(self._client, elastic.knowledge()).values()
        articles = [
            ArticleUse(each.state, verdicts.get(each.state.article, {}))
            for each in stored
            if intent is None or intent in each.state.intent
        ]
        passages: list[PassageDocument] = []
        if intent is not None:
            names = [each.article.article for each in articles[:_SHOWN_ARTICLES]]
            passages = passages_of_articles(self._client, elastic.knowledge(), names)
        asked = latest_unanswered(self._client, elastic, _UNANSWERED)
        centres = Centres.of(parameters_of(self._settings).centres)
        return KnowledgeState(articles, group_questions(asked, centres), passages)

    def _ready(self) -> Answerer:
        with self._lock:
            if self._answerer is None:
                encoder = usable_encoder(self._settings)
                find_cases = CaseFinder(self._client, self._settings.elasticsearch, encoder).find
                self._answerer = build_answerer(
                    self._settings,
                    self._client,
                    self._clock,
                    encoder,
                    min_confidence=self._settings.assist.console_confidence,
                    find_cases=find_cases,
                )
            return self._answerer
