"""The error tree.

TriageError                    .exit_code for the command line, .retriable for the pipeline
├── ConfigError                wrong settings, rules or arguments; ends the process at start   (exit 2)
│   └── MissingExtraError      an optional dependency is not installed; names the extra
├── ModelError                 the model is missing, damaged or does not fit the device        (exit 2)
├── SourceError                an input file is damaged or can't be read to its end
├── InvalidRecord              one bad record: refused by `ingest`, dead-lettered by the worker
├── NotUnderstood              a message of one of our own topics that nobody of us wrote; passed over
├── DependencyError            something outside; the work waits and nothing is lost
│   ├── Unavailable            absent or overloaded; retried with backoff                      (retriable)
│   └── AccessDenied           credentials or permissions are refused
├── TooManyDeadLetters         nearly every record is refused: the worker stops instead       (exit 65)
├── Fenced                     another worker owns the partitions now; rebuild and rejoin      (retriable)
└── TrainingError              data or options of training that cannot work
"""

from collections.abc import Iterable


class TriageError(Exception):
    """Base of every error that `triage` raises on purpose; its text is written for the person who reads it."""

    exit_code = 1
    retriable = False


class ConfigError(TriageError):
    """One or more problems with settings, rules or arguments, all in one message."""

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
    """A feature needs a package that is not installed."""

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(f"{feature} needs the extra '{extra}'; pip install 'triage-feedback[{extra}]'")


class ModelError(TriageError):
    """The model folder is missing, damaged, or cannot run on the device that was asked for."""

    exit_code = 2


class SourceError(TriageError):
    """An input file turned out damaged, or could no longer be read; the rows before it were handled."""


class InvalidRecord(TriageError):  # noqa: N818 - it says what the record is; the pipeline handles it as data
    """A record that can never be processed, however often it is tried.

    `stage` is where it was refused (decode, validate, enrich, index), `reason` a stable snake_case code for
    metrics and filters, `field` the raw field at fault, where one is.
    """

    def __init__(self, reason: str, message: str, *, stage: str = "validate", field: str | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.stage = stage
        self.field = field


class NotUnderstood(TriageError):  # noqa: N818
    """What stands on one of our own topics is no message of its kind."""


class DependencyError(TriageError):
    """Kafka, Elasticsearch or a receiver of alerts did not do what was asked."""

    def __init__(self, dependency: str, message: str) -> None:
        super().__init__(f"{dependency}: {message}")
        self.dependency = dependency


class Unavailable(DependencyError):  # noqa: N818 - a state of the dependency, not a fault of ours
    """Absent, overloaded or too slow: pause and try again."""

    retriable = True


class AccessDenied(DependencyError):  # noqa: N818
    """Wrong credentials or missing permissions."""


class Fenced(TriageError):  # noqa: N818
    """A transaction was refused because this worker no longer owns its partitions or its transactional id."""

    retriable = True


class TooManyDeadLetters(TriageError):  # noqa: N818
    """So many records are refused that the fault is more likely a changed schema than the records."""

    exit_code = 65


class TrainingError(TriageError):
    """Training data or options that cannot give a model; nothing was written."""
