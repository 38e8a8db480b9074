"""OpenTelemetry traces: creates spans, and propagates their context in Kafka headers.

While tracing is off, OpenTelemetry's no-op tracer is used. Attributes are counts, names of components and versions,
never a text, an author or a key.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from opentelemetry.context import Context
from opentelemetry.trace import (
    INVALID_SPAN,
    Link,
    NoOpTracer,
    Span,
    SpanKind,
    Status,
    StatusCode,
    Tracer,
    get_current_span,
    set_span_in_context,
    set_tracer_provider,
    use_span,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from triage import __version__
from triage.errors import MissingExtraError

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

    from triage.config import TracingSettings

MAX_LINKS = 32
Kind = Literal["internal", "server", "consumer", "producer"]
Headers = Iterable[tuple[str, bytes | None]] | Mapping[str, bytes | None]

_TRACEPARENT = "traceparent"
_PROPAGATOR = TraceContextTextMapPropagator()
_OFF: Tracer = NoOpTracer()
_tracer = _OFF


def start(settings: "TracingSettings", process: str, exporter: "SpanExporter | None" = None) -> Callable[[], None]:
    """Enable tracing if the settings say so; call the returned function to send the remaining spans and disable it.

    `process` becomes the service name `triage-PROCESS`, unless OTEL_SERVICE_NAME is set. Without an `exporter`, spans
    are sent by OTLP/HTTP, and libraries in this process that support OpenTelemetry (Elasticsearch's client) add their
    own. Raises MissingExtraError if the extra `otel` is not installed.
    """
    global _tracer  # noqa: PLW0603 - one per process, as in OpenTelemetry
    if not settings.enabled:
        return lambda: None
    try:
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
        set_tracer_provider(provider)
    else:
        provider.add_span_processor(SimpleSpanProcessor(exporter))
    _tracer = provider.get_tracer("triage", __version__)

    def stop() -> None:
        global _tracer  # noqa: PLW0603
        _tracer = _OFF
        provider.shutdown()

    return stop


def begin(
    name: str,
    *,
    parent: Span | None = None,
    links: Iterable[Span] = (),
    kind: Kind = "internal",
    **attributes: str | float | bool,
) -> Span:
    """Begin a span, which must be ended by `end` or `ending`, on any thread.

    `parent` defaults to the current span; with INVALID_SPAN as parent nothing is recorded. `links` are other spans to
    which the new one is related. Names of `attributes` get the prefix `triage.`.
    """
    if parent is INVALID_SPAN:
        return parent
    return _tracer.start_span(
        name,
        None if parent is None else set_span_in_context(parent),
        SpanKind[kind.upper()],
        {f"triage.{name}": value for name, value in attributes.items()},
        [Link(context) for each in links if (context := each.get_span_context()).is_valid],
    )


def end(span: Span, error: BaseException | None = None) -> None:
    """End a span; it is marked as failed if `error` is given.

    Only the type of the error is recorded, because its message may quote records.
    """
    if error is not None:
        span.set_attribute("error.type", type(error).__name__)
        span.set_status(Status(StatusCode.ERROR))
    span.end()


@contextmanager
def ending(span: Span) -> Iterator[Span]:
    """Context manager that yields `span` and ends it with the block, as failed if the block raises."""
    try:
        yield span
    except BaseException as error:
        end(span, error)
        raise
    end(span)


@contextmanager
def span(
    name: str,
    *,
    parent: Span | None = None,
    links: Iterable[Span] = (),
    kind: Kind = "internal",
    **attributes: str | float | bool,
) -> Iterator[Span]:
    """Context manager that traces its block as a span, the current one inside. The arguments are those of `begin`."""
    with (
        ending(begin(name, parent=parent, links=links, kind=kind, **attributes)) as opened,
        use_span(opened, record_exception=False, set_status_on_exception=False),
    ):
        yield opened


def headers() -> list[tuple[str, bytes]]:
    """Return Kafka headers with the current span as W3C trace context (`traceparent`); empty while tracing is off."""
    carrier: dict[str, str] = {}
    _PROPAGATOR.inject(carrier)
    return [(name, value.encode()) for name, value in carrier.items()]


def remote(headers: Headers) -> Span | None:
    """Return the sender's span from a message's headers; None without a valid `traceparent` or while tracing is off."""
    if _tracer is _OFF:
        return None
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    carrier = {name: value.decode("latin-1") for name, value in pairs if name == _TRACEPARENT and value is not None}
    if not carrier:
        return None
    # Into an empty context: otherwise the current span would be returned for a broken header.
    sender = get_current_span(_PROPAGATOR.extract(carrier, Context()))
    return sender if sender.get_span_context().is_valid else None


def remotes(messages: Iterable[Headers]) -> list[Span]:
    """Return the distinct spans of the senders of several messages, at most 32, given the headers of each message.

    Empty while tracing is off.
    """
    found: dict[int, Span] = {}
    if _tracer is _OFF:
        return []
    for each in messages:
        sender = remote(each)
        if sender is not None:
            found.setdefault(sender.get_span_context().span_id, sender)
        if len(found) == MAX_LINKS:
            break
    return list(found.values())
