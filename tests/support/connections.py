"""Connections that an event loop has not yet closed."""


def open_connections(loop):
    """How many there are; also from another thread."""
    transports = [reference() for reference in loop._transports.valuerefs()]
    return sum(getattr(each, "_sock", None) is not None for each in transports)
