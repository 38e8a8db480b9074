"""Decodes messages of triage's own topics, and refuses others, which another program may have sent."""

from typing import Any, Generic, TypeVar

import msgspec

from triage.decoding import DecodeError, decoded
from triage.errors import NotUnderstood

T = TypeVar("T")


class MessageDecoder(Generic[T]):
    """A decoder of JSON messages to one type or union: `decoder: MessageDecoder[A | B] = MessageDecoder(A | B)`."""

    def __init__(self, kind: Any) -> None:
        self._decoder = msgspec.json.Decoder(kind)

    def decode(self, value: bytes | None) -> T:
        """Decode a message. Raises NotUnderstood, and no other error, for None and for content of another format."""
        try:
            return decoded(self._decoder.decode, value or b"")  # type: ignore[no-any-return]
        except DecodeError as error:
            raise NotUnderstood(str(error)) from error
