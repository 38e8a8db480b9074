"""Articles for tests."""

from typing import Any, TypeVar

import msgspec

from triage.schemas.knowledge import Article

_Struct = TypeVar("_Struct", bound=msgspec.Struct)


def articles(**bodies: str) -> dict[str, Article]:
    """Articles by id, with the id as the title."""
    return {name: Article(id=name, title=name.title(), language="en", body=body) for name, body in bodies.items()}


def changed(struct: _Struct, **fields: Any) -> _Struct:
    """A copy with other values."""
    return msgspec.structs.replace(struct, **fields)
