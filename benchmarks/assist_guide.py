"""Measures the guide on the tasks of `data/guide_tasks.tsv.bz2`: a wanted item, the true wishes, and a customer's text.

- wishes: precision and recall of the constraints that are read from the text, and texts read without any mistake.
- wanted item among three: given the true wishes, then those read from the text; then after at most three questions,
  which a simulated customer answers by the wanted item. Baseline: the same ranking without constraints.
- questions: the mean number of items left (column median) for a customer who only names the category and answers
  questions, in the order of the information that they give, and in the order of guide.yaml (baseline).

Shares in %, by language. Vectors count if the sentence encoder is built.
"""

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.report import ROOT, Row
from triage.assist.answers.assemble import parameters_of, usable_encoder
from triage.assist.guide.adviser import Adviser
from triage.assist.guide.catalogue import read_catalogue
from triage.assist.guide.constraints import Constraint, fits, fitting, number_of, values_of
from triage.assist.guide.model import Advice, AnswerOption, GuideRequest, GuideState
from triage.assist.guide.notation import read
from triage.assist.guide.plan import documents_of
from triage.assist.guide.questions import split
from triage.assist.guide.ranking import Ranking
from triage.assist.guide.snapshot import Snapshot, snapshot_of
from triage.assist.guide.words import LANGUAGES, GuideWords, read_words
from triage.assist.market.names import read_market
from triage.assist.retrieval.similarity import Centres
from triage.config import load_settings
from triage.intervals import wilson
from triage.packed import read_unpacked
from triage.schemas.catalogue import CatalogueItem

FEED = ROOT / "topics" / "feed"
OPEN = {"en": "It does not matter.", "zh": "都可以"}


@dataclass(frozen=True)
class Task:
    language: str
    wanted: CatalogueItem
    wishes: list[Constraint]
    text: str


