"""Plans and runs the import of Kibana's saved objects."""

import json
import re
import ssl
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import urlsplit

import httpx

from triage.clock import Clock
from triage.config import ElasticsearchSettings
from triage.config.exposure import leaves_in_clear
from triage.elastic.kibana_objects import ndjson
from triage.elastic.mapping import JsonObject
from triage.errors import AccessDenied, ConfigError, DependencyError, TriageError, Unavailable
from triage.logging import get_logger
from triage.masking import without_credentials

log = get_logger(__name__)

DEPENDENCY = "kibana"
_POLL_S = 2.0
_MAX_REASON_CHARS = 500
_KINDS = {"index-pattern": "data view", "lens": "chart", "search": "search", "dashboard": "dashboard"}


@dataclass(frozen=True)
class ObjectChange:
    """One saved object to create or update; `details` name the attributes that differ."""

    kind: Literal["create", "update"]
    target: str
    details: tuple[str, ...] = ()


class Kibana:
    """Client of one Kibana space, with the login of the `elasticsearch` settings; a context manager.

    `url` may have a base path and may end in `/s/SPACE`. Raises ConfigError for an invalid `url`, or if `ca_certs` is
    not a PEM file.
    """

    def __init__(self, url: str, settings: ElasticsearchSettings, clock: Clock) -> None:
        self._url = _checked(url)
        self._clock = clock
        self._start_timeout_s = settings.start_timeout_s
        if leaves_in_clear(self._url) and (settings.api_key or settings.password):
            log.warning(
                "credentials_in_clear_text", setting="--kibana", what="the login crosses the network", fix="use https"
            )
        headers = {"kbn-xsrf": "triage"}
        auth = None
        if settings.api_key is not None:
            headers["authorization"] = f"ApiKey {settings.api_key.get_secret_value()}"
        elif settings.username is not None and settings.password is not None:
            auth = httpx.BasicAuth(settings.username, settings.password.get_secret_value())
        self._client = httpx.Client(
            headers=headers, auth=auth, timeout=settings.request_timeout_s, verify=_tls(self._url, settings)
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._client.close()

    def plan(self, objects: Sequence[JsonObject]) -> tuple[ObjectChange, ...]:
        """List what importing `objects` would create and change, in their order.

        Additions made by a newer Kibana or by a user do not count as differences, but an import overwrites them. Waits
        up to `start_timeout_s` for Kibana. Raises Unavailable, AccessDenied, ConfigError, DependencyError.
        """
        existing = {(item["type"], item["id"]): item for item in self._export(objects)}
        changes = []
        for item in objects:
            found = existing.get((item["type"], item["id"]))
            target = f"Kibana {_KINDS[item['type']]} {_title(item)}"
            if found is None:
                changes.append(ObjectChange("create", target))
            elif different := tuple(dict.fromkeys(_differences(item, found))):
                changes.append(ObjectChange("update", target, different))
        return tuple(changes)

    def apply(self, objects: Sequence[JsonObject]) -> None:
        """Create the objects, or overwrite those with the same ids. Raises the same errors as `plan`."""
        file = {"file": ("triage.ndjson", ndjson(objects), "application/ndjson")}
        answer = self._json(self._send("/api/saved_objects/_import", params={"overwrite": "true"}, files=file))
        if answer.get("success") is not True:
            raise DependencyError(DEPENDENCY, _refused(answer))

    def _export(self, objects: Iterable[JsonObject]) -> list[JsonObject]:
        """Read those of the objects that Kibana has. It refuses an export with missing objects, and names these."""
        requested = [(item["type"], item["id"]) for item in objects]
        for _ in range(2):
            if not requested:
                return []
            body = {
                "objects": [{"type": kind, "id": name} for kind, name in requested],
                "includeReferencesDeep": False,
                "excludeExportDetails": True,
            }
            answer = self._send("/api/saved_objects/_export", json=body, allowed=(400,))
            if answer.status_code != 400:
                return [item for item in _lines(answer) if "type" in item and "attributes" in item]
            missing = _missing(self._json(answer))
            if not missing:
                break
            requested = [key for key in requested if key not in missing]
        raise DependencyError(DEPENDENCY, f"export refused: {_reason(answer)}")

    def _send(self, path: str, allowed: tuple[int, ...] = (), **request: Any) -> httpx.Response:
        deadline = self._clock.monotonic() + self._start_timeout_s
        while True:
            try:
                answer = self._client.post(f"{self._url}{path}", **request)
                error = _error(answer, self._url)
                if error is None or answer.status_code in allowed:
                    return answer
            except httpx.TransportError as failure:
                error = Unavailable(DEPENDENCY, f"{self._url} does not answer: {failure or type(failure).__name__}")
            if not error.retriable or self._clock.monotonic() >= deadline:
                raise error
            log.info("waiting_for_kibana", url=self._url, reason=str(error))
            self._clock.sleep(_POLL_S)

    def _json(self, answer: httpx.Response) -> JsonObject:
        try:
            found = answer.json()
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise ConfigError(f"--kibana {self._url} answers, but is not Kibana")
        return found


def _checked(url: str) -> str:
    try:
        parts = urlsplit(url.strip())
        valid = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        valid = False
    if not valid or parts.query or parts.fragment:
        raise ConfigError(
            f"--kibana takes http(s)://host:port, followed by /s/SPACE for a space, not {without_credentials(url)!r}"
        )
    if parts.username or parts.password:
        raise ConfigError("--kibana takes no user and password: set elasticsearch.username and password, or api_key")
    return url.strip().rstrip("/")


def _tls(url: str, settings: ElasticsearchSettings) -> ssl.SSLContext | bool:
    if settings.ca_certs is None or not url.startswith("https"):
        return True
    try:
        return ssl.create_default_context(cafile=str(settings.ca_certs))
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"elasticsearch.ca_certs: {settings.ca_certs}: {error}") from error


