"""Connections that an event loop has not yet closed."""

from typing import Any


def open_connections(loop: Any) -> int:
    """The number of open connections; callable from another thread."""
    transports = [reference() for reference in loop._transports.valuerefs()]
    return sum(getattr(each, "_sock", None) is not None for each in transports)
