"""Translates exceptions of the Elasticsearch client to triage's errors."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from elastic_transport import ApiError, ConnectionTimeout, TransportError
from elasticsearch import UnsupportedProductError

from triage.errors import AccessDenied, ConfigError, DependencyError, TriageError, Unavailable

DEPENDENCY = "elasticsearch"
_MAX_REASON_CHARS = 500


@contextmanager
def translated() -> Iterator[None]:
    """Context manager that raises exceptions of the Elasticsearch client as triage's errors (see `translate`)."""
    try:
        yield
    except (ApiError, TransportError) as error:
        raise translate(error) from error


def translate(error: ApiError | TransportError) -> TriageError:
    """The triage error for an exception of the Elasticsearch client.

    Unavailable without an answer, in overload, or for a proxy's answer; AccessDenied for status 401 and 403;
    ConfigError if the server is not Elasticsearch 9; otherwise DependencyError.
    """
    if isinstance(error, TransportError):
        late = "no answer in time: " if isinstance(error, ConnectionTimeout) else ""
        # urllib3's message begins with the connection object's memory address.
        return Unavailable(
            DEPENDENCY, _short(late + re.sub(r"^<[^>]*>:? *|^HTTPS?Connection\S+: *", "", str(error.message)))
        )
    return _translate_answer(error)


def _translate_answer(error: ApiError) -> TriageError:
    kind, reason = cause(error.body)
    message = f"{error.meta.status} {_short(f'{kind}: {reason}' if reason else kind or error.message)}"
    if isinstance(error, UnsupportedProductError):
        return ConfigError("elasticsearch.url answers, but is not Elasticsearch")
    if kind == "media_type_header_exception":
        return ConfigError(f"elasticsearch.url is not Elasticsearch 9: {reason}")
    if is_overload(error.meta.status, kind, reason):
        return Unavailable(DEPENDENCY, message)
    if error.meta.status in {401, 403}:
        return AccessDenied(
            DEPENDENCY, f"{message}; check elasticsearch.username and password, or api_key, and their privileges"
        )
    if "x-elastic-product" not in error.meta.headers:
        return Unavailable(DEPENDENCY, f"the answer is not from Elasticsearch, but e.g. from a proxy: {message}")
    return DependencyError(DEPENDENCY, message)


def is_overload(status: int, kind: str, reason: str) -> bool:
    """True if the same request may succeed later, because the cluster's state is at fault and not the request.

    Besides 429 and 5xx: blocks that an operator sets and removes (403), an index that is closed (400), or one that
    cannot be created now (404, or 400 at the shard limit).
    """
    if status == 429 or status >= 500:
        return True
    if kind in {"cluster_block_exception", "index_closed_exception", "index_not_found_exception"}:
        return True
    return status == 400 and "this action would add [" in reason and "maximum" in reason


def cause(body: Any) -> tuple[str, str]:
    """Type and reason of an error response, or of the `error` of an item in a bulk response.

    If the error is plain text, the text is the type and the reason is empty.
    """
    error = body.get("error", body) if isinstance(body, dict) else body
    if isinstance(error, dict):
        return str(error.get("type", "")), _short(str(error.get("reason", "")))
    return (_short(str(error)) if error else ""), ""


def count_deleted(body: Any) -> int:
    """Number of documents that a bulk request deleted; missing and newer documents do not count.

    Raises Unavailable or DependencyError if a deletion was refused.
    """
    deleted = 0
    for outcome in (item["delete"] for item in body["items"]):
        status = outcome["status"]
        if status == 200:
            deleted += 1
        elif status not in {404, 409}:
            kind, reason = cause(outcome.get("error"))
            problem = f"{status} {kind}: {reason} while deleting {outcome['_id']}"
            raise (Unavailable if is_overload(status, kind, reason) else DependencyError)(DEPENDENCY, problem)
    return deleted


def _short(text: str) -> str:
    return text if len(text) <= _MAX_REASON_CHARS else text[: _MAX_REASON_CHARS - 3] + "..."
