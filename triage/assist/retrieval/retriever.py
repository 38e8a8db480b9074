"""Retrieves articles for a question: both rankings, fused, with the confidence that the first one answers."""

import statistics
from dataclasses import dataclass, replace

from elasticsearch import Elasticsearch

from triage.assist.encoder.base import SentenceEncoder
from triage.assist.retrieval.experience import Experience
from triage.assist.retrieval.features import features_of
from triage.assist.retrieval.fusion import Candidate, best_of_articles, fuse
from triage.assist.retrieval.late_interaction import nearest_tokens, similarity_of
from triage.assist.retrieval.parameters import Parameters
from triage.assist.retrieval.similarity import Centres, Vector, with_exact_scores
from triage.assist.retrieval.words import without_empty_words
from triage.elastic.knowledge import current_versions
from triage.elastic.passages import FoundPassage, FoundPassages, Scope, find_passages, read_tokens
from triage.schemas.knowledge import passage_id

_FOUND = 50
# Passages that are compared token by token; nine of ten right articles are among them.
_COMPARED = 40
_WORDS_CHARS = 400
_NOT_BUILT = "the sentence encoder is not built; `triage knowledge encoder build` builds it"


@dataclass(frozen=True)
class Search:
    """Both rankings as the index gave them, and the question's vector as it was encoded (None without an encoder)."""

    found: FoundPassages
    vector: Vector | None = None


@dataclass(frozen=True)
class Retrieved:
    """Passages, best first, the best one of each article, and the confidence that the first article answers.

    `why_degraded` is the reason if vectors were not used. `features` are what the confidence is computed from.
    """

    passages: list[Candidate]
    articles: list[Candidate]
    confidence: float
    features: dict[str, float]
    why_degraded: str | None = None


class Retriever:
    """Searches one index of knowledge. Thread-safe."""

    def __init__(
        self,
        client: Elasticsearch,
        index: str,
        encoder: SentenceEncoder | None,
        parameters: Parameters,
        experience: Experience | None = None,
    ) -> None:
        self._client, self._index = client, index
        self._encoder, self._parameters = encoder, parameters
        self._centres = Centres.of(parameters.centres)
        self._experience = experience

    def retrieve(self, text: str, language: str, scope: Scope, intent: str | None = None) -> Retrieved:
        """Find articles for a text in this language; `intent` is the text's by the model, None if it is not known.

        Raises Unavailable, AccessDenied, DependencyError, ModelError.
        """
        return self.rank(self.find(text, language, scope), text, language, intent)

    def find(self, text: str, language: str, scope: Scope) -> Search:
        """Both rankings of passages, of current versions and within the scope only; raises as `retrieve`."""
        encoder = self._encoder
        read = None if encoder is None else encoder.read_question(text, language)
        vector = None if read is None else read.vector
        found = find_passages(
            self._client,
            self._index,
            without_empty_words(text)[:_WORDS_CHARS],
            scope,
            _FOUND,
            None if vector is None else self._centres.question(vector, language).tolist(),
            None if encoder is None else encoder.version,
        )
        named = {each.passage.article for each in (*found.by_words, *found.by_vector)}
        current = current_versions(self._client, self._index, named)

        def kept(ranking: list[FoundPassage]) -> list[FoundPassage]:
            # A passage of an old version is there for moments while it is replaced.
            return [
                each
                for each in ranking
                if scope.allows(each.passage) and current.get(each.passage.article) == each.passage.version
            ]

        why = _NOT_BUILT if encoder is None else found.why_no_vectors
        search = Search(FoundPassages(kept(found.by_words), kept(found.by_vector), why), vector)
        if read is None or not search.found.by_vector:
            return search
        by_tokens = self._compare_tokens(read.tokens, self.compare(search, language), language)
        return Search(replace(search.found, by_tokens=by_tokens), vector)

    def _compare_tokens(self, question: Vector, found: FoundPassages, language: str) -> dict[str, float]:
        """Similarity token by token of the articles of the best passages; {} if half of the passages have no tokens.

        Passages without are those of another encoder, or of an article that is being replaced. An article of only
        such passages gets the median, so that the others have neither an advantage nor a disadvantage.
        """
        assert self._encoder is not None
        best = [each.passage for each in fuse(found, self._parameters.weights(language), language)[:_COMPARED]]
        # Tokens of another encoder mean something else, and may have another size.
        own = [each for each in best if each.encoder == self._encoder.version]
        packed = read_tokens(self._client, self._index, own) if len(question) else {}
        if 2 * len(packed) <= len(best):
            return {}
        nearest: dict[str, list[Vector]] = {}
        for each in own:
            if (tokens := packed.get(passage_id(each.article, each.version, each.number))) is not None:
                nearest.setdefault(each.article, []).append(nearest_tokens(question, tokens))
        compared = {article: similarity_of(passages) for article, passages in nearest.items()}
        median = statistics.median(compared.values())
        return {each.article: compared.get(each.article, median) for each in best}

    def compare(self, search: Search, language: str) -> FoundPassages:
        """The rankings of a search, the one by vectors with exact scores."""
        if search.vector is None or self._encoder is None or not search.found.by_vector:
            return search.found
        return with_exact_scores(search.found, search.vector, language, self._encoder.version, self._centres)

    def rank(self, search: Search, text: str, language: str, intent: str | None = None) -> Retrieved:
        """Fuse both rankings and compute the confidence."""
        found = self.compare(search, language)
        learned = self._experience.of if self._experience else None
        late = self._parameters.late if found.by_tokens else None
        weights = self._parameters.weights(language, late=late is not None)
        passages = fuse(found, weights, language, learned)
        articles = best_of_articles(passages)
        if not articles:
            return Retrieved([], [], 0.0, {}, found.why_no_vectors)
        features = features_of(text, language, articles, intent)
        model = late or (self._parameters.fused if found.by_vector else self._parameters.words)
        return Retrieved(passages, articles, model.probability(features), features, found.why_no_vectors)
