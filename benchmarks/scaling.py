"""`python -m benchmarks.scaling`: the effect of more processes, longer texts and more keys.

Processes: workers as in production, with one model thread, each pinned to its own core, a null sink and four
partitions; the rate is that of all workers together, from the first write to the last. Longer texts and more keys:
processor time per record in the pipeline without the model and without a broker, on one core.
"""

import argparse
import os
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.broker import add_stack_options, open_stack, pin, produce, sample_records
from benchmarks.pipe import in_memory
from benchmarks.pipeline import ContenderProcess, ContenderUnavailable, flags_of, index_settings
from benchmarks.pipeline_plan import Outcome, Plan
from benchmarks.report import Row, publish
from triage.inference.language import preload

PARTITIONS = 4
_SENTENCE = "The parcel from the shop arrived five days late and nobody answered my mail about it. "
_CHARS = (50, 200, 800, 3_200, 12_800)
_KEYS = (10, 1_000, 100_000)


def together(stack: dict[str, Any], processes: int, arguments: argparse.Namespace) -> float:
    """Records per second of `processes` workers together, on the same Kafka and Elasticsearch.

    Raises ContenderUnavailable if one fails, or if the partitions were not shared evenly.
    """
    settings = index_settings(stack, PARTITIONS)
    share = arguments.records
    payloads = [payload for _, payload in sample_records(share * processes)]
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]
    with tempfile.TemporaryDirectory() as folder:
        workers = []
        for number in range(processes):
            flags = flags_of(settings, stack) | {
                "worker.slot": str(number),
                "worker.data_dir": folder,
                "model.threads": 1,
            }
            plan = Plan(flags, share, index="null", core=cores[number % len(cores)])
            workers.append(ContenderProcess("triage", plan, sys.executable, Path(folder) / f"{number}.log"))
        try:
            for worker in workers:
                worker.wait_ready()
            # Wait until the partitions are assigned: after a rebalance records would be processed twice.
            time.sleep(arguments.settle)
            produce(settings, "complaints", payloads, PARTITIONS)
            return rate_of([worker.outcome(arguments.timeout) for worker in workers])
        finally:
            for worker in workers:
                worker.end()


def rate_of(outcomes: list[Outcome]) -> float:
    """Rate of all workers together, without the first write, because the time starts at its end."""
    first = min(outcomes, key=lambda outcome: outcome.first_s)
    seconds = max(outcome.last_s for outcome in outcomes) - first.first_s
    return (sum(outcome.records for outcome in outcomes) - first.first_records) / seconds


def of_length(chars: int, count: int) -> list[bytes]:
    """Payloads of `count` records whose texts have about `chars` characters."""
    text = (_SENTENCE * (chars // len(_SENTENCE) + 1))[:chars]
    return [msgspec.json.encode({"id": f"l{number}", "text": f"{text} {number}"}) for number in range(count)]


def with_keys(keys: int, count: int) -> list[bytes]:
    """Payloads of `count` records, drawn from `keys` different brands, products and regions."""
    draw = random.Random(7)
    return [
        msgspec.json.encode(
            {"id": f"k{number}", "text": _SENTENCE}
            | {name: f"{name} {draw.randrange(keys)}" for name in ("brand", "product", "region")}
        )
        for number in range(count)
    ]


def cost(name: str, payloads: list[bytes], rounds: int) -> Row:
    times = [in_memory(payloads)[1] / len(payloads) * 1e6 for _ in range(rounds)]
    return Row.of(name, "µs/record", times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--records", type=int, default=1_500, help="records of each process")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--settle", type=float, default=8, help="seconds until the partitions are assigned")
    parser.add_argument("--timeout", type=float, default=300, help="most seconds of a run")
    parser.add_argument("--model", help="model folder; default: the one that serves")
    add_stack_options(parser)
    arguments = parser.parse_args()
    rows = []
    with open_stack(arguments) as opened:
        stack = opened | ({"model.path": arguments.model} if arguments.model else {})
        alone = 0.0
        for processes in arguments.processes:
            try:
                rates = [together(stack, processes, arguments) for _ in range(arguments.rounds)]
            except ContenderUnavailable as why:
                sys.stderr.write(f"left out: {processes} processes: {why}\n")
                continue
            rows.append(Row.of(f"{processes} processes, a core each", "records/s", rates))
            alone = alone or rows[-1].median
            rows.append(Row.of(f"{processes} processes, times the first", "x", [rate / alone for rate in rates]))
    preload()
    if hasattr(os, "sched_getaffinity"):
        pin({min(os.sched_getaffinity(0))})
    in_memory(of_length(200, 200))
    most = 4 * arguments.records
    longer = {f"texts of {chars:,} characters": of_length(chars, min(most, 4_000_000 // chars)) for chars in _CHARS}
    more = {f"{keys:,} brands, products and regions": with_keys(keys, most) for keys in _KEYS}
    rows += [cost(name, payloads, arguments.rounds) for name, payloads in (longer | more).items()]
    publish("scaling", rows)


if __name__ == "__main__":
    main()
