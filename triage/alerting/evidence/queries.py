"""Queries Elasticsearch for the evidence of an alert: example texts, and unusual intents, entities and words."""

import contextlib
from collections.abc import Callable, Mapping

from elasticsearch import Elasticsearch

from triage.alerting.evidence.significance import LEAST_BASELINE, Sample, over_represented
from triage.alerting.evidence.terms import candidates, joined
from triage.clock import DAY_MS, Clock, SystemClock, parse_rfc3339
from triage.config import ElasticsearchSettings
from triage.elastic.completeness import noting
from triage.elastic.reading import refresh
from triage.elastic.search import Conditions, count_negative, examples, texts, top_intents, top_terms
from triage.errors import AccessDenied, TriageError, Unavailable
from triage.logging import get_logger
from triage.redaction.kinds import LABELS
from triage.schemas.alert import Alert, Evidence, Share
from triage.translations import Places

log = get_logger("triage.alerter")

_EXAMPLES = 3
_TOP = 5
_INTENTS = 50
_ENTITIES = 200
# Share of the time for examples and frequent values; the comparison gets the rest.
_FIRST_SHARE = 0.6
_TEXTS = 300
_WORDS = 60
_BASELINE_DAYS = 7
# Placeholders of redaction are frequent in any window.


class IndexEvidence:
    """Finds examples, and intents, entities and words that stand out, in the feedback indices for an alert's window.

    All queries together block for at most `timeout_s` seconds; None is returned if Elasticsearch does not answer. The
    comparison with earlier days gets the remaining time; without it the most frequent values are returned.
    `where(rule)` returns the conditions of a rule besides the alert's dimensions. Different spellings of a place in
    `places` are counted under one name.
    """

    def __init__(
        self,
        client: Elasticsearch,
        settings: ElasticsearchSettings,
        timeout_s: float = 7.0,
        clock: Clock | None = None,
        where: Callable[[str], Conditions] | None = None,
        places: Places | None = None,
    ) -> None:
        self._client = client
        self._settings = settings
        self._timeout_s = timeout_s
        self._clock = clock or SystemClock()
        self._places = places or Places()
        self._where: Callable[[str], Conditions] = where or (lambda _: {})

    def __call__(self, alert: Alert, end_ms: int) -> Evidence | None:
        started_s = self._clock.monotonic()
        window = (end_ms - alert.window_s * 1000, end_ms)
        try:
            with noting() as gaps:
                found, entities, intents = self._frequent(alert, window, started_s + _FIRST_SHARE * self._timeout_s)
            if gaps:
                # Examples of a part of the records are better than none; a comparison with a part would be wrong.
                log.warning("alert_examples_incomplete", dedup_key=alert.dedup_key, missing=str(gaps))
        except TriageError as error:
            log.warning("alert_without_examples", dedup_key=alert.dedup_key, error=str(error))
            return None
        try:
            self._compare(found, alert, window, (intents, entities), started_s + self._timeout_s)
        except TriageError as error:
            log.warning("alert_without_baseline", dedup_key=alert.dedup_key, error=str(error))
        return found

    def _frequent(
        self, alert: Alert, window: tuple[int, int], deadline_s: float
    ) -> tuple[Evidence, list[Share], list[Share]]:
        """Evidence with the most frequent values, and all entities and all intents that were found."""
        settings, dimensions = self._settings, self._conditions(alert)
        # Records are indexed before they are counted, but a search sees them only after the next refresh. Without the
        # right to refresh, the page has the examples that are visible already.
        with contextlib.suppress(AccessDenied):
            refresh(self._until(deadline_s), settings.index_prefix)
        # A page about one intent need not list it.
        intents = (
            []
            if "intent" in alert.dimensions
            else top_intents(self._until(deadline_s), settings, *window, dimensions=dimensions, size=_INTENTS)
        )
        negative = {**dimensions, "sentiment": "negative"}
        terms = top_terms(self._until(deadline_s), settings, "entities.text", negative, *window, size=_ENTITIES)
        counts = self._places.merged({share.value: share.count for share in terms if share.value not in LABELS})
        entities = [Share(*pair) for pair in sorted(counts.items(), key=lambda pair: -pair[1])]
        shown = examples(self._until(deadline_s), settings, dimensions, *window, _EXAMPLES)
        # A single mention is not a pattern.
        named = [share for share in entities if share.count > 1]
        return Evidence(top_intents=intents[:_TOP], top_entities=named[:_TOP], examples=shown), entities, intents

    def _compare(
        self,
        found: Evidence,
        alert: Alert,
        window: tuple[int, int],
        frequent: tuple[list[Share], list[Share]],
        deadline_s: float,
    ) -> None:
        """Replace frequent values by over-represented ones, where there are enough records to compare with."""
        intents, entities = frequent
        before_end_ms = min(parse_rfc3339(alert.started_at), window[1]) - alert.window_s * 1000
        before = before_end_ms - _BASELINE_DAYS * DAY_MS, before_end_ms
        dimensions = self._conditions(alert)
        sample = texts(self._until(deadline_s), self._settings, dimensions, *window, _TEXTS)
        terms, distinct = candidates(sample, _WORDS)
        fields = {
            "intent.label": [share.value for share in intents],
            "entities.text": [one for share in entities[:_WORDS] for one in self._places.spellings(share.value)],
            "text": terms,
        }
        baseline_total, baseline = self._count(dimensions, before, fields, deadline_s)
        if baseline_total < LEAST_BASELINE:
            return
        total, counts = self._count(dimensions, window, fields, deadline_s)
        for counted, most in ((counts, total), (baseline, baseline_total)):
            # A record with two spellings of a place counts twice, but no more often than there are records.
            merged = self._places.merged(counted["entities.text"])
            counted["entities.text"] = {value: min(count, most) for value, count in merged.items()}

        def unusual_in(field: str, tested: int, size: int = _TOP) -> list[Share]:
            return over_represented(
                Sample(total, counts[field]), Sample(baseline_total, baseline[field]), tested=tested, size=size
            )

        found.top_intents = unusual_in("intent.label", len(intents)) or found.top_intents
        found.top_entities = unusual_in("entities.text", len(entities)) or found.top_entities
        named = {share.value.lower() for share in found.top_entities}
        unusual = joined(unusual_in("text", distinct, _WORDS))
        found.top_words = [share for share in unusual if share.value not in named][:_TOP]

    def _count(
        self,
        dimensions: Conditions,
        between: tuple[int, int],
        fields: Mapping[str, list[str]],
        deadline_s: float,
    ) -> tuple[int, dict[str, dict[str, int]]]:
        return count_negative(self._until(deadline_s), self._settings, dimensions, *between, fields)

    def _conditions(self, alert: Alert) -> Conditions:
        return {**self._where(alert.rule), **alert.dimensions}

    def _until(self, deadline_s: float) -> Elasticsearch:
        """A client with the time that is left as its timeout. Raises Unavailable when none is left."""
        left_s = deadline_s - self._clock.monotonic()
        if left_s <= 0:
            raise Unavailable("elasticsearch", f"no answer within {self._timeout_s:g} s")
        return self._client.options(request_timeout=left_s, max_retries=0)
