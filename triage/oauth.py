"""Requests access tokens for Kafka's OAUTHBEARER, by the client credentials grant of RFC 6749, section 4.4."""

import asyncio
import threading
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from triage.errors import AccessDenied, ConfigError, Unavailable
from triage.masking import without_credentials

_TIMEOUT_S = 10.0
_DEFAULT_LIFE_S = 300.0
# Renewed before it ends, so that no token expires in transit.
_USED_SHARE = 0.8


class TokenSource:
    """Access tokens for one client, each requested from `url` and reused for 80 % of its lifetime.

    Thread-safe. The client secret never appears in a log or error message.
    """

    def __init__(
        self,
        url: str,
        client_id: str,
        client_secret: str,
        scope: str | None = None,
        cafile: Path | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url
        self._shown = without_credentials(url)
        self._client_id = client_id
        self._client_secret = client_secret
        self._scope = scope
        self._cafile = cafile
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._token = ""
        self._until = 0.0

    def token(self) -> str:
        """Return a valid token, requesting a new one if necessary.

        Raises AccessDenied if the server refuses the client, Unavailable if it does not answer or sends no token,
        ConfigError if its URL is invalid.
        """
        with self._lock:
            if not self._token or self._monotonic() >= self._until:
                self._token, life_s = self._ask()
                self._until = self._monotonic() + life_s * _USED_SHARE
            return self._token

    def for_kafka_python(self) -> Any:
        """Create the token provider that kafka-python's clients take."""
        return _kafka_python_provider()(self)

    def for_aiokafka(self) -> Any:
        """Create the token provider that aiokafka takes, which Faust uses."""
        return _aiokafka_provider()(self)

    def _ask(self) -> tuple[str, float]:
        import ssl

        import httpx

        form = {"grant_type": "client_credentials"} | ({"scope": self._scope} if self._scope else {})
        try:
            verify = ssl.create_default_context(cafile=self._cafile)
            answer = httpx.post(
                self._url, data=form, auth=(self._client_id, self._client_secret), timeout=_TIMEOUT_S, verify=verify
            )
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise ConfigError(f"kafka.oauth_token_url: {error}") from error
        except (httpx.HTTPError, OSError) as error:
            raise Unavailable("kafka", f"no token from {self._shown}: {error}") from error
        if answer.status_code in {400, 401, 403}:
            raise AccessDenied(
                "kafka",
                f"{self._shown} refused client {self._client_id} ({answer.status_code} {_reason(answer)}); check "
                "kafka.oauth_client_id, oauth_client_secret and oauth_scope",
            )
        try:
            answer.raise_for_status()
            body = answer.json()
            return str(body["access_token"]), float(body.get("expires_in", _DEFAULT_LIFE_S))
        except (httpx.HTTPError, KeyError, TypeError, ValueError) as error:
            # Not quoted: the body may contain a token.
            problem = f"{answer.status_code}, {type(error).__name__}"
            raise Unavailable("kafka", f"the answer of {self._shown} has no token ({problem})") from None


@cache
def token_source(url: str, client_id: str, client_secret: str, scope: str | None, cafile: Path | None) -> TokenSource:
    """Return the token source for these arguments: the same one each time, so that all clients share its token."""
    return TokenSource(url, client_id, client_secret, scope, cafile)


def _reason(answer: Any) -> str:
    try:
        return str(answer.json().get("error", ""))[:100]
    except (ValueError, AttributeError):
        return ""


@cache
def _kafka_python_provider() -> Any:
    from kafka.net.sasl.oauth import AbstractTokenProvider

    class Provider(AbstractTokenProvider):
        def __init__(self, source: TokenSource) -> None:
            super().__init__()
            self._source = source

        def token(self) -> str:
            return self._source.token()

    return Provider


@cache
def _aiokafka_provider() -> Any:
    from aiokafka.abc import AbstractTokenProvider

    class Provider(AbstractTokenProvider):
        def __init__(self, source: TokenSource) -> None:
            self._source = source

        async def token(self) -> str:
            return await asyncio.to_thread(self._source.token)

        def extensions(self) -> dict[str, str]:
            return {}

    return Provider
