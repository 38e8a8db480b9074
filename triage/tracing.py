"""OpenTelemetry traces: spans that cost a comparison while tracing is off, and contexts that travel in Kafka's headers.

Nothing here names a text, an author or a key: attributes are counts, names of parts and versions.
"""

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal

from triage import __version__
from triage.errors import MissingExtraError

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

    from triage.config import TracingSettings

TRACEPARENT = "traceparent"
MOST_LINKS = 32
Kind = Literal["internal", "server", "consumer", "producer"]
Headers = Iterable[tuple[str, bytes | None]] | Mapping[str, bytes | None]

# The tracer while tracing is on; OpenTelemetry itself is imported no sooner.
_tracer: Any = None


class _Off:
    """A span of nothing."""

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        return None


_OFF = _Off()


def start(settings: "TracingSettings", process: str, exporter: "SpanExporter | None" = None) -> Callable[[], None]:
    """Switch tracing on if the settings say so; call what is returned at the end, to send what is left.

    Without an `exporter` spans go by OTLP/HTTP, and libraries of this process that know OpenTelemetry (Elasticsearch's
    client) add theirs. Raises MissingExtraError.
    """
    global _tracer  # noqa: PLW0603 - one for the process, as OpenTelemetry has it
    if not settings.enabled:
        return lambda: None
    try:
        from opentelemetry import trace
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
        from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

        if exporter is None:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    except ImportError as error:
        raise MissingExtraError("tracing.enabled", "otel") from error
    name = os.environ.get("OTEL_SERVICE_NAME") or f"triage-{process}"
    resource = Resource.create({"service.name": name, "service.version": __version__})
    provider = TracerProvider(sampler=ParentBased(TraceIdRatioBased(settings.sample_ratio)), resource=resource)
    if exporter is None:
        url = settings.endpoint and f"{settings.endpoint.rstrip('/')}/v1/traces"
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=url)))
        trace.set_tracer_provider(provider)
    else:
        provider.add_span_processor(SimpleSpanProcessor(exporter))
    _tracer = provider.get_tracer("triage", __version__)

    def stop() -> None:
        global _tracer  # noqa: PLW0603
        _tracer = None
        provider.shutdown()

    return stop


def on() -> bool:
    return _tracer is not None


def span(
    name: str,
    *,
    parent: Any = None,
    links: Sequence[Any] = (),
    kind: Kind = "internal",
    **attributes: str | float | bool,
) -> "contextlib.AbstractContextManager[Any]":
    """A span around a block, and the current one inside it: None while tracing is off.

    `parent` is a span of another thread, or what `remote` found (default: the current one); `links` are others that it
    belongs to. An exception marks it as failed, by its type alone: messages may quote records.
    """
    return _OFF if _tracer is None else _span(name, parent, links, kind, attributes)


def child(parent: Any, name: str, **options: Any) -> "contextlib.AbstractContextManager[Any]":
    """A span below one that `begin` gave, and none where that is None."""
    return _OFF if parent is None else span(name, parent=parent, **options)


def begin(name: str, *, links: Sequence[Any] = (), kind: Kind = "internal", **attributes: int | str) -> Any:
    """A span that `end` ends, perhaps on another thread; None while tracing is off."""
    return None if _tracer is None else _begun(name, None, links, kind, attributes)


def end(span: Any, error: BaseException | None = None) -> None:
    """End what `begin` began."""
    if span is not None:
        _fail(span, error)
        span.end()


@contextlib.contextmanager
def ending(span: Any) -> Iterator[None]:
    """End with the block what `begin` began, as failed if that raises."""
    try:
        yield
    except BaseException as error:
        end(span, error)
        raise
    end(span)


def headers() -> list[tuple[str, bytes]]:
    """The current span as W3C trace context, for a message's headers; none while tracing is off."""
    if _tracer is None:
        return []
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return [(name, value.encode()) for name, value in carrier.items()]


def remote(headers: Headers) -> Any:
    """The context of whoever sent these headers; None without one, for a broken one, and while tracing is off."""
    if _tracer is None:
        return None
    from opentelemetry.trace import get_current_span
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    pairs = headers.items() if isinstance(headers, Mapping) else headers
    carrier = {name: value.decode("latin-1") for name, value in pairs if name == TRACEPARENT and value is not None}
    if not carrier:
        return None
    # Into an empty context: else the current span would stand for a broken header.
    from opentelemetry.context import Context

    context = get_current_span(TraceContextTextMapPropagator().extract(carrier, Context())).get_span_context()
    return context if context.is_valid else None


def remotes(many: Iterable[Headers]) -> list[Any]:
    """The different contexts of several messages, of at most 32."""
    if _tracer is None:
        return []
    found: dict[int, Any] = {}
    for each in many:
        context = remote(each)
        if context is not None:
            found.setdefault(context.span_id, context)
        if len(found) == MOST_LINKS:
            break
    return list(found.values())


def current() -> Any:
    """The current span's context, to link to; None while there is none."""
    if _tracer is None:
        return None
    from opentelemetry.trace import get_current_span

    context = get_current_span().get_span_context()
    return context if context.is_valid else None


@contextlib.contextmanager
def _span(name: str, parent: Any, links: Sequence[Any], kind: Kind, attributes: dict[str, Any]) -> Iterator[Any]:
    from opentelemetry.trace import use_span

    opened = _begun(name, parent, links, kind, attributes)
    try:
        with use_span(opened, end_on_exit=False, record_exception=False, set_status_on_exception=False):
            yield opened
    except BaseException as error:
        _fail(opened, error)
        raise
    finally:
        opened.end()


def _begun(name: str, parent: Any, links: Sequence[Any], kind: Kind, attributes: dict[str, Any]) -> Any:
    from opentelemetry import trace

    context = None
    if parent is not None:
        known = parent if isinstance(parent, trace.Span) else trace.NonRecordingSpan(parent)
        context = trace.set_span_in_context(known)
    given = {f"triage.{name}": value for name, value in attributes.items()}
    linked = [trace.Link(each) for each in links if each is not None][:MOST_LINKS]
    return _tracer.start_span(name, context, trace.SpanKind[kind.upper()], given, linked)


def _fail(span: Any, error: BaseException | None) -> None:
    if error is None:
        return
    from opentelemetry.trace import Status, StatusCode

    span.set_attribute("error.type", type(error).__name__)
    span.set_status(Status(StatusCode.ERROR))
