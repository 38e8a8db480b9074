"""Signatures of webhooks: HMAC-SHA256 over the time and the body, by a key with a version."""

import hashlib
import hmac
from dataclasses import dataclass

TIMESTAMP = "x-triage-timestamp"
SIGNATURE = "x-triage-signature"
# What receivers are told to refuse (docs/alerts.md): a page is signed anew with each attempt.
REPLAY_WINDOW_S = 300


@dataclass(frozen=True, slots=True)
class SigningKey:
    """`version` stands in the signature, so that a receiver may know the old and the new key for a while."""

    version: str
    secret: str

    def __repr__(self) -> str:
        return f"SigningKey(version={self.version!r})"


def signed(key: SigningKey, body: bytes, timestamp_s: int) -> dict[str, str]:
    """The two headers; the signature is `VERSION=HEX` of HMAC-SHA256 over `TIMESTAMP.BODY`."""
    digest = hmac.new(key.secret.encode(), f"{timestamp_s}.".encode() + body, hashlib.sha256).hexdigest()
    return {TIMESTAMP: str(timestamp_s), SIGNATURE: f"{key.version}={digest}"}
