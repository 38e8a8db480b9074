"""Pairs of texts that are nearly the same, found among 100,000 x 40,000 in seconds: MinHash, banded, then verified.

Broder 1997, On the resemblance and containment of documents; the threshold as in Lee et al. 2022, Deduplicating
Training Data Makes Language Models Better.
"""

import re
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

THRESHOLD = 0.8
"""Jaccard similarity of two texts' shingles from which they count as one text."""
_BANDS, _ROWS = 16, 4
"""A pair of similarity s is looked at with probability 1 - (1 - s^4)^16: .9998 at .8."""
_SLACK = 0.25
"""How far below the threshold the estimate of a pair may be that is still verified: 4 standard errors."""
_CHUNK = 1_000
_PAIRS = 2_000_000
_HAN = re.compile("[\u3400-\u9fff\uf900-\ufaff]")
_SHINGLE = {"han": 2, "letters": 4}
"""Characters in a shingle: a Chinese one says about as much as two letters."""

Pair = tuple[int, int, float]


def near_duplicates(left: Sequence[str], right: Sequence[str], threshold: float = THRESHOLD) -> Iterator[Pair]:
    """(index in `left`, index in `right`, similarity) of every pair at or above `threshold`.

    Texts are compared as they are: fold case and punctuation first. Those shorter than a shingle have no pair.
    """
    for script, size in _SHINGLE.items():
        ours = [index for index, text in enumerate(left) if _script(text) == script and len(text) >= size]
        theirs = [index for index, text in enumerate(right) if _script(text) == script and len(text) >= size]
        if ours and theirs:
            for i, j, similarity in _pairs([left[i] for i in ours], [right[j] for j in theirs], size, threshold):
                yield ours[i], theirs[j], similarity


def similarity(one: str, other: str) -> float:
    """Jaccard similarity of the shingles of two texts, 0 if either is shorter than one."""
    size = _SHINGLE[_script(one)]
    first, second = _shingles(one, size), _shingles(other, size)
    return len(first & second) / len(first | second) if first and second else 0.0


def signatures(texts: Sequence[str], size: int) -> NDArray[np.uint32]:
    """[texts, 64] MinHash signatures of the texts' shingles of `size` characters; no text is shorter than that."""
    rng = np.random.default_rng(20)
    factors, offsets = rng.integers(0, 2**63, (2, _BANDS * _ROWS), np.uint64)
    factors |= np.uint64(1)
    result = np.empty((len(texts), _BANDS * _ROWS), np.uint32)
    for first in range(0, len(texts), _CHUNK):
        chunk = texts[first : first + _CHUNK]
        hashes, starts = _hashes(chunk, size)
        for column, (factor, offset) in enumerate(zip(factors, offsets, strict=True)):
            mixed = ((hashes * factor + offset) >> np.uint64(32)).astype(np.uint32)
            result[first : first + len(chunk), column] = np.minimum.reduceat(mixed, starts)
    return result


def _hashes(texts: Sequence[str], size: int) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """A hash of each shingle of the texts, one after another, and where each text's begin."""
    points = np.frombuffer("".join(texts).encode("utf-32-le"), np.uint32).astype(np.uint64)
    lengths = np.array([len(text) for text in texts])
    rolled = np.zeros(len(points) - size + 1, np.uint64)
    for place in range(size):
        rolled = rolled * np.uint64(0x1_0000_01B3) + points[place : place + len(rolled)]
    rolled ^= rolled >> np.uint64(31)
    rolled *= np.uint64(0x9E37_79B9_7F4A_7C15)
    rolled ^= rolled >> np.uint64(29)
    ends = np.cumsum(lengths)
    inside = np.ones(len(points), bool)
    for back in range(1, size):
        inside[ends - back] = False  # a shingle that would reach into the next text
    counts = lengths - size + 1
    return rolled[inside[: len(rolled)]], np.cumsum(counts) - counts


def _pairs(left: Sequence[str], right: Sequence[str], size: int, threshold: float) -> Iterator[Pair]:
    ours, theirs = signatures(left, size), signatures(right, size)
    candidates = np.unique(np.concatenate([_meeting(ours, theirs, band) for band in range(_BANDS)]))
    for first in range(0, len(candidates), _PAIRS):
        rows, columns = np.divmod(candidates[first : first + _PAIRS], len(right))
        likely = (ours[rows] == theirs[columns]).mean(axis=1) >= threshold - _SLACK
        for i, j in zip(rows[likely].tolist(), columns[likely].tolist(), strict=True):
            exact = similarity(left[i], right[j])
            if exact >= threshold:
                yield i, j, exact


def _meeting(ours: NDArray[np.uint32], theirs: NDArray[np.uint32], band: int) -> NDArray[np.int64]:
    """Pairs (i * len(theirs) + j) whose signatures are equal in one band."""
    columns = slice(band * _ROWS, (band + 1) * _ROWS)
    mine, yours = _key(ours[:, columns]), _key(theirs[:, columns])
    order = np.argsort(yours, kind="stable")
    ranked = yours[order]
    low, high = np.searchsorted(ranked, mine, "left"), np.searchsorted(ranked, mine, "right")
    counts = high - low
    rows = np.repeat(np.arange(len(mine)), counts)
    steps = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    met: NDArray[np.int64] = rows * len(theirs) + order[np.repeat(low, counts) + steps]
    return met


def _key(rows: NDArray[np.uint32]) -> NDArray[np.uint64]:
    """One number a row; equal rows have equal numbers, and others hardly ever."""
    key = np.zeros(len(rows), np.uint64)
    for column in rows.T:
        key = (key ^ column) * np.uint64(0x9E37_79B9_7F4A_7C15)
        key ^= key >> np.uint64(32)
    return key


def _shingles(text: str, size: int) -> set[str]:
    return {text[index : index + size] for index in range(len(text) - size + 1)}


def _script(text: str) -> str:
    return "han" if 2 * len(_HAN.findall(text)) > len(text) else "letters"
