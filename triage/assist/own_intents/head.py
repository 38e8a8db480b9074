"""The head of the operator's own intents: a centroid and a limit for each, and its file. No example text is kept."""

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from triage.errors import ConfigError
from triage.paths import replace_file
from triage.schemas.enriched import OwnIntent

_FORMAT = 1
_DIGITS = 4
Vectors = NDArray[np.float32]


class Added(msgspec.Struct, kw_only=True):
    """One own intent: its name, number of examples, when it was added (RFC 3339), and how its limit was fitted.

    `limit` is the least similarity to the centroid; `resemblance` the share of examples that reach it when each is left
    out of the centroid in turn; `others` the number of other texts, of which a share `captured` reaches it.
    """

    name: str
    examples: int
    added_at: str
    limit: float
    resemblance: float
    others: int
    captured: float


class _Header(msgspec.Struct, kw_only=True):
    format: int
    encoder: str
    intents: list[Added]


@dataclass(frozen=True)
class OwnIntentsHead:
    """The operator's own intents. `centre` [d] is the mean vector of other texts.

    `centroids` [intents, d] are of length 1. Thread-safe.
    """

    encoder: str
    intents: tuple[Added, ...]
    centre: Vectors
    centroids: Vectors
    version: str = ""

    def match(self, vectors: Vectors) -> list[list[OwnIntent]]:
        """For each vector [n, d], the own intents whose limit its similarity reaches, those furthest above it first."""
        if not self.intents:
            return [[] for _ in vectors]
        margins = self.similarities(vectors) - np.array([each.limit for each in self.intents], np.float32)
        found = []
        for row in margins:
            places = [int(place) for place in np.argsort(-row) if row[place] >= 0]
            found.append([OwnIntent(self.intents[n].name, round(float(row[n]), _DIGITS), self.version) for n in places])
        return found

    def similarities(self, vectors: Vectors) -> Vectors:
        """Cosines [n, intents] of vectors [n, d] and the centroids, all relative to `centre`."""
        return centred(vectors, self.centre) @ self.centroids.T

    def with_intent(self, added: Added, centroid: Vectors) -> "OwnIntentsHead":
        """A copy with the intent `added`, in place of one with the same name; `centroid` is [d]."""
        rest = self.without(added.name)
        return replace(
            rest, intents=(*rest.intents, added), centroids=np.concatenate([rest.centroids, centroid[np.newaxis]])
        )

    def without(self, name: str) -> "OwnIntentsHead":
        """A copy without the intent `name`; equal if there is none."""
        kept = [place for place, each in enumerate(self.intents) if each.name != name]
        return replace(self, intents=tuple(self.intents[place] for place in kept), centroids=self.centroids[kept])


def centred(vectors: Vectors, centre: Vectors) -> Vectors:
    """Vectors [n, d] less the centre [d], scaled to length 1: cosines of the encoder's raw vectors are all near 0.9."""
    shifted = vectors - centre
    return np.asarray(shifted / np.maximum(np.linalg.norm(shifted, axis=1, keepdims=True), 1e-6), np.float32)


def write_head(head: OwnIntentsHead, path: Path) -> None:
    """Write the file of own intents; an interrupted write leaves the old file. Raises OSError."""
    header = msgspec.json.encode(_Header(format=_FORMAT, encoder=head.encoder, intents=list(head.intents)))
    content = io.BytesIO()
    np.savez(content, header=np.frombuffer(header, np.uint8), centre=head.centre, centroids=head.centroids)
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, content.getvalue())


def read_head(path: Path, encoder: str) -> OwnIntentsHead | None:
    """Read the file of own intents; None if it does not exist.

    Raises ConfigError if it is damaged, or was made with another encoder than `encoder` (a version).
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", where=str(path)) from error
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            header = msgspec.json.decode(stored["header"].tobytes(), type=_Header)
            centre, centroids = stored["centre"], stored["centroids"]
    # Damage shows as one of many errors of zip, numpy and JSON.
    except Exception as error:
        raise ConfigError(f"is not a file of own intents: {error}", where=str(path)) from error
    if header.format != _FORMAT or header.encoder != encoder:
        raise ConfigError(
            f"was made with encoder {header.encoder}, here is {encoder}: vectors of two encoders cannot be compared. "
            "Remove the file and add your intents again",
            where=str(path),
        )
    version = hashlib.sha256(content).hexdigest()[:12]
    return OwnIntentsHead(header.encoder, tuple(header.intents), centre, centroids, version)


def empty_head(encoder: str, others: Vectors) -> OwnIntentsHead:
    """A head without intents for the encoder version `encoder`, centred on the mean of other texts' vectors [n, d]."""
    centre = np.asarray(others.mean(axis=0), np.float32)
    return OwnIntentsHead(encoder, (), centre, np.zeros((0, others.shape[1]), np.float32))


def names_of(intents: Sequence[Added]) -> str:
    """Names of own intents, comma-separated, for a message; "none" without any."""
    return ", ".join(each.name for each in intents) or "none"
