"""`triage` with a model of constant cost in place of the ONNX session; everything else is the production code.

Run as a program it takes the same arguments as `triage`. Some texts make it misbehave, as a record could:
`!abort!` ends the process as a segmentation fault would, `!exit!` as the kernel's OOM killer does, `!hang!` never
returns, `!raise!` raises. The file named by CHAOS_CLOCK holds the milliseconds by which the wall clock is wrong. A
record batch with the value `UNREADABLE` can't be read, as one that is damaged: a broker takes none that is.
"""

import os
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from triage.types import Prediction, Span

UNREADABLE = b"!unreadable!"


class StandInModel:
    """Classifies by words; a `triage.types.Model`."""

    version = "stand-in@1"
    taxonomy = "1"
    languages = frozenset({"en", "zh"})

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        return [self._one(text) for text in texts]

    def _one(self, text: str) -> Prediction:
        if "!" in text:
            _misbehave(text)
        negative = 0.9 if "never" in text or "还没到" in text else 0.05
        spans = [Span(at, at + 4, "organization", 0.8, "model")] if (at := text.find("Acme")) >= 0 else []
        return Prediction(
            intents=[("delivery" if negative > 0.5 else "praise", 0.7), ("billing", 0.2), ("payment", 0.1)],
            sentiment={"negative": negative, "neutral": 0.05, "positive": 0.95 - negative},
            spans=spans,
        )


def _misbehave(text: str) -> None:
    if "!abort!" in text:
        os.abort()
    if "!exit!" in text:
        os._exit(137)
    if "!hang!" in text:
        threading.Event().wait()
    if "!raise!" in text:
        raise RuntimeError("the runtime fails on this text")


class JumpingClock:
    """System time plus the milliseconds in a file."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._read_at = -1.0
        self._offset_ms = 0

    def now_ms(self) -> int:
        now = time.monotonic()
        if now - self._read_at > 0.2:
            self._read_at = now
            self._offset_ms = int(self._path.read_text() or 0) if self._path.exists() else 0
        return time.time_ns() // 1_000_000 + self._offset_ms

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


def _fail_on_unreadable() -> None:
    from kafka.errors import CorruptRecordError
    from kafka.record.default_records import DefaultRecordBatch

    from triage.topics.kafka_compat import records

    read = DefaultRecordBatch._read_msg

    def read_or_fail(self: Any) -> Any:
        record = read(self)
        if record.value == UNREADABLE:
            raise CorruptRecordError("damaged")
        return record

    def left_to_the_library(_: Any) -> Any:
        raise ValueError

    DefaultRecordBatch._read_msg = read_or_fail
    records.compiled_reader = left_to_the_library


def main() -> Any:
    from triage.cli.main import main as triage
    from triage.config import ClockSettings
    from triage.inference.model import OnnxModel

    OnnxModel.load = classmethod(lambda cls, *arguments, **named: StandInModel())  # type: ignore[method-assign, assignment]
    _fail_on_unreadable()
    if path := os.environ.pop("CHAOS_CLOCK", None):
        ClockSettings.build = lambda self: JumpingClock(path)  # type: ignore[method-assign]
    return triage()


if __name__ == "__main__":
    sys.exit(main())
