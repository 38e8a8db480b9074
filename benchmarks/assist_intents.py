"""Measures own intents on BANKING77 with 8 examples an intent, next to TF-IDF and logistic regression.

Accuracy in % over 77 intents on 1,200 test texts, over three draws of the examples (of up to 24 an intent). `one at a
time`: each intent is added alone, with its limit, as `triage intents add` does; the other texts are 8 of each other
intent that are no examples. `recall` and `captured` are the shares of the test texts of the intent and of others that
are taken for it, over all intents; baseline: the same for the logistic regression that knows all 77. `encoded`: texts
per second that one thread encodes, what a worker pays with `intents.enrich`.
"""

import random
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.datasets import dataset
from benchmarks.report import Row
from triage.assist.encoder.onnx_encoder import open_encoder
from triage.assist.own_intents.fitting import fit_intent
from triage.assist.own_intents.head import centred, empty_head
from triage.config import load_settings

TEST, POOL, DRAWS, EXAMPLES = 1_200, 24, 3, 8
Encode = Callable[[Sequence[str]], NDArray[np.float32]]


def texts_of(train: list[dict[str, Any]], test: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], ...]:
    """The pool of examples, at most 24 of each intent, and the test texts, as rows; the same in every run.

    Training texts that are also in the test set are left out.
    """
    chance = random.Random(1)
    chance.shuffle(train)
    by_label: dict[str, list[dict[str, Any]]] = {}
    for row in train:
        by_label.setdefault(row["label"], []).append(row)
    pool = [row for rows in by_label.values() for row in rows[:POOL]]
    chance.shuffle(test)
    known = {" ".join(row["text"].casefold().split()) for row in test[:TEST]}
    return [row for row in pool if " ".join(row["text"].casefold().split()) not in known], test[:TEST]


def draw(labels: Sequence[str], number: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Indices of 8 examples of each intent, and of 8 other texts of each, in the draw with the number `number`."""
    chance = random.Random(number)
    examples, others = [], []
    for label in sorted(set(labels)):
        places = [place for place, other in enumerate(labels) if other == label]
        chance.shuffle(places)
        examples += places[:EXAMPLES]
        others += places[EXAMPLES : 2 * EXAMPLES]
    return np.array(examples), np.array(others)


def rows() -> list[Row]:
    """Rows of the results on own intents; none without the dataset or the encoder."""
    train, test = dataset("en/banking77/train.jsonl.gz"), dataset("en/banking77/test.jsonl.gz")
    encoder = open_encoder(load_settings(None))
    if encoder is None:
        print("the sentence encoder is not built: triage knowledge encoder build")
    if not train or not test or encoder is None:
        return []
    return rows_of(train, test, encoder.encode_questions)


def rows_of(train: list[dict[str, Any]], test: list[dict[str, Any]], encode: Encode) -> list[Row]:
    pool, asked = texts_of(train, test)
    start = time.process_time()
    vectors, wanted = encode([row["text"] for row in pool]), encode([row["text"] for row in asked])
    rate = (len(pool) + len(asked)) / max(1e-9, time.process_time() - start)
    labels, truth = [row["label"] for row in pool], np.array([row["label"] for row in asked])
    names = np.array(sorted(set(labels)))
    found: dict[str, list[float]] = {}

    def note(name: str, value: float) -> None:
        found.setdefault(name, []).append(100 * value)

    for number in range(DRAWS):
        examples, others = draw(labels, number)
        mine = np.array([labels[place] for place in examples])
        head = empty_head("", vectors[others])
        inside = centred(vectors[examples], head.centre)
        centroids = np.stack([inside[mine == name].mean(axis=0) for name in names])
        centroids /= np.linalg.norm(centroids, axis=1, keepdims=True)
        near = centred(wanted, head.centre) @ centroids.T
        note("own intents: accuracy of 77", float((names[near.argmax(axis=1)] == truth).mean()))
        base = _baseline([pool[place]["text"] for place in examples], mine, [row["text"] for row in asked], names)
        note("TF-IDF + LR: accuracy of 77", float((names[base.argmax(axis=1)] == truth).mean()))
        recall, captured = [], []
        for name in names:
            rest = vectors[[place for place in others if labels[place] != name]]
            alone = empty_head("", rest)
            fit = fit_intent(str(name), vectors[examples[mine == name]], rest, alone, "")
            taken = centred(wanted, alone.centre) @ fit.centroid >= fit.added.limit
            recall += list(taken[truth == name])
            captured += list(taken[truth != name])
        note("own intents, one at a time: recall", float(np.mean(recall)))
        note("own intents, one at a time: captured", float(np.mean(captured)))
        right = base.argmax(axis=1)
        hits = [right == place for place in range(len(names))]
        note(
            "TF-IDF + LR, all known: recall",
            float(np.mean([h for n, name in enumerate(names) for h in hits[n][truth == name]])),
        )
        note(
            "TF-IDF + LR, all known: captured",
            float(np.mean([h for n, name in enumerate(names) for h in hits[n][truth != name]])),
        )
    table = [Row.of(f"BANKING77, 8 examples: {name}", "%", values) for name, values in found.items()]
    return [*table, Row("BANKING77: encoded", "texts/s of a core", rate, rate, rate, 1)]


def _baseline(
    texts: Sequence[str], labels: NDArray[np.str_], asked: Sequence[str], names: NDArray[np.str_]
) -> NDArray[np.float64]:
    """Scores [texts, intents] of multinomial logistic regression over TF-IDF of words and pairs (C = 10)."""
    from scipy.optimize import minimize
    from scipy.sparse import csr_matrix
    from scipy.special import log_softmax, softmax

    from triage.risk.features import terms_of

    known = [dict.fromkeys(terms_of(text)) for text in texts]
    documents: dict[str, int] = {}
    for terms in known:
        for term in terms:
            documents[term] = documents.get(term, 0) + 1
    column = {term: place for place, term in enumerate(documents)}
    idf = np.array([np.log((1 + len(texts)) / (1 + n)) + 1 for n in documents.values()])

    def matrix(rows: Sequence[dict[str, None]]) -> csr_matrix:
        data = [[column[term] for term in row if term in column] for row in rows]
        pointers = np.cumsum([0, *map(len, data)])
        indices = np.array([place for row in data for place in row], np.int64)
        values = idf[indices]
        for first, end in pairwise(pointers):
            values[first:end] /= max(1e-9, float(np.linalg.norm(values[first:end])))
        return csr_matrix((values, indices, pointers), shape=(len(rows), len(column)))

    train = matrix(known)
    truth = (labels[:, np.newaxis] == names).astype(float)

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights = flat.reshape(train.shape[1], len(names))
        scores = train @ weights
        gradient = 10 * (train.T @ (softmax(scores, axis=1) - truth)) + weights
        value = -10 * float((log_softmax(scores, axis=1) * truth).sum()) + 0.5 * float((weights * weights).sum())
        return value, gradient.ravel()

    start = np.zeros(train.shape[1] * len(names))
    weights = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 100}).x
    return np.asarray(
        matrix([dict.fromkeys(terms_of(text)) for text in asked]) @ weights.reshape(train.shape[1], len(names))
    )
