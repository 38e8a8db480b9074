"""Finds entities by rules and replaces those that identify a person. Depends only on text and settings; thread-safe."""

import hmac
from collections.abc import Mapping, Sequence

import msgspec
import phonenumbers

from triage.config import RedactionSettings
from triage.config.worker import DEMO_AUTHOR_KEY
from triage.errors import ConfigError
from triage.redaction.authors import author_of, mask_author, writer_of
from triage.redaction.kinds import KINDS, chosen_kinds
from triage.redaction.normalization import normalize
from triage.redaction.payloads import FieldRedactor, Scalar
from triage.redaction.scanner import Scanner
from triage.types import Span

_MAX_PASSES = 8


class Redacted(msgspec.Struct, frozen=True):
    """A text without personal data, and the entities that were found in it.

    `spans` are sorted and do not overlap; `text[span.start:span.end]` is the entity or its placeholder.
    """

    text: str
    spans: list[Span]
    changed: bool


class Redactor:
    """Redacts texts, attributes and payloads according to the settings.

    Order of precedence: existing placeholders, url, email, iban, national_id, tracking numbers and orders by format,
    card, phone, ip, handle, then tracking numbers and orders by context, date, money.

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
            problems.append(
                f"redaction.region: {settings.region!r} has no phone numbers; use an ISO 3166 code, e.g. US or CN"
            )
        if settings.author_key_version in settings.old_author_keys:
            problems.append(f"redaction.old_author_keys has {settings.author_key_version!r}, the version of author_key")
        if problems:
            raise ConfigError(problems)
        self.kinds = kinds
        self.names = settings.names
        keys = {settings.author_key_version: settings.author_key, **settings.old_author_keys}
        self._author_key = f"v{settings.author_key_version}:", settings.author_key.get_secret_value().encode()
        self._author_keys = {f"v{version}:": key.get_secret_value().encode() for version, key in keys.items()}
        placeholders = {label: kind.placeholder if label in kinds else None for label, kind in KINDS.items()}
        self._scanner = Scanner(placeholders, settings.region)
        self._fields = FieldRedactor(self.redact_text, self.author_hash)

    def redact(self, text: str, author: str | None = None) -> Redacted:
        """Redact a text, including the id of its `author`. Idempotent; the result is at most four times as long.

        A replacement can expose another entity (digits on both sides of a card number), so passes repeat until nothing
        changes.
        """
        masked = mask_author(text, author) if "handle" in self.kinds else text
        result = self._pass(masked)
        changed = result.changed or masked != text
        for _ in range(_MAX_PASSES):
            if not result.changed:
                break
            result = self._pass(result.text)
        return Redacted(result.text, result.spans, changed)

    def redact_all(self, texts: Sequence[str], authors: Sequence[str | None]) -> list[Redacted]:
        """Redact several texts, each with the id of its author, faster than one at a time by `redact`."""
        plain = self._scanner.find_plain([normalize(text).text for text in texts])
        return [
            # A text that holds its author's id is not plain either.
            Redacted(text, [], changed=False)
            if is_plain and mask_author(text, author) is text
            else self.redact(text, author)
            for text, author, is_plain in zip(texts, authors, plain, strict=True)
        ]

    def redact_text(self, text: str, author: str | None = None) -> str:
        """Redact a text as `redact` does, but return only the text."""
        return self.redact(text, author).text

    def redact_attributes(self, attributes: Mapping[str, Scalar], author: str | None = None) -> dict[str, Scalar]:
        """Redact keys and values of flattened attributes, including the id of their `author`.

        Ids of persons become hashes; other values whose field name shows that they are personal become [REDACTED].
        """
        return self._of(author).attributes(attributes)

    def redact_json(self, payload: bytes | str, author: str | None = None) -> str:
        """Redact a raw payload, also the id of its `author`: JSON stays JSON, broken JSON becomes redacted text.

        The result is for the dead-letter topic. Bytes that are not UTF-8 are described, not copied.
        """
        return self._of(author).payload(payload)

    def author_of(self, payload: bytes | str) -> str | None:
        """The author's id in a raw payload, even in invalid JSON; None if the payload names no author."""
        return author_of(_text(payload))

    def writer_of(self, payload: bytes | str) -> tuple[str | None, str] | None:
        """Read the source and the author's id from a raw payload, the arguments of `author_hash`.

        None if it names no author; the source is None if the payload has none.
        """
        return writer_of(_text(payload))

    def author_hash(self, source: str | None, author_id: str) -> str:
        """The keyed hash that replaces an author's id in every output.

        It consists of the version of the key, such as `v1:`, and the first 32 hex digits of the HMAC-SHA256 (RFC 2104)
        of source, NUL, author id.
        """
        return _hash(*self._author_key, source, author_id)

    def author_hashes(self, source: str | None, author_id: str) -> list[str]:
        """Hashes of one author with every configured key, the current key first.

        The author's stored records may carry any of these hashes.
        """
        return [_hash(version, key, source, author_id) for version, key in self._author_keys.items()]

    @staticmethod
    def demo_hash(version: str, source: str | None, author_id: str) -> str:
        """Hash of an author with the public demo key, for records from before a secret key had this version."""
        return _hash(f"v{version}:", DEMO_AUTHOR_KEY.encode(), source, author_id)

    def _of(self, author: str | None) -> FieldRedactor:
        if author is None:
            return self._fields
        return FieldRedactor(lambda text: self.redact_text(text, author), self.author_hash)

    def _pass(self, text: str) -> Redacted:
        normalized = normalize(text)
        hits = self._scanner.scan(normalized.text)
        if not hits:
            return Redacted(text, [], changed=False)
        parts: list[str] = []
        spans: list[Span] = []
        position = length = 0
        changed = False
        for hit in hits:
            start, end = normalized.original(hit.start, hit.end)
            original = text[start:end]
            # A link from which nothing was cut keeps its original characters, not the normalized ones.
            uncut = hit.replacement == normalized.text[hit.start : hit.end]
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


def _hash(version: str, key: bytes, source: str | None, author_id: str) -> str:
    message = f"{source or ''}\0{author_id}".encode("utf-8", "surrogatepass")
    return version + hmac.digest(key, message, "sha256").hex()[:32]


def _text(payload: bytes | str) -> str:
    return payload.decode("utf-8", "replace") if isinstance(payload, bytes) else payload
