"""Connects to Elasticsearch."""

from typing import Any
from urllib.parse import urlsplit

from elastic_transport import ApiError, TlsError, TransportError, Urllib3HttpNode
from elasticsearch import Elasticsearch, OrjsonSerializer

from triage.clock import Clock
from triage.config import ElasticsearchSettings
from triage.elastic.errors import DEPENDENCY, translate
from triage.errors import ConfigError, Unavailable
from triage.logging import get_logger
from triage.masking import without_credentials

_log = get_logger(__name__)
_POLL_S = 0.5


class _Node(Urllib3HttpNode):
    """A node that notes its address, which has no credentials, on its errors: theirs name it sometimes or never."""

    def perform_request(self, *args: Any, **options: Any) -> Any:
        try:
            return super().perform_request(*args, **options)
        except TransportError as error:
            error.add_note(self.base_url)
            raise


def connect(settings: ElasticsearchSettings) -> Elasticsearch:
    """Create a thread-safe client; nothing is sent yet.

    If a node does not answer, the next node gets the request. Error statuses are not retried here but by the caller.
    Raises ConfigError if a certificate is missing or not a PEM file.
    """
    options: dict[str, Any] = {}
    if settings.api_key is not None:
        options["api_key"] = settings.api_key.get_secret_value()
    elif settings.username is not None and settings.password is not None:
        options["basic_auth"] = (settings.username, settings.password.get_secret_value())
    for name in ("ca_certs", "client_cert", "client_key"):
        path = getattr(settings, name)
        if path is None:
            continue
        if not path.is_file():
            raise ConfigError(f"elasticsearch.{name}: no such file: {path}")
        options[name] = str(path)
    hosts = [_with_port(url) for url in settings.urls()]
    try:
        return Elasticsearch(
            hosts,
            node_class=_Node,
            request_timeout=settings.request_timeout_s,
            max_retries=len(hosts) - 1,
            retry_on_status=(),
            retry_on_timeout=False,
            serializer=OrjsonSerializer(),
            **options,
        )
    except (OSError, ValueError) as error:
        raise ConfigError(f"elasticsearch: {without_credentials(str(error))}") from error


def wait_until_ready(client: Elasticsearch, settings: ElasticsearchSettings, clock: Clock) -> None:
    """Wait until the cluster answers and has a data node.

    Raises Unavailable if that takes longer than `start_timeout_s`, AccessDenied if the login is refused, and
    ConfigError if TLS fails or the server is not Elasticsearch 9.
    """
    deadline = clock.monotonic() + settings.start_timeout_s
    last = ""
    waiting = False
    while True:
        try:
            health = client.options(request_timeout=min(10.0, settings.start_timeout_s)).cluster.health()
            if health.body.get("number_of_data_nodes"):
                return
            last = "the cluster has no data node yet"
        except TlsError as error:
            raise ConfigError(
                f"TLS to {shown_url(settings)} failed: {error}; check elasticsearch.url and elasticsearch.ca_certs"
            ) from error
        except (ApiError, TransportError) as error:
            translated = translate(error)
            if not translated.retriable:
                raise translated from error
            last = str(translated).removeprefix(f"{DEPENDENCY}: ")
        if clock.monotonic() >= deadline:
            raise Unavailable(
                DEPENDENCY,
                f"{shown_url(settings)} not ready within {settings.start_timeout_s:g} s: {last}; "
                "check elasticsearch.url",
            )
        if not waiting:
            _log.info("waiting_for_elasticsearch", url=shown_url(settings), reason=last)
            waiting = True
        clock.sleep(_POLL_S)


def shown_url(settings: ElasticsearchSettings) -> str:
    """The configured URLs of Elasticsearch, comma-separated, without user and password."""
    return ",".join(_without_user(url) for url in settings.urls())


def _without_user(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _with_port(url: str) -> str:
    # The client adds port 443 for https itself, but refuses http without a port.
    parts = urlsplit(url)
    if parts.scheme == "http" and parts.port is None:
        return parts._replace(netloc=f"{parts.netloc}:80").geturl()
    return url
