#!/usr/bin/env bash
# `max_retries` of the bulk helpers does not retry rejected documents, and multiplies requests that were refused whole.
#
# Library:    elasticsearch 9.5.1 (Python client), helpers.bulk and streaming_bulk, elastic-transport 9.4.2
# Expected:   By the documentation `max_retries` is how often a document is retried after 429; 0, the default, means
#             no retries. So 0 sends a chunk once, and 2 at most three times, with the back-off given.
# Seen:       A document that is rejected with 429 inside an accepted request raises BulkIndexError at once, as
#             `raise_on_error` (the default) comes first. A request that is refused whole with 429 is first repeated
#             three times by the transport, within a fifth of a second, and the helper repeats that:
#                 one document rejected, max_retries=2: BulkIndexError after 1 request
#                 the same with raise_on_error=False: 3 requests
#                 whole request refused, max_retries=0: 4 requests in 0.2 s
#                 whole request refused, max_retries=2: 12 requests
# Why:        429 is how Elasticsearch asks for patience. The documents it could not take are given up, while a
#             cluster that is out of memory gets the chunk (up to 100 MiB) four times in a row from each worker.
# Workaround: `helpers.bulk(client.options(max_retries=0), ..., max_retries=5, raise_on_error=False)`, and look at
#             the errors that it returns.
# See also:   https://github.com/elastic/elasticsearch-py/issues/864 (the first half, open since 2018)
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet elasticsearch==9.5.1 elastic-transport==9.4.2
"$work/venv/bin/python" - <<'PYTHON'
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from elasticsearch import ApiError, Elasticsearch, helpers

requests = []


class Overloaded(BaseHTTPRequestHandler):
    """Elasticsearch's answers: the whole request refused, or its last document rejected."""

    protocol_version = "HTTP/1.1"
    whole = False

    def do_PUT(self):
        requests.append(time.monotonic())
        lines = self.rfile.read(int(self.headers["Content-Length"])).splitlines()
        status, answer = 429, {"error": {"type": "circuit_breaking_exception"}, "status": 429}
        if not self.whole:
            items = [{"index": {"_index": "feedback", "status": 201}} for _ in lines[::2]]
            items[-1]["index"] |= {"status": 429, "error": {"type": "es_rejected_execution_exception"}}
            status, answer = 200, {"took": 1, "errors": True, "items": items}
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("X-Elastic-Product", "Elasticsearch")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_PUT

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Overloaded)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = Elasticsearch(f"http://127.0.0.1:{server.server_port}")


def bulk(whole, **options):
    """How many requests three documents cost, what was raised, and how long it took."""
    Overloaded.whole = whole
    requests.clear()
    raised = ""
    try:
        helpers.bulk(client, [{"_index": "feedback", "_source": {}}] * 3, initial_backoff=0.1, **options)
    except (ApiError, helpers.BulkIndexError) as error:
        raised = type(error).__name__
    return len(requests), raised, requests[-1] - requests[0]


one, raised, _ = bulk(whole=False, max_retries=2)
print(f"one document rejected, max_retries=2: {raised} after {one} request")
patient, _, _ = bulk(whole=False, max_retries=2, raise_on_error=False)
print(f"the same with raise_on_error=False: {patient} requests")
none, _, seconds = bulk(whole=True, max_retries=0)
print(f"whole request refused, max_retries=0: {none} requests in {seconds:.1f} s")
many, _, _ = bulk(whole=True, max_retries=2)
print(f"whole request refused, max_retries=2: {many} requests")
if (one, raised, patient, none, many) != (1, "BulkIndexError", 3, 4, 12):
    raise SystemExit("the behaviour has changed")
PYTHON
