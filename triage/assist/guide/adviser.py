"""Advises customers: reads their wishes, filters the catalogue, asks what splits it best, and shows what fits."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from triage.assist.answers.texts import clean, language_of
from triage.assist.guide.constraints import Constraint, combined, fits, fitting
from triage.assist.guide.model import (
    Advice,
    AnswerOption,
    Drop,
    GuideQuestion,
    GuideRequest,
    GuideState,
    Recommendation,
    ReviewEvidence,
)
from triage.assist.guide.questions import Option, Split, best_split
from triage.assist.guide.ranking import Ranking
from triage.assist.guide.snapshot import Snapshot
from triage.assist.guide.words import LANGUAGES, PRICE, GuideWords
from triage.schemas.catalogue import CatalogueItem

FEW = 3
"""With so few candidates the customer can choose: nothing is asked."""
_QUERY_CHARS = 500
_DROPS = 3
# Without the error's own words, which are in the log: the advice goes to customers.
_NO_REVIEWS = "reviews could not be read"

FindReviews = Callable[[Sequence[CatalogueItem], str], Mapping[str, ReviewEvidence] | None]
"""(items, language) → what reviews say, by item, None if they cannot be read; may be blocking."""


class Adviser:
    """Advises on the items of one catalogue; it has no state of its own. Thread-safe."""

    def __init__(
        self,
        read: Callable[[], Snapshot],
        words: GuideWords,
        ranking: Ranking,
        *,
        questions: int,
        bought_together: bool = False,
        find_reviews: FindReviews | None = None,
        max_chars: int = 2_000,
    ) -> None:
        self.words = words
        self._read, self._ranking = read, ranking
        self._questions, self._bought_together = questions, bought_together
        self._find_reviews, self._max_chars = find_reviews, max_chars

    def advise(self, request: GuideRequest) -> Advice:
        """Advise after one turn of a customer; the state of earlier turns is in `request`.

        Blocks; raises Unavailable, AccessDenied, DependencyError, ModelError.
        """
        snapshot = self._read()
        text = clean(request.text, self._max_chars)
        language = language_of(text, request.language)
        language = language if language in LANGUAGES else LANGUAGES[0]
        before = request.state or GuideState()
        pending = before.asked[-1] if before.asked else None
        understood = snapshot.understanding.read(text, language, pending)
        constraints = combined(before.constraints, understood.constraints)
        found = fitting(snapshot.items, constraints)
        query = f"{before.query} {text}".strip()[-_QUERY_CHARS:]
        bought = request.bought if self._bought_together else ()
        ranked = self._ranking.ranked(found, snapshot, query, language, bought)
        if understood.cheapest:
            currency = self._currency(constraints, language)
            ranked.sort(key=lambda pair: pair[0].prices.get(currency, float("inf")))
        ask = self._question(found, constraints, before.asked, language)
        why = self._ranking.why_degraded(snapshot)
        shown = ranked[: request.k]
        reviews = self._reviews([item for item, _ in shown], language)
        return Advice(
            language=language,
            constraints=constraints,
            fits=len(found),
            results=self._results(shown, reviews or {}, language),
            ask=ask,
            drop=[] if found else drops(snapshot.items, constraints),
            state=GuideState(constraints=constraints, asked=[*before.asked, *([ask.name] if ask else [])], query=query),
            degraded=why is not None,
            why_degraded=why,
            incomplete=reviews is None,
            why_incomplete=_NO_REVIEWS if reviews is None else None,
        )

    def _question(
        self, found: Sequence[CatalogueItem], constraints: Sequence[Constraint], asked: Sequence[str], language: str
    ) -> GuideQuestion | None:
        if len(found) <= FEW or len(asked) >= self._questions:
            return None
        best = best_split(found, constraints, self.words, self._currency(constraints, language), asked)
        text = None if best is None else self.words.question(best.name, language)
        if best is None or text is None:
            return None
        options = [
            AnswerOption(label=self.label(best, each, language), items=each.items, value=each.value)
            for each in best.options
        ]
        return GuideQuestion(name=best.name, text=text, bits=round(best.bits, 3), options=options)

    def _reviews(self, items: Sequence[CatalogueItem], language: str) -> Mapping[str, ReviewEvidence] | None:
        return self._find_reviews(items, language) if self._find_reviews and items else {}

    def _results(
        self,
        ranked: Sequence[tuple[CatalogueItem, float]],
        reviews: Mapping[str, ReviewEvidence],
        language: str,
    ) -> list[Recommendation]:
        own = self.words.currency[language]
        found = []
        for item, score in ranked:
            text_language, text = item.in_language(item.text, language)
            found.append(
                Recommendation(
                    item=item.id,
                    name=item.called(language),
                    text=text,
                    passage=f"{item.id}#{text_language}",
                    brand=item.brand,
                    category=item.category,
                    # That of the language first.
                    prices=dict(sorted(item.prices.items(), key=lambda price: price[0] != own)),
                    url=item.url,
                    score=round(score, 4),
                    reviews=reviews.get(item.id),
                )
            )
        return found

    def label(self, split: Split, option: Option, language: str) -> str:
        """Name of an answer to the question `split`, as people say it; ranges of numbers with their unit."""
        if option.value is not None:
            return self.words.label(split.name, option.value, language)
        unit = self.words.currency[language] if split.name == PRICE else self.words.unit(split.name, language)
        low, high = (None if each is None else f"{each:g}" for each in (option.low, option.high))
        if low is None:
            text = {"en": f"up to {high}", "zh": f"不超过{high}"}[language]
        elif high is None:
            text = {"en": f"over {low}", "zh": f"{low}以上"}[language]
        else:
            text = {"en": f"{low} to {high}", "zh": f"{low}到{high}"}[language]
        return f"{text} {unit}".rstrip()

    def _currency(self, constraints: Sequence[Constraint], language: str) -> str:
        named = next((each.unit for each in reversed(constraints) if each.name == PRICE and each.unit), None)
        return named or self.words.currency[language]


def drops(items: Sequence[CatalogueItem], constraints: Sequence[Constraint]) -> list[Drop]:
    """Up to three sets of wishes to give up, as small as possible, so that some items fit; most fitting items first."""
    unmet = Counter(frozenset(each.name for each in constraints if not fits(item, each)) for item in items)
    fewest = min(map(len, unmet), default=0)
    # With all but the fewest wishes kept, exactly the items that miss these fit.
    least = sorted(
        ((missed, number) for missed, number in unmet.items() if len(missed) == fewest),
        key=lambda each: (-each[1], sorted(each[0])),
    )
    return [
        Drop(
            names=sorted(missed),
            wishes=list(dict.fromkeys(each.text for each in constraints if each.name in missed)),
            fits=number,
        )
        for missed, number in least[:_DROPS]
    ]
