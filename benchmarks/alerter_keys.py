"""Measures the engine of the alerter where each key has one count in each step, so that nothing is shared by counts.

Run as a script it prints counts per second of processor time: of the product on the path, so also of an earlier build.
"""

import argparse
import time

import msgspec
import structlog

from triage.alerting.engine.engine import PartitionEngine
from triage.alerting.rules.model import AlertRules, Rule
from triage.clock import ManualClock
from triage.config import load_settings
from triage.metrics import Metrics
from triage.schemas.counts import CountMessage, KeyCount, Watermark, WindowCounts, dimension_key

_KEYS, _STEPS, _STEPS_BEFORE = 2_000, 48, 13
_STEP_S = 300
_START_MS = 1_795_305_600_000
_TOPIC = "feedback.complaints"


def counts_per_second() -> float:
    """Counts per second of processor time, from the message to the encoded writes of the state.

    The rules are one with a spike detector and one with a static threshold. The steps of the first hour, in which keys
    are added, are not measured.
    """
    settings = load_settings(None, {"alerting.allowed_lateness_s": 0}).alerting
    static = {"share_at_least": 0.6, "count_at_least": 30}
    rules = AlertRules(
        [
            Rule(name="spike", dimension=["intent"], window_s=3600, spike={}),
            Rule(name="static", dimension=["intent"], window_s=3600, static=static),
        ]
    )
    clock = ManualClock(_START_MS + (_STEPS + _STEPS_BEFORE) * _STEP_S * 1000)
    engine = PartitionEngine(rules, settings, clock, Metrics(), receivers=["log"], expected={(_TOPIC, 0)})
    decoder: msgspec.json.Decoder[CountMessage] = msgspec.json.Decoder(CountMessage)
    encoder = msgspec.json.Encoder()
    messages = [message for step in range(_STEPS_BEFORE + _STEPS) for message in _messages(step, encoder)]
    spent = 0.0
    for number, message in enumerate(messages):
        started = time.process_time()
        engine.apply(decoder.decode(message))
        more = True
        while more:
            more = engine.advance()
            for value in engine.take_changes().writes.values():
                encoder.encode(value)
        if number >= 2 * _STEPS_BEFORE:
            spent += time.process_time() - started
    return _KEYS * _STEPS / spent


def _messages(step: int, encoder: msgspec.json.Encoder) -> tuple[bytes, bytes]:
    """The counts of a step, and the watermark after it."""
    start_ms = _START_MS + step * _STEP_S * 1000
    values = [{"intent": f"intent-{key}"} for key in range(_KEYS)]
    counts = [
        KeyCount(start_ms, dimension_key(each), each, (key + step) % 3, 3 + (key * step) % 5)
        for key, each in enumerate(values)
    ]
    first, after = step * 10_000, (step + 1) * 10_000
    batch = WindowCounts(
        window_ms=_STEP_S * 1000, topic=_TOPIC, partition=0, first_offset=first, last_offset=after - 1, counts=counts
    )
    end_ms = start_ms + _STEP_S * 1000
    mark = Watermark(topic=_TOPIC, partition=0, watermark_ms=end_ms, offset=after, lag=0, at_ms=end_ms)
    return encoder.encode(batch), encoder.encode(mark)


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    print(counts_per_second())


if __name__ == "__main__":
    main()
