"""`make bench NAME=answers`: time of an answer with many passages, answers a second, and memory.

The index is filled with synthetic passages: words drawn as often as those of the demo's articles, and random vectors;
encoding as many passages would take hours. Questions are those of `benchmarks/data/knowledge`, encoded by the built
encoder. An answer is everything but HTTP: encoding, both searches, fusion, confidence, texts. An index that exists is
kept, and measured without filling it again.
"""

import argparse
import json
import os
import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from elasticsearch import Elasticsearch

from benchmarks.broker import add_stack_options, open_stack
from benchmarks.report import ROOT, Row, publish
from triage.assist.answers.answerer import Answerer
from triage.assist.answers.assemble import build_answerer
from triage.assist.answers.model import Question
from triage.assist.encoder.onnx_encoder import open_encoder
from triage.assist.retrieval.late_interaction import pack_tokens
from triage.clock import SystemClock
from triage.config import load_settings
from triage.elastic import knowledge as store
from triage.elastic.client import connect
from triage.elastic.knowledge_mapping import DIMENSIONS
from triage.packed import read_unpacked
from triage.schemas.knowledge import ArticleState, PassageDocument, pack_vector

_BATCH = 250
_WORDS_PER_PASSAGE = 60
_TOKENS_PER_PASSAGE = 74  # the mean of the demo's
_VERSION = "v"
_MIB = 1024 * 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_stack_options(parser)
    parser.add_argument("--passages", type=int, default=100_000)
    parser.add_argument("--questions", type=int, default=300, help="questions of a round, English and Chinese by turns")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2, help="questions at a time, for the answers a second")
    parser.add_argument("--index", default="bench-answers", help="name of the index")
    parser.add_argument("--cache", default=".triage/models", help="model.cache_dir, with a built encoder")
    arguments = parser.parse_args()
    with open_stack(arguments) as flags:
        settings = load_settings(
            None, flags | {"model.cache_dir": arguments.cache, "elasticsearch.request_timeout_s": 120}
        )
        encoder = open_encoder(settings)
        if encoder is None:
            parser.exit(1, f"no encoder in {arguments.cache}: triage knowledge encoder build\n")
        with connect(settings.elasticsearch) as client:
            fill(client, arguments.index, arguments.passages, encoder.version)
            before = _memory()
            answerer = build_answerer(settings, client, SystemClock(), encoder, index=arguments.index)
            rows = measure(answerer, questions(arguments.questions), arguments.rounds, arguments.threads)
            rows.append(Row.of("memory of the process", "MiB", [_memory() / _MIB]))
            rows.append(Row.of("of it, since it holds the encoder", "MiB", [(_memory() - before) / _MIB]))
            publish("answers", rows, f"answers, {arguments.passages:,} passages")


def fill(client: Elasticsearch, index: str, passages: int, encoder: str) -> None:
    """Write synthetic passages, one article each, unless the index has as many."""
    store.ensure_index(client, index)
    there = int(client.count(index=index, query={"term": {"doc": "passage"}})["count"])
    generator = np.random.default_rng(20)
    words = _words()
    for start in range(there, passages, _BATCH):
        documents = [
            _passage(number, words, generator, encoder) for number in range(start, min(start + _BATCH, passages))
        ]
        store.write_passages(client, index, documents)
        store.switch_articles(client, index, [(_state(each), None) for each in documents])
    store.make_visible(client, index)


def measure(answerer: Answerer, asked: list[Question], rounds: int, threads: int) -> list[Row]:
    """Rows of milliseconds per answer, one after the other, and of answers per second with `threads` at a time."""

    def answer(question: Question) -> float:
        began = time.perf_counter()
        answerer.answer(question, question.question or "")
        return 1000 * (time.perf_counter() - began)

    answer(asked[0])
    medians, slow, rates = [], [], []
    for _ in range(rounds):
        taken = sorted(map(answer, asked))
        medians.append(statistics.median(taken))
        slow.append(taken[int(0.95 * len(taken))])
        began = time.perf_counter()
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(answer, asked))
        rates.append(len(asked) / (time.perf_counter() - began))
    return [
        Row.of("p50, one at a time", "ms", medians),
        Row.of("p95, one at a time", "ms", slow),
        Row.of(f"{threads} at a time", "answers/s", rates),
    ]


def questions(count: int) -> list[Question]:
    """`count` questions, English and Chinese by turns; they repeat if there are fewer."""
    both = [
        list(_read(ROOT / "benchmarks" / "data" / "knowledge" / f"questions-{language}.jsonl.bz2"))
        for language in ("en", "zh")
    ]
    return [
        Question(question=texts[number // 2 % len(texts)]) for number in range(count) for texts in (both[number % 2],)
    ]


def _read(path: Path) -> Iterator[str]:
    for line in read_unpacked(path).splitlines():
        yield json.loads(line)["question"]


def _words() -> list[str]:
    """All words of the demo's articles, as often as they have them."""
    lines = read_unpacked(ROOT / "topics" / "knowledge" / "articles.jsonl.bz2").splitlines()
    return [word for line in lines for word in json.loads(line)["body"].split()]


def _passage(number: int, words: list[str], generator: np.random.Generator, encoder: str) -> PassageDocument:
    vector = generator.standard_normal(DIMENSIONS).astype(np.float32)
    vector /= np.linalg.norm(vector)
    text = " ".join(words[at] for at in generator.integers(0, len(words), _WORDS_PER_PASSAGE))
    title = " ".join(words[at] for at in generator.integers(0, len(words), 5))
    return PassageDocument(
        doc="passage", passage=f"a{number}#1", article=f"a{number}", version=_VERSION, number=1, title=title,
        heading="", text=text, start=0, end=len(text), language="en", audience="public", kind="faq", encoder=encoder,
        vector=vector.tolist(), exact=pack_vector(vector),
        tokens=pack_tokens(generator.standard_normal((_TOKENS_PER_PASSAGE, DIMENSIONS), np.float32)),
    )  # fmt: skip


def _state(passage: PassageDocument) -> ArticleState:
    return ArticleState(
        article=passage.article, version=_VERSION, passages=1, title=passage.title, language="en", audience="public",
        kind="faq", encoder=passage.encoder,
    )  # fmt: skip


def _memory() -> float:
    """Resident bytes of this process; 0 where the system does not say."""
    path = Path("/proc/self/statm")
    return float(path.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") if path.exists() else 0.0


if __name__ == "__main__":
    main()
