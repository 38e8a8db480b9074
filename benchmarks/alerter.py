"""`make bench NAME=alerter`: enriched records per second that the alerter keeps up with, on one core.

Records of a shop with several brands are counted as by workers, in batches of 512 from twelve raw partitions, with the
default dimensions and rules. First the engine alone: decoding, merging, evaluating rules, episodes and encoding the
writes of the state once a second. Then the engine with one count of each of 2,000 keys in each step, with `--before`
in turn with that of an earlier build. Then the whole process, bound to one core, which reads the counts of the first
part from a local Kafka through Faust.
"""

import argparse
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import structlog

from benchmarks.alerter_stack import Counted, through_faust
from benchmarks.report import Row, publish
from triage.alerting.engine.engine import PartitionEngine
from triage.alerting.rules.loader import load_alert_rules
from triage.clock import ManualClock
from triage.config import load_settings
from triage.metrics import Metrics
from triage.pipeline.window_counts.counting import CountedRecord as Record
from triage.pipeline.window_counts.counting import count_windows
from triage.pipeline.window_counts.packing import pack_counts
from triage.schemas.counts import CountMessage, Watermark
from triage.types import Position

TOPIC = "feedback.complaints"
RAW_PARTITIONS = 12
BATCH = 512
START_MS = 1_795_305_600_000
INTENTS = [f"intent-{number}" for number in range(14)]


def records(draw: random.Random, brands: int, regions: int) -> dict[str, str | None]:
    """Draw the dimension values of one record; a few brands have most of the records."""
    return {
        "channel": draw.choice(("complaint", "review", "social")),
        "intent": draw.choice(INTENTS),
        "brand": f"brand-{int(draw.paretovariate(1.1)) % brands}",
        "product": f"product-{draw.randrange(300)}",
        "region": f"region-{draw.randrange(regions)}",
    }


def templates(rate: int, brands: int, regions: int, seconds: int, seed: int) -> list[list[Counted]]:
    """Window counts of the batches of each second, for `seconds` seconds of `rate` records each."""
    settings = load_settings().alerting
    draw = random.Random(seed)
    values = [records(draw, brands, regions) for _ in range(20_000)]
    found = []
    for second in range(seconds):
        counts: list[Counted] = []
        for number, first in enumerate(range(0, rate, BATCH)):
            size, partition = min(BATCH, rate - first), (second + number) % RAW_PARTITIONS
            batch = [
                Record(Position(TOPIC, partition, index), 0, draw.choice(values), draw.random() < 0.2)
                for index in range(size)
            ]
            counted = count_windows(batch, settings.window_s * 1000, settings.dimensions)
            counts.append((partition, size, counted))
        found.append(counts)
    return found


def run(seconds: int, made: list[list[Counted]]) -> tuple[float, int, int, float]:
    """Close the steps of `seconds` seconds of counts in one engine; `made` is the result of `templates`.

    Returns seconds of processor time, number of counts, bytes written to the changelog, and the longest close in
    seconds.
    """
    settings = load_settings(None, {"alerting.allowed_lateness_s": 0}).alerting
    clock = ManualClock(START_MS)
    expected = {(TOPIC, number) for number in range(RAW_PARTITIONS)}
    engine = PartitionEngine(
        load_alert_rules(settings), settings, clock, Metrics(), receivers=["log"], expected=expected
    )
    decoder: msgspec.json.Decoder[CountMessage] = msgspec.json.Decoder(CountMessage)
    encoder = msgspec.json.Encoder()
    offsets = [0] * RAW_PARTITIONS
    spent = longest = 0.0
    written = counted = 0
    for second in range(seconds):
        now_ms = START_MS + second * 1000
        clock.set(now_ms)
        sent = []
        step_ms = settings.window_s * 1000
        for partition, size, counts in made[second % len(made)]:
            first, offsets[partition] = offsets[partition], offsets[partition] + size
            stamped = [
                msgspec.structs.replace(
                    count,
                    window_start_ms=now_ms // step_ms * step_ms,
                    first_offset=first,
                    last_offset=offsets[partition] - 1,
                )
                for count in counts
            ]
            sent += [encoder.encode(message) for _, message in pack_counts(stamped, settings.group_by, 1)]
            counted += len(stamped)
        for number, offset in enumerate(offsets):
            mark = Watermark(topic=TOPIC, partition=number, watermark_ms=now_ms, offset=offset, lag=0, at_ms=now_ms)
            sent.append(encoder.encode(mark))
        started = time.process_time()
        for message in sent:
            engine.apply(decoder.decode(message))
        more = True
        while more:
            closing = time.process_time()
            more = engine.advance()
            longest = max(longest, time.process_time() - closing)
            for name, value in engine.take_changes().writes.items():
                written += len(name) + len(encoder.encode(value))
        spent += time.process_time() - started
    return spent, counted, written, longest


def many_keys(checkout: Path | None = None) -> float:
    """Counts per second with one count of each key in each step, of the product in `checkout` or of this one."""
    script = Path(__file__).with_name("alerter_keys.py")
    root = script.parent.parent if checkout is None else checkout
    environment = os.environ | {"PYTHONPATH": str(root.resolve())}
    done = subprocess.run([sys.executable, script], env=environment, capture_output=True, text=True, check=True)
    return float(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=660, help="seconds of event time; steps of 300 s close in it")
    parser.add_argument("--rate", type=int, default=10_000, help="records per second of event time")
    parser.add_argument("--brands", type=int, default=20)
    parser.add_argument("--regions", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--before", type=Path, help="checkout of an earlier build, for one count a key and step")
    parser.add_argument("--faust-seconds", type=int, default=60, help="of counts from Kafka; 0: the engine alone")
    arguments = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    made = templates(arguments.rate, arguments.brands, arguments.regions, 10, seed=1)
    total = arguments.seconds * arguments.rate
    rounds = [run(arguments.seconds, made) for _ in range(arguments.rounds)]
    rows = [
        Row.of("engine alone: records kept up with, one core", "records/s", [total / r[0] for r in rounds]),
        Row.of("engine alone: counts", "counts/s", [r[1] / r[0] for r in rounds]),
        Row.of("counts of 10,000 records", "counts", [r[1] / total * 10_000 for r in rounds]),
        Row.of("longest evaluation of a step", "ms", [r[3] * 1000 for r in rounds]),
        Row.of("state written", "MB/s", [r[2] / 1e6 / arguments.seconds for r in rounds]),
    ]
    pairs = [(many_keys(), many_keys(arguments.before) if arguments.before else None) for _ in range(arguments.rounds)]
    name = "engine alone, one count a key and step"
    rows.append(Row.of(name, "counts/s", [now for now, _ in pairs]))
    if arguments.before:
        rows.append(Row.of(f"{name}: the build before", "counts/s", [before for _, before in pairs if before]))
    if arguments.faust_seconds:
        taken = [
            through_faust(made, arguments.faust_seconds, RAW_PARTITIONS, "complaints") for _ in range(arguments.rounds)
        ]
        rows += [
            Row.of("from Kafka, one core: records kept up with", "records/s", [one.records for one in taken]),
            Row.of("from Kafka: records by processor time", "records/s", [one.by_processor for one in taken]),
            Row.of("from Kafka: counts that rules evaluate", "counts/s", [one.counts for one in taken]),
            Row.of("from Kafka: messages", "messages/s", [one.messages for one in taken]),
        ]
    publish("alerter", rows)


if __name__ == "__main__":
    main()
