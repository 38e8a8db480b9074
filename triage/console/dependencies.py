"""The services and settings that all pages of the console use."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from elasticsearch import Elasticsearch

from triage.alerting.app.actions import UsedLink
from triage.alerting.lifecycle.assessments import Verdict
from triage.alerting.precision.report import RuleReport
from triage.assist.answers.model import Answer
from triage.clock import Clock
from triage.config import Settings
from triage.console.changes.measure import Movers
from triage.console.data.conversation_desk import ConversationDesk
from triage.console.data.dead_letters import DeadLetters
from triage.console.data.evidence import KnowledgeState
from triage.console.data.shared_readings import SharedReading, SharedSnapshot
from triage.elastic.search import Hit
from triage.fleet import FleetView
from triage.metrics import Metrics
from triage.schemas.action import Action, Matcher, Silence
from triage.schemas.enriched import EnrichedRecord, OwnIntent
from triage.schemas.evidence import Verdict as EvidenceVerdict
from triage.schemas.evidence import VerdictLabel
from triage.schemas.explanation import HeadExplanation, RiskExplanation, RuleExplanation


class Explainer(Protocol):
    """Explains the labels of a record. All methods block, and raise a TriageError if the explanation fails."""

    def own_labels(self, record: EnrichedRecord) -> tuple[list[RiskExplanation], list[OwnIntent]]:
        """Return the reasons of the risk scores, and the operator's own intents that the text resembles."""
        ...

    def word_weights(self, record: EnrichedRecord) -> tuple[HeadExplanation, HeadExplanation, str]:
        """Return the weights of words for intent and for sentiment, and the version of the model that computed them."""
        ...

    def rules(self, record: EnrichedRecord) -> tuple[list[RuleExplanation], str]:
        """Return the rules that fired, with their evidence, and the version of the evaluated rules."""
        ...

    def intents(self) -> list[str]:
        """Return the intents that a correction of a record's labels can choose."""
        ...


class Evidence(Protocol):
    """Finds evidence for answers, and keeps people's verdicts on it. All methods block, and raise a TriageError."""

    def of_record(self, hit: Hit) -> tuple[Answer, list[EvidenceVerdict]]:
        """Return the answer for a record, from articles and similar cases for staff, and verdicts on its passages."""
        ...

    def tell(self, hit: Hit, passage: str, version: str, verdict: VerdictLabel, actor: str) -> None:
        """Store the verdict of the user `actor` on a passage of an article's `version`, shown for the record `hit`."""
        ...

    def state(self, intent: str | None) -> KnowledgeState:
        """Return the articles of `intent` (None: of all), and the questions that got no answer."""
        ...


class UsedLinks(Protocol):
    """Knows which links in notifications were used, from the topic `alert-actions`, which all consoles read."""

    def used(self, link: str) -> Action | None:
        """Return the action that was triggered by the link with the id `link`; None if the link has not been used."""
        ...

    def ready(self) -> bool:
        """True once this console has read all messages that the topic `alert-actions` had when the console started."""
        ...


class Actions(Protocol):
    """Sends users' actions on alerts to the alerter.

    All methods block, and raise Unavailable if Kafka does not answer.
    """

    def acknowledge(self, dedup_key: str, actor: str, comment: str = "", link: UsedLink | None = None) -> object: ...

    def unacknowledge(self, dedup_key: str, actor: str, comment: str = "") -> object: ...

    def snooze(
        self, dedup_key: str, actor: str, for_s: int, comment: str = "", link: UsedLink | None = None
    ) -> object: ...

    def assign(self, dedup_key: str, actor: str, to: str, comment: str = "") -> object: ...

    def comment(self, dedup_key: str, actor: str, comment: str) -> object: ...

    def resolve(self, dedup_key: str, actor: str, comment: str = "") -> object: ...

    def silence(
        self, matchers: Sequence[Matcher], actor: str, for_s: int, comment: str = "", link: UsedLink | None = None
    ) -> object: ...

    def judge(
        self, dedup_key: str, actor: str, verdict: Verdict, comment: str = "", link: UsedLink | None = None
    ) -> object: ...

    def expire(self, silence: Silence, actor: str) -> object: ...


@dataclass(frozen=True)
class Dependencies:
    """Services, settings and shared data that the pages of the console use.

    `now`, `movers` and `fleet` are shared by all pages and read at intervals; everything else is read on request.
    Without `actions`, alerts can only be viewed; without `evidence`, no answers and similar cases are shown. `rules`
    reads the reports on all alert rules.
    """

    settings: Settings
    client: Elasticsearch
    clock: Clock
    metrics: Metrics
    now: SharedSnapshot
    movers: SharedReading[Movers]
    fleet: SharedReading[FleetView]
    dead_letters: DeadLetters
    explainer: Explainer
    silences: Callable[[], list[Silence]]
    actions: Actions | None = None
    rules: Callable[[], Awaitable[list[RuleReport]]] | None = None
    used_links: UsedLinks | None = None
    conversations: ConversationDesk | None = None
    evidence: Evidence | None = None
