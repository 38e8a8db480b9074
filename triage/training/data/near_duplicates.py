"""Finds near-duplicate texts by MinHash with banding, and verifies each pair; 100,000 x 40,000 texts take seconds.

MinHash: Broder 1997, On the resemblance and containment of documents. The threshold is that of Lee et al. 2022,
Deduplicating Training Data Makes Language Models Better.
"""

import re
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

THRESHOLD = 0.8
"""Jaccard similarity of the shingles from which two texts are near duplicates."""
_BANDS, _ROWS = 16, 4
"""A pair of similarity s becomes a candidate with probability 1 - (1 - s^4)^16: .9998 at .8."""
_SLACK = 0.25
"""Candidates are verified if their estimated similarity is at most this far below the threshold: 4 standard errors."""
_CHUNK = 1_000  # texts that are hashed together
_PAIRS = 2_000_000  # candidates that are estimated together
_HAN = re.compile("[\u3400-\u9fff\uf900-\ufaff]")
_SHINGLE = {"han": 2, "letters": 4}
"""Characters per shingle: a Chinese character carries about as much information as two letters."""

Pair = tuple[int, int, float]


def near_duplicates(left: Sequence[str], right: Sequence[str], threshold: float = THRESHOLD) -> Iterator[Pair]:
    """Find every pair of texts whose Jaccard similarity (0 to 1) is at or above `threshold`.

    It compares the sets of shingles: every 2 neighbouring characters of a Chinese text, every 4 of another.

    Yields (index in `left`, index in `right`, similarity). Texts are compared unchanged: normalize case and punctuation
    before. A text shorter than a shingle has no pair.
    """
    for script, size in _SHINGLE.items():
        rows = [index for index, text in enumerate(left) if _script(text) == script and len(text) >= size]
        columns = [index for index, text in enumerate(right) if _script(text) == script and len(text) >= size]
        if rows and columns:
            for i, j, similarity in _pairs([left[i] for i in rows], [right[j] for j in columns], size, threshold):
                yield rows[i], columns[j], similarity


def similarity(one: str, other: str) -> float:
    """Jaccard similarity (0 to 1) of the shingles of two texts; 0 if either text is shorter than a shingle."""
    size = _SHINGLE[_script(one)]
    first, second = _shingles(one, size), _shingles(other, size)
    return len(first & second) / len(first | second) if first and second else 0.0


def signatures(texts: Sequence[str], size: int) -> NDArray[np.uint32]:
    """MinHash signatures [texts, 64] of the shingles of `size` characters; no text may be shorter than `size`."""
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
    """Hashes [shingles] of the shingles of all texts in order, and the index [texts] of each text's first shingle."""
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
        inside[ends - back] = False  # a shingle that crosses into the next text
    counts = lengths - size + 1
    return rolled[inside[: len(rolled)]], np.cumsum(counts) - counts


def _pairs(left: Sequence[str], right: Sequence[str], size: int, threshold: float) -> Iterator[Pair]:
    left_hashes, right_hashes = signatures(left, size), signatures(right, size)
    candidates = np.unique(np.concatenate([_band_matches(left_hashes, right_hashes, band) for band in range(_BANDS)]))
    for first in range(0, len(candidates), _PAIRS):
        rows, columns = np.divmod(candidates[first : first + _PAIRS], len(right))
        likely = (left_hashes[rows] == right_hashes[columns]).mean(axis=1) >= threshold - _SLACK
        for i, j in zip(rows[likely].tolist(), columns[likely].tolist(), strict=True):
            exact = similarity(left[i], right[j])
            if exact >= threshold:
                yield i, j, exact


def _band_matches(left: NDArray[np.uint32], right: NDArray[np.uint32], band: int) -> NDArray[np.int64]:
    """Pairs, encoded as i * len(right) + j, whose signatures are equal in one band."""
    columns = slice(band * _ROWS, (band + 1) * _ROWS)
    left_keys, right_keys = _band_keys(left[:, columns]), _band_keys(right[:, columns])
    order = np.argsort(right_keys, kind="stable")
    ranked = right_keys[order]
    low, high = np.searchsorted(ranked, left_keys, "left"), np.searchsorted(ranked, left_keys, "right")
    counts = high - low
    rows = np.repeat(np.arange(len(left_keys)), counts)
    steps = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    matches: NDArray[np.int64] = rows * len(right) + order[np.repeat(low, counts) + steps]
    return matches


def _band_keys(rows: NDArray[np.uint32]) -> NDArray[np.uint64]:
    """A hash per row: equal rows have equal hashes, different rows almost never."""
    key = np.zeros(len(rows), np.uint64)
    for column in rows.T:
        key = (key ^ column) * np.uint64(0x9E37_79B9_7F4A_7C15)
        key ^= key >> np.uint64(32)
    return key


def _shingles(text: str, size: int) -> set[str]:
    return {text[index : index + size] for index in range(len(text) - size + 1)}


def _script(text: str) -> str:
    return "han" if 2 * len(_HAN.findall(text)) > len(text) else "letters"
