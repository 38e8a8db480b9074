"""Structured logs on standard error: readable on a terminal, one JSON object a line elsewhere."""

import logging
import sys
from typing import Any, Literal

import orjson
import structlog

LogFormat = Literal["auto", "console", "json"]

_LIBRARIES = ("kafka", "aiokafka", "elastic_transport", "elasticsearch", "faust", "mode", "httpx", "uvicorn.access")
_REPEAT_S = 30.0
_MOST_KINDS = 1_000


def get_logger(name: str) -> Any:
    """A logger bound to its component; event names are snake_case, data goes in key-values."""
    return structlog.stdlib.get_logger(name)


class Sparing(logging.Filter):
    """What a library says over and over passes once in `_REPEAT_S` seconds, with how often it was said since.

    During an outage of a broker the Kafka clients log a hundred lines a second, which would fill a disk in hours. Two
    lines are the same if logger and unformatted message are. Lines of triage itself all pass.
    """

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.partition(".")[0] not in _LIBRARIES:
            return True
        kind = (record.name, str(record.msg))
        since, held = self._said.get(kind, (-_REPEAT_S, 0))
        if 0 <= record.created - since < _REPEAT_S:
            self._said[kind] = (since, held + 1)
            return False
        if len(self._said) >= _MOST_KINDS:
            self._said.clear()
        self._said[kind] = (record.created, 0)
        if held:
            record.msg = f"{record.getMessage()} [and {held} times before]"
            record.args = None
        return True


def configure_logging(level: str = "INFO", log_format: LogFormat = "auto") -> None:
    """Route structlog and the standard library's loggers (kafka, elasticsearch, faust) through one formatter."""
    readable = log_format == "console" or (log_format == "auto" and sys.stderr.isatty())
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: list[structlog.typing.Processor]
    if readable:
        renderer = [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
    else:
        renderer = [
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(serializer=lambda event, **_: orjson.dumps(event, default=str).decode()),
        ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer],
        )
    )
    handler.addFilter(Sparing())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for noisy in _LIBRARIES:
        logging.getLogger(noisy).setLevel(max(logging.WARNING, logging.getLevelName(level)))
    # kafka-python 3 warns whenever a busy machine delays its own I/O thread by 0.1 s.
    logging.getLogger("kafka.net.selector").setLevel(logging.ERROR)
