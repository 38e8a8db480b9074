"""Translates exceptions of the Elasticsearch client to triage's errors."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from elastic_transport import ApiError, ConnectionTimeout, TlsError, TransportError
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
    """Return the triage error for an exception of the Elasticsearch client.

    Unavailable without an answer, in overload, or for an answer from a proxy; AccessDenied for status 401 and 403;
    ConfigError if the server is not Elasticsearch 9; otherwise DependencyError.
    """
    if isinstance(error, TransportError):
        late = "no answer in time: " if isinstance(error, ConnectionTimeout) else ""
        # urllib3's message begins with the connection object's memory address.
        unavailable = Unavailable(
            DEPENDENCY, _short(late + re.sub(r"^<[^>]*>:? *|^HTTPS?Connection\S+: *", "", str(error.message)))
        )
        unavailable.fix = _fix(error)
        return unavailable
    return _translate_answer(error)


def _fix(error: TransportError) -> str:
    """The nodes that were tried (`triage.elastic.client` notes their addresses) and the settings to check."""
    tried = [note for each in (*error.errors, error) for note in getattr(each, "__notes__", ())]
    where = f"tried {', '.join(dict.fromkeys(tried))}: " if tried else ""
    if isinstance(error, TlsError):
        return f"{where}check elasticsearch.url and elasticsearch.ca_certs"
    if isinstance(error, ConnectionTimeout):
        return f"{where}check elasticsearch.url, or raise elasticsearch.request_timeout_s"
    return f"{where}start Elasticsearch there, or check elasticsearch.url"


def _translate_answer(error: ApiError) -> TriageError:
    kind, reason = cause(error.body)
    message = f"{error.meta.status} {_short(f'{kind}: {reason}' if reason else kind or error.message)}"
    if isinstance(error, UnsupportedProductError):
        return ConfigError("elasticsearch.url answers, but is not Elasticsearch")
    if kind == "media_type_header_exception":
        return ConfigError(f"elasticsearch.url is not Elasticsearch 9: {reason}")
    if is_overload(error.meta.status, kind) or is_state(error.meta.status, kind, reason):
        return Unavailable(DEPENDENCY, message)
    if error.meta.status in {401, 403}:
        return AccessDenied(
            DEPENDENCY, f"{message}; check elasticsearch.username and password, or api_key, and their privileges"
        )
    if "x-elastic-product" not in error.meta.headers:
        return Unavailable(DEPENDENCY, f"the answer is not from Elasticsearch, but e.g. from a proxy: {message}")
    return DependencyError(DEPENDENCY, message)


def is_overload(status: int, kind: str) -> bool:
    """True if the same request may succeed later without a repair: status 429 or 5xx, except for a full disk.

    `kind` is the `type` of the error, the first result of `cause`.
    """
    return (status == 429 and kind != "cluster_block_exception") or status >= 500


def is_state(status: int, kind: str, reason: str) -> bool:
    """True if the cause is the state of the index or cluster, which an operator must repair, and not the request.

    `kind` and `reason` are the results of `cause`. These are blocks (403, or 429 for a full disk), a closed index
    (400), or one that cannot be created now (404, or 400 at the shard limit).
    """
    if kind in {"cluster_block_exception", "index_closed_exception", "index_not_found_exception"}:
        return True
    return status == 400 and "this action would add [" in reason and "maximum" in reason


def cause(body: Any) -> tuple[str, str]:
    """Type and reason of an error response, or of the `error` of an item in a bulk response.

    If the error is plain text, the text is the type and the reason is empty. If an error has no reason, such as that of
    a search with missing shards, the reason of its cause is returned.
    """
    error = body.get("error", body) if isinstance(body, dict) else body
    if not isinstance(error, dict):
        return (_short(str(error)) if error else ""), ""
    reason = next((each["reason"] for each in causes(error) if each.get("reason")), "")
    return str(error.get("type", "")), _short(str(reason))


def causes(error: Any) -> Iterator[dict[str, Any]]:
    """Yield an Elasticsearch error, then its `caused_by`, and so on to the root cause."""
    error = error.get("error", error) if isinstance(error, dict) else error
    while isinstance(error, dict):
        yield error
        error = error.get("caused_by")


def _short(text: str) -> str:
    return text if len(text) <= _MAX_REASON_CHARS else text[: _MAX_REASON_CHARS - 3] + "..."
