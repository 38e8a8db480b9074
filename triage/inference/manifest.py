"""Reads and checks the manifest of a model folder: labels, thresholds and limits of the graph, digests of the files."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from triage.decoding import DecodeError, decoded
from triage.errors import ModelError
from triage.inference.calibration import Scaling
from triage.types import RiskLabel, SentimentLabel

FORMAT = 1
MODEL_FILE = "model.onnx"
TOKENIZER_FILE = "tokenizer.json"
MANIFEST_FILE = "manifest.json"
CARD_FILE = "CARD.md"
PRECISIONS = ("int8", "fp16", "fp32")
_HEADS = ("intent", "sentiment", "entities")
_MOST_TOKENS = 100_000
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class FileDigest(msgspec.Struct, frozen=True):
    """SHA-256 (hexadecimal) and size in bytes of a file."""

    sha256: str
    bytes: int


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """The part of `manifest.json` that serving needs; unknown fields of later versions are ignored.

    `entity_tags` are BIO tags, `O` first. `temperature` divides the logits of a head (Guo et al. 2017, "On calibration
    of modern neural networks"), and `scaling` refines it (`triage.inference.calibration`). A prediction below the
    `low_confidence` probability of its head is flagged. `form` is the precision of the stored weights: int8 (one byte
    per parameter), fp16 or fp32. `aspects` are the labels of the output `aspect_logits`, each of them present from the
    probability `aspect_threshold`; without aspects the graph has no such output. `risks` are the labels of
    `risk_logits` likewise, independent of each other, each reported from its probability in `risk_thresholds` on;
    `temperature.risks` divides their logits. `prefix` is prepended to every text, `pad_id` is the token id of padding.
    """

    format: int
    name: str
    version: str
    taxonomy: str
    max_tokens: int
    pad_id: int
    intents: list[str]
    sentiments: list[str]
    entity_tags: list[str]
    temperature: dict[str, float]
    low_confidence: dict[str, float]
    files: dict[str, FileDigest]
    scaling: dict[str, Scaling] = {}
    aspects: list[str] = []
    aspect_threshold: float = 0.5
    risks: list[str] = []
    risk_thresholds: dict[str, float] = {}
    prefix: str = ""
    languages: list[str] = msgspec.field(default_factory=lambda: ["en", "zh"])
    form: str = "int8"
    opset: int | None = None
    encoder: dict[str, Any] = {}
    trained: dict[str, Any] = {}

    @property
    def label(self) -> str:
        """Full name of the model, `name@version`, which every record contains."""
        return f"{self.name}@{self.version}"


def read_manifest(folder: Path) -> Manifest:
    """Read and check `folder/manifest.json`; raises ModelError with every problem found."""
    path = folder / MANIFEST_FILE
    try:
        raw = decoded(msgspec.json.decode, path.read_bytes())
    except FileNotFoundError as error:
        raise ModelError(
            f"{path} is not there: {folder} is not a model folder; `triage model list` shows the models"
        ) from error
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}") from error
    except DecodeError as error:
        raise ModelError(f"{path} is damaged, not valid JSON ({error}); restore or export the model again") from error
    if not isinstance(raw, dict):
        raise ModelError(f"{path} must hold a JSON object, not {type(raw).__name__}; export the model again")
    if raw.get("format") != FORMAT:
        raise ModelError(
            f"{path}: format is {raw.get('format')!r}, this version of triage reads format {FORMAT}; "
            "export the model again with this version, or update triage"
        )
    missing = [field.encode_name for field in msgspec.structs.fields(Manifest) if field.required]
    missing = [name for name in missing if name not in raw]
    if missing:
        raise ModelError(f"{path} lacks {', '.join(missing)}; export the model again with `triage export`")
    try:
        manifest = msgspec.convert(raw, Manifest)
    except msgspec.ValidationError as error:
        raise ModelError(f"{path}: {error}; export the model again with `triage export`") from error
    if problems := list(_problems(manifest)):
        raise ModelError(f"{path}: " + "; ".join(problems))
    return manifest


def _problems(manifest: Manifest) -> Iterator[str]:
    yield from _size_problems(manifest)
    yield from _label_problems(manifest)
    yield from _threshold_problems(manifest)
    yield from _refinement_problems(manifest)
    yield from _file_problems(manifest)


def _size_problems(manifest: Manifest) -> Iterator[str]:
    if not _NAME.fullmatch(manifest.name):
        yield f"name {manifest.name!r} may hold letters, digits, '.', '_' and '-' only"
    if not 8 <= manifest.max_tokens <= _MOST_TOKENS:
        yield f"max_tokens is {manifest.max_tokens}, must be at least 8, and at most {_MOST_TOKENS}"
    if not 0 <= manifest.pad_id < 2**31:
        yield f"pad_id is {manifest.pad_id}, must not be negative, and below 2^31"
    if manifest.form not in PRECISIONS:
        yield f"form is {manifest.form!r}, must be one of {', '.join(PRECISIONS)}"


def _label_problems(manifest: Manifest) -> Iterator[str]:
    for field in ("intents", "entity_tags"):
        labels = getattr(manifest, field)
        if not labels or len(set(labels)) != len(labels) or not all(labels):
            yield f"{field} must be a list of distinct names, not {labels}"
    if sorted(manifest.sentiments) != sorted(SentimentLabel):
        yield f"sentiments must be {', '.join(SentimentLabel)} in the order of the outputs, not {manifest.sentiments}"
    if manifest.entity_tags[:1] != ["O"]:
        yield f"entity_tags must begin with O, begins with {manifest.entity_tags[:1]}"
    for tag in manifest.entity_tags[1:]:
        kind, _, label = tag.partition("-")
        if kind not in {"B", "I"} or not label:
            yield f"entity_tags has {tag!r}, which is not a B-label or I-label"
        elif kind == "I" and f"B-{label}" not in manifest.entity_tags:
            yield f"entity_tags has {tag!r} but no B-{label}"


def _threshold_problems(manifest: Manifest) -> Iterator[str]:
    for head in _HEADS:
        value = manifest.temperature.get(head)
        if value is None or not value > 0:
            yield f"temperature.{head} must be above 0, is {value}"
    for head in _HEADS[:2]:
        value = manifest.low_confidence.get(head)
        if value is None or not 0 <= value <= 1:
            yield f"low_confidence.{head} must be from 0 to 1, is {value}"


def _refinement_problems(manifest: Manifest) -> Iterator[str]:
    sizes = {"intent": len(manifest.intents), "sentiment": len(manifest.sentiments)}
    for head, scaling in manifest.scaling.items():
        if head not in sizes:
            yield f"scaling names {head!r}, it may have intent and sentiment"
        elif len(scaling.bias) not in {0, sizes[head]}:
            yield f"scaling.{head}.bias has {len(scaling.bias)} values for {sizes[head]} labels"
        elif len(scaling.by_intent) not in ({0} if head == "intent" else {0, sizes["intent"]}):
            yield f"scaling.{head}.by_intent has {len(scaling.by_intent)} values (intents: {sizes['intent']})"
    if len(set(manifest.aspects)) != len(manifest.aspects) or not all(manifest.aspects):
        yield f"aspects must be distinct names, not {manifest.aspects}"
    if not 0 < manifest.aspect_threshold <= 1:
        yield f"aspect_threshold must be above 0 and at most 1, is {manifest.aspect_threshold}"
    for head in ("aspects", "risks"):
        if not manifest.temperature.get(head, 1.0) > 0:
            yield f"temperature.{head} must be above 0, is {manifest.temperature[head]}"
    yield from _risk_problems(manifest)


def _risk_problems(manifest: Manifest) -> Iterator[str]:
    unknown = [label for label in manifest.risks if label not in set(RiskLabel)]
    if unknown or len(set(manifest.risks)) != len(manifest.risks):
        yield f"risks must be distinct names of {', '.join(RiskLabel)}, not {manifest.risks}"
    if set(manifest.risk_thresholds) != set(manifest.risks):
        named = ", ".join(manifest.risk_thresholds)
        yield f"risk_thresholds must name the risks ({', '.join(manifest.risks)}), not {named}"
    for label, value in manifest.risk_thresholds.items():
        if not 0 < value <= 1:
            yield f"risk_thresholds.{label} must be above 0 and at most 1, is {value}"


def _file_problems(manifest: Manifest) -> Iterator[str]:
    for name in (MODEL_FILE, TOKENIZER_FILE):
        if name not in manifest.files:
            yield f"files lacks {name}"
    for name in manifest.files:
        if not _NAME.fullmatch(name):
            yield f"files names {name!r}, which is not a plain file name"
