"""Measures the rankings (words alone, vectors alone, fused) and abstention on labelled questions."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from triage.assist.answers.texts import clean, language_of
from triage.assist.evaluation import metrics
from triage.assist.evaluation.questions import LabelledQuestion
from triage.assist.retrieval.fusion import best_of_articles, fuse
from triage.assist.retrieval.parameters import FusionWeights, Parameters
from triage.assist.retrieval.retriever import Retriever, Search
from triage.elastic.passages import FoundPassages, Scope
from triage.intervals import wilson

_ALONE = FusionWeights(words=0.0, language=0.0)


@dataclass(frozen=True)
class Measured:
    """The search of a question, so that fusion can be tried again without searching again.

    `across`: the articles that answer it are all in another language.
    """

    question: LabelledQuestion
    text: str
    language: str
    search: Search
    intent: str | None = None
    across: bool = False


def measure(
    retriever: Retriever,
    questions: Sequence[LabelledQuestion],
    day: str,
    max_chars: int,
    languages: Mapping[str, str],
    intent_of: Callable[[str], str | None] = lambda _: None,
    progress: Callable[[int, int], None] = lambda _, __: None,
) -> list[Measured]:
    """Search all questions, over all audiences, as of `day` (YYYY-MM-DD); `languages` are those of the articles by id.

    `intent_of` gives the intent of a text, `progress` is called with (questions done, questions). Raises the errors
    of a search: Unavailable, AccessDenied, DependencyError.
    """
    scope = Scope(day=day, public_only=False)
    done = []
    for number, question in enumerate(questions, 1):
        text = clean(question.question, max_chars)
        language = language_of(text, question.language if question.language != "und" else None)
        of_answers = {languages[each] for each in question.articles if each in languages}
        across = bool(of_answers) and language not in of_answers
        done.append(Measured(question, text, language, retriever.find(text, language, scope), intent_of(text), across))
        progress(number, len(questions))
    return done


def ranking_of(found: FoundPassages, weights: FusionWeights, language: str) -> list[str]:
    """Ids of the articles of found passages, best first."""
    return [each.passage.article for each in best_of_articles(fuse(found, weights, language))]


def report(measured: Sequence[Measured], retriever: Retriever, parameters: Parameters) -> dict[str, Any]:
    """Measure rankings and abstention for all questions, by language, across languages, and by kind if it is named.

    Returns by group `answerable` (a number), the measures of each ranking by name, and `abstention`; kinds of which
    all questions have no answer are left out.
    """
    languages = sorted({each.language for each in measured})
    groups: dict[str, list[Measured]] = {"all": list(measured)}
    if len(languages) > 1:
        groups |= {language: [each for each in measured if each.language == language] for language in languages}
    groups["across languages"] = [each for each in measured if each.across]
    for each in measured:
        if each.question.kind is not None and each.question.articles:
            groups.setdefault(f"{each.language} {each.question.kind}", []).append(each)
    return {
        name: {
            "questions": len(group),
            "unanswerable": sum(not each.question.articles for each in group),
            "rankings": _rankings(group, retriever, parameters),
            "abstention": _abstention(group, retriever),
        }
        for name, group in groups.items()
        if group
    }


def _rankings(group: Sequence[Measured], retriever: Retriever, parameters: Parameters) -> dict[str, Any]:
    answerable = [each for each in group if each.question.articles]
    found = [retriever.compare(each.search, each.language) for each in answerable]
    named: dict[str, Callable[[FoundPassages, str], list[str]]] = {
        "words": lambda each, language: ranking_of(replace(each, by_vector=[]), _ALONE, language)
    }
    if any(each.by_vector for each in found):
        named["vectors"] = lambda each, language: ranking_of(replace(each, by_words=[]), _ALONE, language)
        named["fused"] = lambda each, language: ranking_of(
            each, parameters.weights(language, late=bool(each.by_tokens)), language
        )
    return {
        name: _ranks(
            [
                metrics.rank_of(rank(each, one.language), one.question.articles)
                for each, one in zip(found, answerable, strict=True)
            ]
        )
        for name, rank in named.items()
    }


def _ranks(ranks: Sequence[int | None]) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for k in (1, 3):
        hits = metrics.hits(ranks, k)
        figures[f"hit@{k}"] = _mean(hits)
        figures[f"hit@{k}_interval"] = [round(each, 4) for each in wilson(int(sum(hits)), len(hits))]
    reciprocals = metrics.reciprocal(ranks)
    figures["mrr@10"] = _mean(reciprocals)
    figures["mrr@10_interval"] = [round(each, 4) for each in metrics.bootstrap(reciprocals)]
    return figures


def _abstention(group: Sequence[Measured], retriever: Retriever) -> dict[str, Any]:
    """Figures of the confidence: right is a question whose first article is one that answers it."""
    scores, right = [], []
    for each in group:
        found = retriever.rank(each.search, each.text, each.language, each.intent)
        scores.append(found.confidence)
        right.append(bool(found.articles) and found.articles[0].passage.article in each.question.articles)
    area = metrics.auroc(scores, right)
    return {
        "auroc": None if area is None else round(area, 4),
        "auroc_interval": [round(each, 4) for each in metrics.auroc_interval(scores, right)],
        "coverage_at_95": round(metrics.coverage(scores, right), 4),
        "reliability": [
            {"questions": number, "confidence": round(mean, 4), "right": round(share, 4)}
            for number, mean, share in metrics.reliability(scores, right)
        ],
        "best_possible_coverage": round(min(1.0, sum(right) / metrics.RIGHT / len(right)), 4) if right else 0.0,
    }


def _mean(values: Sequence[float]) -> float:
    return round(sum(values) / len(values), 4) if values else 0.0
