"""Errors that triage raises on purpose.

TriageError                    .exit_code for the command line, .retriable for the pipeline
├── ConfigError                wrong settings, rules or arguments; ends the process at start   (exit 2)
│   └── MissingExtraError      an optional dependency is not installed
├── ModelError                 the model is missing, damaged or does not fit the device        (exit 2)
├── SourceError                an input file is damaged or cannot be read to its end
├── InvalidRecord              one invalid record: refused by `ingest`, a dead letter in the worker
├── NotUnderstood              a message on triage's own topics that triage did not write; skipped
├── DependencyError            a dependency failed; the work waits and nothing is lost
│   ├── Unavailable            unreachable or overloaded; retried with backoff                 (retriable)
│   │   └── IndexUnusable      an index is not as triage needs it; retried until it is mended
│   ├── DocumentRefused        Elasticsearch refuses one document because of what is in it
│   └── AccessDenied           wrong credentials or missing permissions
├── TooManyDeadLetters         nearly every record is refused, so the worker stops            (exit 65)
├── Fenced                     another worker owns the partitions; rebuild and rejoin          (retriable)
└── TrainingError              training data or options from which no model can be trained
"""

import difflib
import re
from collections.abc import Iterable

# What libraries put into messages for programmers: objects as Python shows them, and numbers of the operating system.
_FOR_PROGRAMMERS = re.compile(
    r"<[\w.]+ object at 0x[0-9a-fA-F]+>:? *|HTTPS?Connection(?:Pool)?\([^()]*\): *|\[Errno -?\d+\] *"
    r"|Failed to establish a new connection: *"
)


def in_words(message: str) -> str:
    """Return a library's error message without Python's object notation and error numbers."""
    return _FOR_PROGRAMMERS.sub("", message)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `; did you mean ...?` with the most similar known name, or an empty text if none is similar."""
    near = difflib.get_close_matches(name, list(known), 1, cutoff=0.7)
    return f"; did you mean {near[0]}?" if near else ""


class TriageError(Exception):
    """Base of all errors that triage raises on purpose; the message is for the user.

    `exit_code` is the status with which a command ends, `retriable` is True if waiting and repeating can help. `fix`
    names addresses and settings to check: the command line prints it after the message, answers of the API leave it
    out.
    """

    exit_code = 1
    retriable = False
    fix = ""


class ConfigError(TriageError):
    """One or more problems of settings, rules or arguments, in one message; `where` names the file or flag."""

    exit_code = 2

    def __init__(self, problems: str | Iterable[str], *, where: str = "") -> None:
        self.problems = [problems] if isinstance(problems, str) else list(problems)
        self.where = where
        head = f"{where}: " if where else ""
        if len(self.problems) == 1:
            super().__init__(head + self.problems[0])
        else:
            lines = "".join(f"\n  - {problem}" for problem in self.problems)
            super().__init__(f"{head}{len(self.problems)} problems:{lines}")


class MissingExtraError(ConfigError):
    """A feature needs packages of the optional dependency `extra` that are not installed; the message says which."""

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(f"{feature} needs the extra '{extra}'; pip install 'triage-feedback[{extra}]'")


class ModelError(TriageError):
    """The model folder is missing or damaged, or the model cannot run on the requested device."""

    exit_code = 2


class SourceError(TriageError):
    """An input file is damaged or can no longer be read; the rows before that were processed."""


class InvalidRecord(TriageError):  # noqa: N818 - describes the record; the pipeline handles it as data
    """A record that cannot be processed, no matter how often it is retried.

    `stage` is the stage that refused it (decode, validate, enrich, index), `reason` a stable snake_case code for
    metrics and filters, `field` the raw field at fault, if there is one.
    """

    def __init__(self, reason: str, message: str, *, stage: str = "validate", field: str | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.stage = stage
        self.field = field


class NotUnderstood(TriageError):  # noqa: N818
    """A message on one of triage's own topics is not of the expected type; it is skipped."""


class DependencyError(TriageError):
    """Kafka, Elasticsearch or a receiver of alerts did not do what was requested."""

    def __init__(self, dependency: str, message: str) -> None:
        super().__init__(f"{dependency}: {in_words(message)}")
        self.dependency = dependency


class Unavailable(DependencyError):  # noqa: N818 - a state of the dependency, not a fault in triage
    """A dependency is unreachable, overloaded or too slow: wait and retry."""

    retriable = True


class IndexUnusable(Unavailable):
    """Elasticsearch refuses documents because of the state or mapping of `index`; the message names the fix.

    The documents are valid: they wait until the index is repaired.
    """

    def __init__(self, dependency: str, message: str, index: str) -> None:
        super().__init__(dependency, message)
        self.index = index


class DocumentRefused(DependencyError):  # noqa: N818
    """Elasticsearch refuses one document because of its content: a retry cannot succeed."""


class AccessDenied(DependencyError):  # noqa: N818
    """A dependency refused the request because of wrong credentials or missing permissions."""


class Fenced(TriageError):  # noqa: N818
    """A transaction was refused because this worker no longer owns its partitions or its transactional id."""

    retriable = True


class TooManyDeadLetters(TriageError):  # noqa: N818
    """Nearly every record is refused, which suggests a changed schema, not invalid records; the worker stops."""

    exit_code = 65


class TrainingError(TriageError):
    """Training data or options are unsuitable for training a model; nothing was written."""
