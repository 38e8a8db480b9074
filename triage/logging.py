"""Structured logs on standard error: readable on a terminal, otherwise one JSON object per line."""

import logging
import sys
from typing import Any, Literal

import orjson
import structlog

LogFormat = Literal["auto", "console", "json"]

_LIBRARIES = ("kafka", "aiokafka", "elastic_transport", "elasticsearch", "faust", "mode", "httpx", "uvicorn")
_REPEAT_S = 30.0
_MAX_MESSAGES = 1_000


def get_logger(name: str) -> Any:
    """Return the structlog logger named `name`, such as `triage.watchdog`.

    Event names are snake_case, data are key-value pairs.
    """
    return structlog.stdlib.get_logger(name)


class RepeatFilter(logging.Filter):
    """Log filter that passes a library's repeated message once in 30 s, with the number of suppressed repeats.

    While a broker is down, the Kafka clients log a hundred lines per second, which would fill a disk in hours. Messages
    count as equal if logger and unformatted message are. The stack trace of a library's warning becomes the error's
    text: the Elasticsearch client adds one of eighty lines each time that it passes over an address. All messages of
    triage itself pass as they are.
    """

    def __init__(self) -> None:
        super().__init__()
        self._seen: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.partition(".")[0] not in _LIBRARIES:
            return True
        key = (record.name, str(record.msg))
        since, suppressed = self._seen.get(key, (-_REPEAT_S, 0))
        if 0 <= record.created - since < _REPEAT_S:
            self._seen[key] = (since, suppressed + 1)
            return False
        if len(self._seen) >= _MAX_MESSAGES:
            self._seen.clear()
        self._seen[key] = (record.created, 0)
        if suppressed:
            record.msg = f"{record.getMessage()} [and {suppressed} times before]"
            record.args = None
        error = record.exc_info[1] if record.exc_info else None
        if error is not None and record.levelno <= logging.WARNING:
            record.msg, record.args, record.exc_info = f"{record.getMessage()}: {error}", None, None
        return True


def configure_logging(level: str = "INFO", log_format: LogFormat = "auto") -> None:
    """Send all logs to standard error, in one format for structlog and the standard library (kafka, faust).

    `auto` is `console` (readable lines) on a terminal, else `json`.
    """
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
    handler.addFilter(RepeatFilter())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for noisy in _LIBRARIES:
        logging.getLogger(noisy).setLevel(max(logging.WARNING, logging.getLevelName(level)))
    # kafka-python 3 warns whenever its I/O thread is delayed by 0.1 s, as on any busy machine.
    logging.getLogger("kafka.net.selector").setLevel(logging.ERROR)
