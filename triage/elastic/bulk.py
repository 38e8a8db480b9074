"""Sends bulk requests with lines that are encoded already."""

from collections.abc import Sequence

from elasticsearch import Elasticsearch

from triage.elastic.mapping import JsonObject

_NDJSON = {"content-type": "application/x-ndjson", "accept": "application/json"}


def send_bulk(client: Elasticsearch, lines: Sequence[bytes]) -> JsonObject:
    """Send actions and documents, each a line of JSON, and return the response body.

    The client's own `bulk` would decode and encode every document again. Raises ApiError and TransportError of the
    client: call it within `translated`.
    """
    body = b"\n".join(lines) + b"\n"
    return dict(client.perform_request("POST", "/_bulk", headers=_NDJSON, body=body, endpoint_id="bulk").body)
