"""`make bench NAME=inference_shapes`: the basis of triage's batch shapes, and of the decision not to pack texts.

It measures the speed of full rows by length (packing makes rows longer), the cost of a new shape in time and memory,
simultaneous calls, the share of useful tokens with any width, with the widths of triage and with packed rows, and the
speed of the engine by tokens per call, from which the defaults of `model.batch_tokens` are derived.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from benchmarks.inference import feed_texts
from benchmarks.report import Row, publish
from triage.config import ModelSettings, load_settings
from triage.inference.batching import fill_ratio, plan_batches
from triage.inference.hardware import available_cores
from triage.inference.manifest import MODEL_FILE, TOKENIZER_FILE, read_manifest
from triage.inference.model import OnnxModel
from triage.inference.registry import find_folder
from triage.inference.runtime import Session
from triage.inference.session import open_session
from triage.inference.tokenization import TextTokenizer

SHAPES = ((16, 16), (8, 32), (32, 32), (16, 64), (8, 128), (4, 256))
WINDOWS = (64, 170, 512)
BUDGETS = (128, 256, 512, 1_024, 2_048)
ROW = 256


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--new-shapes", type=int, default=100)
    parser.add_argument("--model", type=Path)
    arguments = parser.parse_args()
    folder = arguments.model or find_folder(load_settings().model)
    rows = [*fills(folder), *budgets(folder, arguments.rounds)]
    for device in ("openvino", "cpu"):
        for streams in (1, available_cores()):
            session = open_session(folder / MODEL_FILE, ModelSettings(path=folder, device=device, streams=streams))
            name = f"{session.runtime.split()[0]} {session.precision}, {streams} at once"
            rows += [speed(session, name, shape, arguments.rounds) for shape in SHAPES]
        rows += new_shapes(session, name, arguments.new_shapes)
    publish("inference_shapes", rows)


def speed(session: Session, name: str, shape: tuple[int, int], rounds: int) -> Row:
    """Row of tokens per second for full batches of `shape`, with as many calls at a time as the session has streams."""
    ids = np.random.default_rng(0).integers(5, 1000, shape)
    mask = np.ones_like(ids)
    with ThreadPoolExecutor(session.streams) as pool:
        calls = session.streams * max(4096 // ids.size // session.streams, 2)

        def run() -> float:
            started = time.perf_counter()
            list(pool.map(lambda _: session.run(ids, mask), range(calls)))
            return calls * ids.size / (time.perf_counter() - started)

        run()
        return Row.of(f"{name}: rows of {shape[1]}, {shape[0]} of them", "tokens/s", [run() for _ in range(rounds)])


def new_shapes(session: Session, name: str, count: int) -> list[Row]:
    """Rows of the extra time in ms of a shape's first call (quartiles), and of the memory of `count` shapes in MiB."""
    generator = np.random.default_rng(0)
    before, more = resident_mib(), []
    for _ in range(count):
        ids = generator.integers(5, 1000, (int(generator.integers(2, 20)), int(generator.integers(9, 60))))
        first, second = (timed(lambda ids=ids: session.run(ids, np.ones_like(ids))) for _ in range(2))
        more.append(1e3 * (first - second))
    quartiles = statistics.quantiles(more, n=4)
    return [
        Row(f"{name}: a new shape", "ms", quartiles[0], quartiles[1], quartiles[2], count),
        Row.of(f"{name}: {count} new shapes", "MiB", [resident_mib() - before]),
    ]


def budgets(folder: Path, rounds: int) -> Iterator[Row]:
    """Texts per second of the default engine in windows of 512 texts, by the token budget of a call."""
    texts = feed_texts(512)
    for tokens in BUDGETS:
        model = OnnxModel.load(ModelSettings(path=folder, batch_tokens=tokens))
        # All shapes of these texts are compiled before the first round.
        model.predict(texts)
        model.predict(texts)
        rates = [len(texts) / timed(lambda model=model: model.predict(texts)) for _ in range(rounds)]
        yield Row.of(f"default engine, calls of {tokens} tokens", "texts/s", rates)


def fills(folder: Path) -> Sequence[Row]:
    """Rows of the share of useful tokens in batches of texts, as workers process them."""
    manifest = read_manifest(folder)
    tokenizer = TextTokenizer(folder / TOKENIZER_FILE, max_tokens=ROW, pad_id=manifest.pad_id, prefix=manifest.prefix)
    lengths = tokenizer.encode(feed_texts(10_000)).lengths
    widths = open_session(folder / MODEL_FILE, ModelSettings(path=folder, device="openvino", threads=1)).widths
    plans: dict[str, Callable[[np.ndarray], float]] = {
        "as they come, 32 texts": lambda given: float(
            given.sum() / sum(part.max() * len(part) for part in np.array_split(given, max(len(given) // 32, 1)))
        ),
        "sorted, any width": lambda given: fill_ratio(given, plan_batches(given, 256)),
        "sorted, triage's widths": lambda given: fill_ratio(given, plan_batches(given, 256, widths=widths)),
        f"packed into rows of {ROW}, first fit": lambda given: float(given.sum() / (ROW * packed_rows(given))),
    }
    found = []
    for window in WINDOWS:
        parts = [lengths[at : at + window] for at in range(0, len(lengths) - window + 1, window)]
        for name, plan in plans.items():
            found.append(Row.of(f"useful tokens, {window} texts: {name}", "%", [100 * plan(part) for part in parts]))
    return found


def packed_rows(lengths: np.ndarray) -> int:
    """Number of rows of ROW tokens that texts of these lengths fill if they are packed by first-fit decreasing.

    Johnson 1973, Near-optimal bin packing algorithms.
    """
    free: list[int] = []
    for length in sorted(lengths.tolist(), reverse=True):
        place = next((index for index, left in enumerate(free) if left >= length), None)
        if place is None:
            free.append(ROW - length)
        else:
            free[place] -= length
    return len(free)


def timed(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def resident_mib() -> float:
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * 4096 / 2**20


if __name__ == "__main__":
    main()
