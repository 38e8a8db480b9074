"""The manifest of a built encoder: its version, its form, and the hashes of its files."""

import hashlib
from pathlib import Path

import msgspec

from triage.decoding import DecodeError, decoded
from triage.errors import ModelError

MANIFEST = "manifest.json"
TOKENIZER = "tokenizer.json"
QUESTIONS = "questions.onnx"
PASSAGES = "passages.onnx"
FIX = "build it with `triage knowledge encoder build`"


class EncoderManifest(msgspec.Struct, frozen=True):
    """The manifest of a built sentence encoder. Encoders with an equal `version` make equal vectors.

    `files` has the SHA-256 of each file by its name.
    """

    version: str
    dimensions: int
    max_tokens: int
    question_prefix: str
    passage_prefix: str
    origin: str
    files: dict[str, str]
    question_means: dict[str, str] = {}
    passage_mean: str | None = None


def read_encoder_manifest(folder: Path) -> EncoderManifest | None:
    """The manifest of the encoder in `folder`; None if there is none. Raises ModelError if it is damaged."""
    try:
        found: EncoderManifest = decoded(msgspec.json.decode, (folder / MANIFEST).read_bytes(), type=EncoderManifest)
    except FileNotFoundError:
        return None
    except (OSError, DecodeError) as error:
        raise ModelError(f"{folder / MANIFEST} cannot be read: {error}; {FIX}") from error
    return found


def verify_encoder(folder: Path, manifest: EncoderManifest) -> None:
    """Raise ModelError if a file of the encoder is missing or differs from its hash."""
    for name, expected in manifest.files.items():
        try:
            found = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        except OSError as error:
            raise ModelError(f"{folder / name} cannot be read: {error.strerror}; {FIX}") from error
        if found != expected:
            raise ModelError(f"{folder / name} is damaged: its SHA-256 is not that of the manifest; {FIX}")
