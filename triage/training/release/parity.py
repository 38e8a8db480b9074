"""Compares the predictions of an exported model with those of its checkpoint in torch (fp32)."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from triage.config import ModelSettings
from triage.inference.manifest import MODEL_FILE, TOKENIZER_FILE, read_manifest
from triage.inference.session import open_session
from triage.inference.tokenization import TextTokenizer
from triage.training.loop.checkpoint import Checkpoint

_ROWS = 16


@dataclass(frozen=True)
class Parity:
    """Agreement of an exported model and its checkpoint: the shares of equal labels, and differences of probabilities.

    Shares are of texts, for entities of tokens, for aspects of texts x aspects (None for a model without aspects).
    Differences are absolute, over the probabilities of all heads.
    """

    texts: int
    intent_agreement: float
    sentiment_agreement: float
    entity_tag_agreement: float
    aspect_agreement: float | None
    max_probability_difference: float
    mean_probability_difference: float

    def as_dict(self) -> dict[str, Any]:
        """The agreement as a dict, without fields that are None, rounded to six digits."""
        return {name: round(value, 6) for name, value in asdict(self).items() if value is not None}


def compare_with_export(checkpoint: Checkpoint, folder: Path, texts: Sequence[str]) -> Parity:
    """Compare checkpoint and model folder on the same padded batches of `texts`: labels and probabilities.

    Raises ModelError if the folder cannot be loaded.
    """
    import torch

    manifest = read_manifest(folder)
    tokenizer = TextTokenizer(folder / TOKENIZER_FILE, max_tokens=manifest.max_tokens, pad_id=manifest.pad_id)
    session = open_session(folder / MODEL_FILE, ModelSettings(path=folder, device="cpu"))
    model = checkpoint.model.eval()
    tokenized = tokenizer.encode(texts)
    order = np.argsort(tokenized.lengths, kind="stable")
    equal: dict[str, list[NDArray[np.bool_]]] = {}
    differences = []
    for first in range(0, len(order), _ROWS):
        ids, mask = tokenizer.pad(tokenized, order[first : first + _ROWS])
        with torch.inference_mode():
            reference = [output.numpy() for output in model(torch.from_numpy(ids), torch.from_numpy(mask))]
        exported = session.run(ids, mask)
        tokens = mask.astype(bool)
        heads = [
            ("intent", reference[0], exported.intent),
            ("sentiment", reference[1], exported.sentiment),
            ("entities", reference[2][tokens], exported.entity[tokens]),
        ]
        if exported.aspect is not None:
            heads.append(("aspects", reference[3], exported.aspect))
        for head, expected, found in heads:
            equal.setdefault(head, []).append((expected.argmax(axis=-1) == found.argmax(axis=-1)).ravel())
            differences.append(np.abs(_softmax(expected) - _softmax(found)).ravel())
    agreement = {head: float(np.concatenate(parts).mean()) for head, parts in equal.items()}
    difference = np.concatenate(differences)
    return Parity(
        len(texts),
        agreement["intent"],
        agreement["sentiment"],
        agreement["entities"],
        agreement.get("aspects"),
        float(difference.max()),
        float(difference.mean()),
    )


def _softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)  # type: ignore[no-any-return]
