"""Messages of our own topics as they come back: whoever may write there may have written anything."""

from typing import Any, Generic, TypeVar

import msgspec

from triage.errors import NotUnderstood

T = TypeVar("T")


class MessageDecoder(Generic[T]):
    """JSON to one type of message, which may be a union: `decoder: MessageDecoder[A | B] = MessageDecoder(A | B)`."""

    def __init__(self, kind: Any) -> None:
        self._decoder = msgspec.json.Decoder(kind)

    def decode(self, value: bytes | None) -> T:
        """Raises NotUnderstood, and nothing else, for whatever is no such message; None is none either."""
        try:
            return self._decoder.decode(value or b"")  # type: ignore[no-any-return]
        # Bytes that are no UTF-8 are a ValueError, and only found inside of strings.
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise NotUnderstood(str(error)) from error
