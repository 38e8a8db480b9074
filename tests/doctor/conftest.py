"""A server that answers what the test says."""

from elastic_fixtures import serve

__all__ = ["serve"]