def _error(answer: httpx.Response, url: str) -> TriageError | None:
    status = answer.status_code
    if status < 300:
        return None
    reason = f"{status} {_reason(answer)}"
    if status in {401, 403}:
        return AccessDenied(
            DEPENDENCY,
            f"{reason}; check elasticsearch.username and password, or api_key: "
            "importing needs the Kibana privilege Saved Objects Management",
        )
    if status == 429 or status >= 500:
        return Unavailable(DEPENDENCY, reason)
    if status < 400 or status == 404:
        return ConfigError(f"--kibana {url} is not Kibana, or has no such space or base path: {reason}")
    return DependencyError(DEPENDENCY, reason)


def _reason(answer: httpx.Response) -> str:
    try:
        body = answer.json()
    except ValueError:
        body = None
    text = str(body.get("message") or body.get("error") or "") if isinstance(body, dict) else answer.text.strip()
    text = text or answer.headers.get("location", "") or answer.reason_phrase
    return text if len(text) <= _MAX_REASON_CHARS else text[: _MAX_REASON_CHARS - 3] + "..."


def _missing(answer: Mapping[str, Any]) -> set[tuple[str, str]]:
    listed = (answer.get("attributes") or {}).get("objects") or []
    return {
        (str(item.get("type")), str(item.get("id")))
        for item in listed
        if (item.get("error") or {}).get("statusCode") == 404
    }


def _refused(answer: Mapping[str, Any]) -> str:
    """The objects that were not imported, with Kibana's reasons."""
    problems = []
    for error in answer.get("errors") or []:
        why = error.get("error") or {}
        absent = [f"{item.get('type')} {item.get('id')}" for item in why.get("references") or []]
        more = str(why.get("message") or "") or ", ".join(absent)
        problems.append(f"{error.get('type')} {error.get('id')}: {why.get('type')}{f' ({more})' if more else ''}")
    return f"import refused: {'; '.join(problems) or 'no reason given'}"


def _lines(answer: httpx.Response) -> Iterator[JsonObject]:
    try:
        for line in answer.text.splitlines():
            if line.strip():
                yield json.loads(line)
    except ValueError:
        raise ConfigError(f"--kibana answers, but is not Kibana: {answer.text[:100]!r}") from None


def _title(item: JsonObject) -> str:
    attributes = item["attributes"]
    return repr(str(attributes.get("name") or attributes["title"]))


def _differences(desired: JsonObject, actual: JsonObject) -> Iterator[str]:
    """Yield the attributes that an import would change."""
    for name, value in desired["attributes"].items():
        if not _within(_parsed(value), _parsed(actual["attributes"].get(name))):
            yield name
    if not _within(_by_name(desired), _by_name(actual)):
        yield "references"


def _by_name(item: JsonObject) -> JsonObject:
    return {
        reference["name"]: {"type": reference["type"], "id": reference["id"]}
        for reference in item.get("references") or []
    }


def _within(desired: Any, actual: Any) -> bool:
    """True if `actual` contains `desired`: objects may have more keys, and a missing value equals an empty one."""
    if isinstance(desired, dict):
        held = {} if actual is None else actual
        return isinstance(held, dict) and all(
            _within(_parsed(value), _parsed(held.get(name))) for name, value in desired.items()
        )
    if isinstance(desired, list):
        held = [] if actual is None else actual
        return (
            isinstance(held, list)
            and len(desired) == len(held)
            and all(_within(_parsed(mine), _parsed(yours)) for mine, yours in zip(desired, held, strict=True))
        )
    return bool(desired == actual) or (not desired and actual is None)


def _parsed(value: Any) -> Any:
    """Parse JSON within JSON: Kibana stores parts of objects as text, and may change its white space."""
    if isinstance(value, str) and re.match(r"\s*[\[{]", value):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value
