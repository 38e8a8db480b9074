"""Finds own intents in texts, by the sentence encoder."""

from collections.abc import Callable, Sequence

from triage.assist.encoder.base import SentenceEncoder
from triage.assist.encoder.manifest import FIX
from triage.assist.encoder.onnx_encoder import open_encoder
from triage.assist.own_intents.head import read_head
from triage.config import Settings
from triage.errors import ConfigError
from triage.schemas.enriched import OwnIntent

Matcher = Callable[[Sequence[str]], list[list[OwnIntent]]]
_CHARS = 2_000
"""Characters of a text that are encoded: the encoder reads no more tokens."""


def required_encoder(settings: Settings) -> SentenceEncoder:
    """The sentence encoder. Raises ConfigError if it is not built or switched off, ModelError if it is damaged."""
    encoder = open_encoder(settings)
    if encoder is None:
        raise ConfigError(f"own intents need the sentence encoder: {FIX}; assist.vectors must be true")
    return encoder


def build_matcher(settings: Settings) -> Matcher | None:
    """Function that finds own intents in redacted texts; None if none were added.

    The file is read once. Raises ConfigError, ModelError.
    """
    if not settings.intents.path.is_file():
        return None
    encoder = required_encoder(settings)
    head = read_head(settings.intents.path, encoder.version)
    if head is None or not head.intents:
        return None

    def match(texts: Sequence[str]) -> list[list[OwnIntent]]:
        return head.match(encoder.encode_questions([text[:_CHARS] for text in texts]))

    return match
