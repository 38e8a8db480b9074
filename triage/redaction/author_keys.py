"""Computes and compares check values of author keys, which show whether two keys are equal.

`triage index apply` stores them in Elasticsearch, next to the author hashes.
"""

import hashlib
import hmac
from collections.abc import Mapping

from triage.config import RedactionSettings
from triage.config.worker import DEMO_AUTHOR_KEY
from triage.errors import ConfigError

# Without a NUL, it is the message of no author's hash.
_MESSAGE = b"check value of an author key"
_CHECK_CHARS = 16


def check_value(key: str) -> str:
    """Check value of an author key: the first 16 hex digits of the HMAC-SHA256 of a fixed message."""
    return hmac.new(key.encode(), _MESSAGE, hashlib.sha256).hexdigest()[:_CHECK_CHARS]


DEMO_CHECK = check_value(DEMO_AUTHOR_KEY)


def key_checks(settings: RedactionSettings) -> dict[str, str]:
    """Check values of the current author key and the former ones, by key version."""
    keys = {settings.author_key_version: settings.author_key, **settings.old_author_keys}
    return {version: check_value(key.get_secret_value()) for version, key in keys.items()}


def require_recorded_keys(settings: RedactionSettings, recorded: Mapping[str, str]) -> None:
    """Raise ConfigError if a configured author key differs from the one that the index recorded for its version.

    `recorded` has check values by key version. A version that is not recorded passes, and so does one recorded with the
    check value of the demo key, because `triage index apply` may have run before a key was set.
    """
    wrong = {
        version: check
        for version, check in key_checks(settings).items()
        if recorded.get(version, check) not in {check, DEMO_CHECK}
    }
    if wrong:
        raise ConfigError([_problem(settings, version, check, recorded[version]) for version, check in wrong.items()])


def _problem(settings: RedactionSettings, version: str, check: str, expected: str) -> str:
    current = version == settings.author_key_version
    name = "redaction.author_key" if current else f"redaction.old_author_keys.{version}"
    which = "the demo key, and " if check == DEMO_CHECK else ""
    fix = (
        "; if the key was changed on purpose, give it a new redaction.author_key_version and put the former one into "
        "redaction.old_author_keys"
    )
    return (
        f"{name} is {which}not the key that made the author hashes of version {version} (check value {check}, the "
        f"index has {expected}): set that key{fix if current else ''}"
    )
