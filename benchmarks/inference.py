"""`make bench NAME=inference`: texts per second of different ways to predict the three labels, in one process.

Contenders other than triage need the training environment: `.venv-train/bin/python -m benchmarks.inference`; those that
are not installed are listed as skipped. All have the same weights (those of the ONNX file; `--checkpoint DIR` uses
trained ones for torch), the same texts of the sample feed and the same number of threads, and start from text, not
tokens. `labels` is the share of labels equal to those of torch in fp32 (without torch: ONNX Runtime), `x` the median
over the rounds of the ratio to three pipelines.
"""

import argparse
import os
import random
import statistics
import time
import warnings
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from benchmarks import inference_gemm, inference_triage
from benchmarks.inference_labels import Contender, Labels, agreement
from benchmarks.report import Row, publish
from triage.config import load_settings
from triage.inference.hardware import available_cores
from triage.inference.manifest import TOKENIZER_FILE, read_manifest
from triage.inference.registry import find_folder
from triage.inference.tokenization import TextTokenizer
from triage.local.feed import load_feed
from triage.logging import configure_logging

_BASE = "Hugging Face, three pipelines, one text at a time"
_TUNED = "torch bf16 tuned"


def feed_texts(count: int) -> list[str]:
    """`count` distinct texts of the sample feed, always the same."""
    items = load_feed().schedule(datetime(2026, 1, 1, tzinfo=UTC))
    texts: dict[str, None] = {}
    for item in items:
        try:
            text = msgspec.json.decode(item.payload)["text"]
        except (msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError):
            continue
        if isinstance(text, str) and text.strip():
            texts[text] = None
    return random.Random(0).sample(list(texts), min(count, len(texts)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=512, help="texts of one timed call, as a worker's batch")
    parser.add_argument("--slow-texts", type=int, default=48, help="texts for the pipelines, of all lengths")
    parser.add_argument("--agreement-texts", type=int, default=1536, help="texts on which labels are compared")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--checkpoint", type=Path, help="checkpoint of `triage train` for torch")
    parser.add_argument("--model", type=Path, help="model folder; default: the one that serves")
    parser.add_argument("--gemm-seconds", type=float, default=0.5, help="seconds per shape of the matrix products")
    arguments = parser.parse_args()
    configure_logging("ERROR")
    warnings.simplefilter("ignore")
    folder = arguments.model or find_folder(load_settings().model)
    threads = arguments.threads or available_cores()
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    texts = feed_texts(max(arguments.texts, arguments.agreement_texts))
    timed = texts[: arguments.texts]
    skipped: dict[str, str] = {}
    found, reference = gather(folder, arguments.checkpoint, threads, texts[: arguments.agreement_texts], skipped)
    tokenizer = TextTokenizer(folder / TOKENIZER_FILE, max_tokens=256, pad_id=read_manifest(folder).pad_id)
    lengths = tokenizer.encode(timed).lengths
    few = sample(timed, lengths.tolist(), arguments.slow_texts)
    rates = measure(found, timed, few, arguments.rounds)
    peaks = inference_gemm.peaks(threads, arguments.gemm_seconds)
    rows = [row(one, rates, reference, texts[: arguments.agreement_texts], few) for one in found]
    rows += inference_triage.profile(folder, threads, timed, arguments.rounds)
    rows += limits(folder, peaks, rates, float(lengths.mean()))
    publish("inference", rows)
    print(
        f"{len(timed)} texts of {min(lengths)} to {max(lengths)} tokens, mean {lengths.mean():.1f}; {threads} threads"
    )
    for name, reason in skipped.items():
        print(f"skipped: {name} ({reason})")


def gather(
    folder: Path, checkpoint: Path | None, threads: int, texts: Sequence[str], skipped: dict[str, str]
) -> tuple[list[Contender], dict[bool, dict[str, Labels]]]:
    """Contenders, and the reference labels of each text: by `raw`, so with (False) and without (True) calibration.

    Those that cannot run are added to `skipped` with the reason.
    """
    found = list(inference_triage.contenders(folder, threads, skipped))
    try:
        import torch
        import transformers

        from benchmarks import inference_pipelines, inference_torch
    except ImportError as error:
        skipped["torch, Hugging Face and optimum"] = f"{error.name} is not installed: make setup-train"
        labels = next(one for one in found if "fp32" in one.name).classify(texts)
        return found, {False: dict(zip(texts, labels, strict=True))}
    torch.set_num_threads(threads)
    transformers.logging.set_verbosity_error()
    network = inference_torch.load_torch(folder, checkpoint)
    both = inference_torch.TorchEngine(folder, network, 1024).both(texts)
    others = [*inference_pipelines.contenders(folder, network, threads), *inference_torch.contenders(folder, network)]
    if not any("optimum" in one.name for one in others):
        skipped["optimum"] = "not installed"
    return [*others, *found], {
        False: {text: one for text, (one, _) in zip(texts, both, strict=True)},
        True: {text: one for text, (_, one) in zip(texts, both, strict=True)},
    }


def sample(texts: Sequence[str], lengths: Sequence[int], count: int) -> list[str]:
    """`count` of the texts, evenly distributed over the lengths."""
    order = sorted(range(len(texts)), key=lambda index: lengths[index])
    step = max(len(order) / max(count, 1), 1.0)
    return [texts[order[int(step * number + step / 2)]] for number in range(min(count, len(order)))]


def measure(
    found: Sequence[Contender], timed: Sequence[str], few: Sequence[str], rounds: int
) -> dict[str, list[float]]:
    """Texts per second of each contender in every round, after a warm-up round."""
    rates: dict[str, list[float]] = {one.name: [] for one in found}
    for number in range(rounds + 1):
        for one in found:
            texts = few if one.slow else timed
            started = time.perf_counter()
            one.classify(texts)
            if number:
                rates[one.name].append(len(texts) / (time.perf_counter() - started))
    return rates


def row(
    one: Contender,
    rates: dict[str, list[float]],
    reference: dict[bool, dict[str, Labels]],
    texts: Sequence[str],
    few: Sequence[str],
) -> Row:
    compared = [text for text in (few if one.slow else texts) if text in reference[one.raw]]
    more = agreement(one.classify(compared), [reference[one.raw][text] for text in compared], one.heads)
    for column, baseline in (("x", _BASE), ("x torch bf16", _TUNED)):
        if base := next((values for name, values in rates.items() if name.startswith(baseline)), None):
            more[column] = statistics.median(a / b for a, b in zip(rates[one.name], base, strict=True))
    if one.fill:
        more["fill"] = 100 * one.fill()
    return replace(Row.of(one.name, "texts/s", rates[one.name]), more=more)


def limits(folder: Path, peaks: dict[str, float], rates: dict[str, list[float]], mean_tokens: float) -> list[Row]:
    """Rows of the machine's peaks (GFLOP/s by precision) and of the share of them that each engine reached, by round.

    `rates` are texts per second by engine, `mean_tokens` the tokens of a text.
    """
    encoder = read_manifest(folder).encoder
    rows = [Row.of(f"peak: matrix product in {name}", "GFLOP/s", [rate]) for name, rate in peaks.items()]
    flop = inference_gemm.flop_per_token(encoder["layers"], encoder["hidden"], mean_tokens) * mean_tokens
    for name, values in rates.items():
        precision = next((known for known in peaks if f" {known}" in name), None)
        if precision and not name.startswith("Hugging Face"):
            share = [100 * rate * flop / 1e9 / peaks[precision] for rate in values]
            rows.append(Row.of(f"share of the {precision} peak: {name}", "%", share))
    return rows


if __name__ == "__main__":
    main()
