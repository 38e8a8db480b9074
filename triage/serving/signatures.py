"""Verifies the signatures of incoming webhooks."""

import base64
import binascii
import hmac
from collections.abc import Callable, Mapping
from datetime import datetime

from triage.config import WebhookSignature
from triage.web.problem import Problem

_MAX_AGE_S = 300
_ZENDESK, _ZENDESK_TIME = "x-zendesk-webhook-signature", "x-zendesk-webhook-signature-timestamp"
_GITHUB, _GITHUB_PREFIX = "x-hub-signature-256", "sha256="


def verify(signature: WebhookSignature, headers: Mapping[str, str], body: bytes, now_s: float) -> None:
    """Verify that the body was signed with the webhook's secret. Raises Problem 401 if not.

    If the scheme includes a timestamp, a signature older than 300 s is refused, too. `headers` are those of the
    request, by lower-case names; `now_s` is in seconds since the epoch.
    """
    given, signed = _SCHEMES[signature.scheme](headers, body, now_s)
    expected = hmac.digest(signature.secret.get_secret_value().encode(), signed, "sha256")
    if not hmac.compare_digest(given, expected):
        raise _refused("it was not made with api.webhook_signatures' secret for this body")


def _zendesk(headers: Mapping[str, str], body: bytes, now_s: float) -> tuple[bytes, bytes]:
    """Return the signature of Zendesk in the headers, and the bytes that it signs.

    The header has the Base64 of HMAC-SHA256 over timestamp and body.
    """
    timestamp = headers.get(_ZENDESK_TIME, "")
    try:
        age_s = now_s - datetime.fromisoformat(timestamp).timestamp()
        given = base64.b64decode(headers.get(_ZENDESK, ""), validate=True)
    except (ValueError, OverflowError):
        raise _refused(f"{_ZENDESK} or {_ZENDESK_TIME} is missing or broken") from None
    if abs(age_s) > _MAX_AGE_S:
        raise _refused(f"it is older than {_MAX_AGE_S} s, or a clock is wrong")
    return given, timestamp.encode() + body


def _github(headers: Mapping[str, str], body: bytes, now_s: float) -> tuple[bytes, bytes]:
    """Return the signature of GitHub in the headers, and the bytes that it signs.

    The header has `sha256=` and the hexadecimal HMAC-SHA256 over the body.
    """
    del now_s
    value = headers.get(_GITHUB, "")
    try:
        if not value.startswith(_GITHUB_PREFIX):
            raise ValueError
        return binascii.unhexlify(value.removeprefix(_GITHUB_PREFIX)), body
    except ValueError:
        raise _refused(f"{_GITHUB} is missing or broken") from None


_SCHEMES: dict[str, Callable[[Mapping[str, str], bytes, float], tuple[bytes, bytes]]] = {
    "zendesk": _zendesk,
    "github": _github,
}


def _refused(why: str) -> Problem:
    return Problem(401, "bad_signature", f"the webhook's signature is refused: {why}")
