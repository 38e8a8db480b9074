"""Find entities by rule and replace those that identify a person. Pure functions of text and settings; thread-safe."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass

import phonenumbers

from triage.config import RedactionSettings
from triage.errors import ConfigError
from triage.redaction.authors import author_of, mask_author, writer_of
from triage.redaction.kinds import KINDS, chosen_kinds
from triage.redaction.normalization import normalize
from triage.redaction.payloads import FieldRedactor, Scalar
from triage.redaction.scanner import Scanner
from triage.types import Span

_DEMO_KEY = RedactionSettings.model_fields["author_key"].default.get_secret_value()
_MAX_PASSES = 8


@dataclass(frozen=True, slots=True)
class Redacted:
    """`spans` are sorted and do not overlap; `text[span.start:span.end]` is the entity, be it kept or a placeholder."""

    text: str
    spans: list[Span]
    changed: bool


class Redactor:
    """Redaction of texts, attributes and payloads by the settings.

    Order of precedence: what is a placeholder already, url, email, iban, national_id, tracking numbers and orders by
    shape, card, phone, ip, handle, then tracking numbers and orders by context, date, money.

    Raises ConfigError for unknown kinds and an unknown phone region.
    """

    def __init__(self, settings: RedactionSettings) -> None:
        problems = []
        kinds: frozenset[str] = frozenset()
        try:
            kinds = chosen_kinds(settings.kinds, settings.also)
        except ConfigError as error:
            problems += error.problems
        if settings.region not in phonenumbers.SUPPORTED_REGIONS:
            problems.append(f"redaction.region: {settings.region!r} has no phone numbers; use ISO 3166 as US or CN")
        if settings.author_key_version in settings.old_author_keys:
            problems.append(f"redaction.old_author_keys has {settings.author_key_version!r}, the version of author_key")
        if problems:
            raise ConfigError(problems)
        self.kinds = kinds
        self.uses_demo_key = settings.author_key.get_secret_value() == _DEMO_KEY
        """True: author hashes are made with the key that everybody knows; say so at start."""
        keys = {settings.author_key_version: settings.author_key, **settings.old_author_keys}
        self._author_keys = {f"v{version}:": key.get_secret_value().encode() for version, key in keys.items()}
        placeholders = {label: kind.placeholder if label in kinds else None for label, kind in KINDS.items()}
        self._scanner = Scanner(placeholders, settings.region)
        self._fields = FieldRedactor(self.redact_text, self.author_hash)

    def redact(self, text: str, author: str | None = None) -> Redacted:
        """Redact one text, the id of its `author` included. Doing it again changes nothing; the result is at most four
        times as long.

        A replacement can lay bare what it hid (digits on both sides of a card), hence the passes until nothing changes.
        """
        masked = mask_author(text, author) if "handle" in self.kinds else text
        result = self._pass(masked)
        changed = result.changed or masked != text
        for _ in range(_MAX_PASSES):
            if not result.changed:
                break
            result = self._pass(result.text)
        return Redacted(result.text, result.spans, changed)

    def redact_text(self, text: str, author: str | None = None) -> str:
        """Only the text of `redact`."""
        return self.redact(text, author).text

    def redact_attributes(self, attributes: Mapping[str, Scalar], author: str | None = None) -> dict[str, Scalar]:
        """Flattened attributes with keys and values redacted.

        Ids of people become hashes, what else a field's name tells is personal becomes [REDACTED].
        """
        return self._of(author).attributes(attributes)

    def redact_json(self, payload: bytes | str, author: str | None = None) -> str:
        """A raw payload for the dead-letter topic: JSON stays JSON, broken JSON becomes redacted text.

        Bytes that are no UTF-8 are described, not copied.
        """
        return self._of(author).payload(payload)

    def author_of(self, payload: bytes | str) -> str | None:
        """The `author_id` of a raw payload, also of a broken one; None without."""
        return author_of(_text(payload))

    def writer_of(self, payload: bytes | str) -> tuple[str | None, str] | None:
        """`source` and `author_id` of the same, as `author_hash` takes them; None without an author."""
        return writer_of(_text(payload))

    def author_hash(self, source: str | None, author_id: str) -> str:
        """`v1:` and the first 32 hex digits of HMAC-SHA256 (RFC 2104) of source, NUL, author id."""
        return self.author_hashes(source, author_id)[0]

    def author_hashes(self, source: str | None, author_id: str) -> list[str]:
        """`author_hash` with every key there is, that of now first: an author's records may carry any of them."""
        message = f"{source or ''}\0{author_id}".encode("utf-8", "surrogatepass")
        return [
            version + hmac.new(key, message, hashlib.sha256).hexdigest()[:32]
            for version, key in self._author_keys.items()
        ]

    def _of(self, author: str | None) -> FieldRedactor:
        if author is None:
            return self._fields
        return FieldRedactor(lambda text: self.redact_text(text, author), self.author_hash)

    def _pass(self, text: str) -> Redacted:
        folded = normalize(text)
        hits = self._scanner.scan(folded.text)
        parts: list[str] = []
        spans: list[Span] = []
        position = length = 0
        changed = False
        for hit in hits:
            start, end = folded.original(hit.start, hit.end)
            original = text[start:end]
            # A link of which nothing was cut keeps its own characters, not their folded forms.
            uncut = hit.replacement == folded.text[hit.start : hit.end]
            shown = original if hit.replacement is None or uncut else hit.replacement
            changed = changed or shown != original
            parts += text[position:start], shown
            length += start - position
            if hit.label is not None:
                spans.append(Span(length, length + len(shown), hit.label, 1.0, "rule"))
            length += len(shown)
            position = end
        parts.append(text[position:])
        return Redacted("".join(parts) if changed else text, spans, changed)


def _text(payload: bytes | str) -> str:
    return payload.decode("utf-8", "replace") if isinstance(payload, bytes) else payload