class Bench:
    def __init__(self) -> None:
        settings = load_settings(None, {})
        self.words: GuideWords = read_words(FEED / "guide.yaml")
        self.items = read_catalogue(FEED / "catalogue.csv", self.words).items
        encoder = usable_encoder(settings)
        documents = documents_of(list(self.items.values()), encoder)
        self.snapshot: Snapshot = snapshot_of(documents, self.words, read_market(FEED / "market.yaml"))
        self.ranking = Ranking(encoder, Centres.of(parameters_of(settings).centres))
        self.adviser = Adviser(lambda: self.snapshot, self.words, self.ranking, questions=3)
        self.tasks = [
            self._task(line)
            for line in read_unpacked(ROOT / "benchmarks" / "data" / "guide_tasks.tsv.bz2").decode().splitlines()
        ]

    def _task(self, line: str) -> Task:
        language, wanted, wishes, text = line.split("\t")
        found = Task(language, self.items[wanted], read(wishes), text)
        assert all(fits(found.wanted, each) for each in found.wishes), f"{wanted} does not fit its own wishes: {line}"
        return found

    def rows(self) -> list[Row]:
        found: list[Row] = []
        for language in LANGUAGES:
            tasks = [task for task in self.tasks if task.language == language]
            found += self._wishes(tasks, language)
            for name, among in (
                ("without constraints", lambda task: self._among(task, [])),
                ("true wishes", lambda task: self._among(task, task.wishes)),
                ("wishes read", lambda task: self._among(task, self._read(task))),
                ("wishes read, then questions", self._asked),
            ):
                found.append(_share(f"guide {language}: wanted among 3, {name}", [among(task) for task in tasks]))
            for name, choose in (("order of guide.yaml", self._next), ("most information", self._best)):
                for questions in (1, 2):
                    left = [float(self._left(task, choose, questions)) for task in tasks]
                    title = f"guide {language}: items left after {questions} of questions, {name}"
                    found.append(Row(title, "items", min(left), sum(left) / len(left), max(left), 1, {"n": len(left)}))
        return found

    def _wishes(self, tasks: list[Task], language: str) -> list[Row]:
        right = read_ = true = exact = 0
        for task in tasks:
            gold, found = ({_key(each) for each in some} for some in (task.wishes, self._read(task)))
            right, read_, true = right + len(gold & found), read_ + len(found), true + len(gold)
            exact += gold == found
        name = f"guide {language}: wishes"
        return [
            _row(f"{name}, precision", right, read_),
            _row(f"{name}, recall", right, true),
            _row(f"{name}, texts without a mistake", exact, len(tasks)),
        ]

    def _read(self, task: Task) -> list[Constraint]:
        return self.snapshot.understanding.read(task.text, task.language).constraints

    def _among(self, task: Task, wishes: list[Constraint]) -> bool:
        found = fitting(self.snapshot.items, wishes)
        ranked = self.ranking.ranked(found, self.snapshot, task.text, task.language)
        return task.wanted in [item for item, _ in ranked[:3]]

    def _asked(self, task: Task) -> bool:
        advice = self.adviser.advise(GuideRequest(text=task.text, language=task.language))
        while advice.ask is not None:
            said = self._answer(task, advice.ask.name, advice.ask.options)
            advice = self.adviser.advise(GuideRequest(text=said, language=task.language, state=advice.state))
        return _shows(advice, task)

    def _left(self, task: Task, choose: Callable[[Task, GuideState], Advice | None], questions: int) -> int:
        """Candidates left for a customer who says nothing but the category and answers some questions."""
        state = GuideState(constraints=read(f"category={task.wanted.category}"))
        for _ in range(questions):
            advice = choose(task, state)
            if advice is None:
                break
            state = advice.state
        found = fitting(self.snapshot.items, state.constraints)
        assert task.wanted in found, f"{task.wanted.id} was lost by its own answers"
        return len(found)

    def _best(self, task: Task, state: GuideState) -> Advice | None:
        advice = self.adviser.advise(GuideRequest(text=".", language=task.language, state=state))
        if advice.ask is None:
            return None
        said = self._answer(task, advice.ask.name, advice.ask.options)
        return self.adviser.advise(GuideRequest(text=said, language=task.language, state=_only(advice.state)))

    def _next(self, task: Task, state: GuideState) -> Advice | None:
        """The next question of guide.yaml that has two answers among the candidates."""
        found = fitting(self.snapshot.items, state.constraints)
        known = {each.name for each in state.constraints} | set(state.asked)
        currency = self.words.currency[task.language]
        for name in ("price", *self.words.attributes):
            if name in known or (len(found) <= 3) or (chosen := split(found, name, self.words, currency)) is None:
                continue
            options = [
                AnswerOption(label=self.adviser.label(chosen, each, task.language), items=each.items, value=each.value)
                for each in chosen.options
            ]
            said = self._answer(task, name, options)
            asked = GuideState(constraints=state.constraints, asked=[*state.asked, name])
            return self.adviser.advise(GuideRequest(text=said, language=task.language, state=asked))
        return None

    def _answer(self, task: Task, name: str, options: list[AnswerOption]) -> str:
        """The first option that the wanted item has; none: it does not matter."""
        for each in options:
            if each.value is not None:
                if each.value in values_of(task.wanted, name):
                    return each.label
                continue
            wishes = self.snapshot.understanding.read(each.label, task.language, name).constraints
            currency = self.words.currency[task.language] if name == "price" else ""
            if (
                number_of(task.wanted, name, currency) is not None
                and wishes
                and all(fits(task.wanted, w) for w in wishes)
            ):
                return each.label
        return OPEN[task.language]


def _only(state: GuideState) -> GuideState:
    return GuideState(constraints=state.constraints, asked=state.asked)


def _shows(advice: Advice, task: Task) -> bool:
    return task.wanted.id in [each.item for each in advice.results]


def _key(wish: Constraint) -> tuple[object, ...]:
    number = None if wish.number is None else round(wish.number, 4)
    return wish.name, wish.op, tuple(sorted(wish.values)), number, wish.unit


def _share(name: str, hits: list[bool]) -> Row:
    return _row(name, sum(hits), len(hits))


def _row(name: str, right: int, total: int) -> Row:
    share = 100 * right / total if total else 0.0
    low, high = (100 * end for end in wilson(right, total))
    return Row(name, "%", share, share, share, 1, {"n": float(total), "95 % from": low, "to": high})


def rows() -> list[Row]:
    """The rows of the product guide's results."""
    return Bench().rows()
