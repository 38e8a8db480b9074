"""Finds resolved cases like a text, with how often their kind of resolution ended the case."""

from elasticsearch import Elasticsearch

from triage.assist.answers.model import SimilarCase
from triage.assist.encoder.base import SentenceEncoder
from triage.config import ElasticsearchSettings
from triage.elastic.cases import count_endings, similar_cases
from triage.intervals import wilson

FEWEST = 5
"""Of fewer cases no share is given: it would be a guess."""
_WORDS_CHARS = 400


class CaseFinder:
    """Finds similar cases in the index of cases. Thread-safe."""

    def __init__(self, client: Elasticsearch, settings: ElasticsearchSettings, encoder: SentenceEncoder | None) -> None:
        self._client, self._settings, self._encoder = client, settings, encoder

    def find(self, text: str, size: int, without: str | None = None) -> list[SimilarCase]:
        """Cases like `text`, most similar first; `without` is a record that is left out.

        Raises Unavailable, AccessDenied, DependencyError, ModelError.
        """
        encoder = self._encoder
        vector = None if encoder is None else encoder.encode_questions([text])[0].tolist()
        found = similar_cases(
            self._client, self._settings, text[:_WORDS_CHARS], size, without=without,
            vector=vector, encoder=encoder.version if encoder else None,
        )  # fmt: skip
        endings = count_endings(self._client, self._settings, [each.case.resolution for each in found])
        return [
            _with_share(
                SimilarCase(
                    record=each.case.record,
                    similarity=None if each.cosine is None else round(each.cosine, 4),
                    text=each.case.text,
                    answer=each.case.answer,
                    resolution=each.case.resolution or each.case.answer,
                    outcome=each.case.outcome,
                    at=each.case.at,
                ),
                *endings.get(each.case.resolution, (0, 0)),
            )
            for each in found
        ]


def _with_share(case: SimilarCase, cases: int, ended: int) -> SimilarCase:
    case.cases = cases
    if cases >= FEWEST:
        low, high = wilson(ended, cases)
        case.ended, case.interval = round(ended / cases, 4), (round(low, 4), round(high, 4))
    return case
