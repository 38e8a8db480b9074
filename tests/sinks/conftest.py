"""An index of the test's own on the stack; a server that answers what the test says."""

from elastic_fixtures import client, serve, settings

__all__ = ["client", "serve", "settings"]
