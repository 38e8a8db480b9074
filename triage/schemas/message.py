"""Decodes messages of triage's own topics defensively: any writer may have sent anything."""

from typing import Any, Generic, TypeVar

import msgspec

from triage.errors import NotUnderstood

T = TypeVar("T")


class MessageDecoder(Generic[T]):
    """Decodes JSON to one type or union: `decoder: MessageDecoder[A | B] = MessageDecoder(A | B)`."""

    def __init__(self, kind: Any) -> None:
        self._decoder = msgspec.json.Decoder(kind)

    def decode(self, value: bytes | None) -> T:
        """Decode a message. Raises only NotUnderstood, for any other content, and for None."""
        try:
            return self._decoder.decode(value or b"")  # type: ignore[no-any-return]
        # Invalid UTF-8 inside a string is a ValueError.
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise NotUnderstood(str(error)) from error
