"""Tokens by client credentials: kept, renewed in time, and failures that say what to check without the secret."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from triage.errors import AccessDenied, ConfigError, Unavailable
from triage.oauth import TokenSource


class Endpoint:
    """A token endpoint on a free port; `answers` are (status, body) of the next requests, the last one for good."""

    def __init__(self, *answers):
        self.requests = []
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                form = self.rfile.read(int(self.headers["Content-Length"])).decode()
                status, body = answers[min(len(endpoint.requests), len(answers) - 1)]
                endpoint.requests.append((self.headers["Authorization"], form))
                payload = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

            def log_message(self, *args):
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/token"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def test_a_token_is_kept_for_most_of_its_life_and_then_renewed(clock):
    with Endpoint((200, {"access_token": "a", "expires_in": 100}), (200, {"access_token": "b"})) as endpoint:
        source = TokenSource(endpoint.url, "id", "s3cret", "kafka", monotonic=clock.monotonic)
        assert source.token() == source.token() == "a"
        clock.advance(79)
        assert source.token() == "a"
        clock.advance(2)
        assert source.token() == "b"
        assert endpoint.requests == [("Basic aWQ6czNjcmV0", "grant_type=client_credentials&scope=kafka")] * 2


@pytest.mark.parametrize(
    ("answer", "error", "says"),
    [
        ((401, {"error": "invalid_client"}), AccessDenied, "401 invalid_client.*oauth_client_id"),
        ((400, b"?"), AccessDenied, "refused client id"),
        ((500, b"leaky s3cret body"), Unavailable, "has no token"),
        ((200, {"token": "x"}), Unavailable, "KeyError"),
        ((200, b"no json"), Unavailable, "JSONDecodeError"),
        ((200, [1]), Unavailable, "TypeError"),
    ],
)
def test_answers_without_a_token_are_reported_without_secrets(answer, error, says):
    with Endpoint(answer) as endpoint, pytest.raises(error, match=says) as caught:
        TokenSource(endpoint.url, "id", "s3cret").token()
    assert "s3cret" not in str(caught.value)


def test_an_unreachable_endpoint_and_an_invalid_one():
    with pytest.raises(Unavailable, match="no token from"):
        TokenSource("http://127.0.0.1:9/token", "id", "s").token()
    with pytest.raises(ConfigError, match="oauth_token_url"):
        TokenSource("token", "id", "s").token()
