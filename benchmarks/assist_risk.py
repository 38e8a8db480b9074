"""Measures risk scores on open data: whether a company gives relief after a complaint (CFPB).

The outcome is `Closed with monetary relief` or `with non-monetary relief`; features are the text, its length, product,
company and the complaint's issue, sub-issue and sub-product. `pack` uses the splits of the dataset, `by time` those of
`triage risk fit`. Baseline: TF-IDF and logistic regression over text, product and issue, by scikit-learn if it is
installed (else by the same objective here), on the dataset's splits. AUC and calibration error (ece) in hundredths, AUC
with its 95 % interval as min and max; `score`: records per second that one core scores.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.datasets import dataset
from benchmarks.report import Row
from triage.assist.risk.definition import Definition, definition_of
from triage.assist.risk.fitting import Splits, Vectorizer, card_of, fit_model, split_by_time
from triage.assist.risk.labelling import Example, label_records
from triage.assist.risk.measures import Measures, auc_interval, calibration_error
from triage.assist.risk.regression import best_strength
from triage.risk.model import RiskModel
from triage.schemas.enriched import EnrichedRecord, Event, Intent, Route, Sentiment, Severity, Versions
from triage.types import Channel

PARTS = ("train", "validation", "test")
RELIEF = ["Closed with monetary relief", "Closed with non-monetary relief"]
ISSUES = ["issue", "sub_issue", "sub_product"]
ALL = ["text", "product", "brand", "length"]
_NOW_MS = 4_000_000_000_000


def record_of(row: dict[str, Any]) -> EnrichedRecord:
    """The complaint as a record without the model's labels, so that the run needs no model."""
    attributes = {name: row[name] for name in (*ISSUES, "company_response") if row[name]}
    at = f"{row['date_received']}T00:00:00.000Z"
    return EnrichedRecord(
        timestamp=at,
        event=Event(row["complaint_id"] or "", at),
        channel=Channel.COMPLAINT,
        text=row["text"],
        language="en",
        sentiment=Sentiment("negative", 0.0, 0.0),
        intent=Intent("", 0.0, []),
        entities=[],
        severity=Severity("", []),
        route=Route("", []),
        flags=[],
        versions=Versions("", "none", "", ""),
        product=row["product"],
        brand=row["company"],
        attributes=attributes,
    )


def defined(features: Sequence[str], attributes: Sequence[str]) -> Definition:
    target = {"column": {"attribute": "company_response", "values": RELIEF}}
    content = {"version": 1, "name": "relief", "target": target}
    content |= {"features": list(features), "attributes": list(attributes)}
    return definition_of(content, where="assist_risk", folder=Path())


def examples_of(rows: Sequence[dict[str, Any]], definition: Definition) -> list[Example]:
    """Labelled examples of the closed complaints that have a date."""
    closed = [row for row in rows if row["date_received"] and (row["company_response"] or "").startswith("Closed")]
    untimely = [row for row in rows if row["date_received"] and row["company_response"] == "Untimely response"]
    return label_records([record_of(row) for row in (*closed, *untimely)], definition, _NOW_MS).examples


def baseline(splits: Splits) -> tuple[str, Measures | None, np.ndarray, np.ndarray]:
    """Name of the library, measures, and probabilities of the baseline on the test part, with the true outcomes."""
    truth = {part: np.array([each.happened for each in getattr(splits, part)], float) for part in PARTS}
    try:
        from sklearn.feature_extraction.text import TfidfVectorizer  # type: ignore[import-not-found]
        from sklearn.linear_model import LogisticRegression  # type: ignore[import-not-found]
    except ImportError:
        vectorizer = Vectorizer(defined(["text", "product"], ["issue"]), splits.train)
        rows = {part: vectorizer.rows(getattr(splits, part)) for part in PARTS}
        _, weights, bias = best_strength(
            rows["train"], truth["train"], rows["validation"], truth["validation"], (0.3, 1.0, 3.0, 10.0)
        )
        return "TF-IDF + LR", None, 1 / (1 + np.exp(-(rows["test"] @ weights + bias))), truth["test"]
    texts = {part: [_joined(each.record) for each in getattr(splits, part)] for part in PARTS}
    words = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True).fit(texts["train"])
    model = LogisticRegression(max_iter=2_000).fit(words.transform(texts["train"]), truth["train"])
    return "scikit-learn TF-IDF + LR", None, model.predict_proba(words.transform(texts["test"]))[:, 1], truth["test"]


def _joined(record: EnrichedRecord) -> str:
    return " ".join([record.text, record.product or "", str(record.attributes.get("issue", ""))])


def rows() -> list[Row]:
    """Rows of the results on risk scores; none without the dataset."""
    files = {part: dataset(f"en/cfpb_complaints/{part}.jsonl.gz") for part in PARTS}
    if not all(files.values()):
        return []
    found: list[Row] = []
    base: Splits | None = None
    for name, features, attributes in (
        ("all features", ALL, ISSUES),
        ("without the company", [each for each in ALL if each != "brand"], ISSUES),
    ):
        definition = defined(features, attributes)
        parts = {part: examples_of(files[part] or [], definition) for part in PARTS}
        pack = Splits(**parts)
        base = base or pack
        everything = [each for part in parts.values() for each in part]
        ways = {"pack": pack} if found else {"pack": pack, "by time": split_by_time(everything, 0)}
        for how, splits in ways.items():
            model = fit_model(definition, splits, _NOW_MS)
            found += _rows(f"relief, {how}: {name}", card_of(model).test)
            if not any("score" in row.name for row in found):
                found.append(_speed(model, [each.record for each in pack.test]))
    assert base is not None
    library, _, probabilities, truth = baseline(base)
    auc, low, high = auc_interval(probabilities, truth)
    found.append(Row(f"relief, pack: baseline {library}, AUC", "%", 100 * low, 100 * auc, 100 * high, 1))
    error = 100 * calibration_error(probabilities, truth)
    found.append(Row(f"relief, pack: baseline {library}, ece", "%", error, error, error, 1))
    return found


def _rows(name: str, test: Measures) -> list[Row]:
    more = {"records": float(test.records), "positives": float(test.positives)}
    more["high_precision"] = 100 * test.levels["high"].precision
    error = 100 * test.ece
    return [
        Row(f"{name}, AUC", "%", 100 * test.auc_low, 100 * test.auc, 100 * test.auc_high, 1, more),
        Row(f"{name}, ece", "%", error, error, error, 1),
    ]


def _speed(model: RiskModel, records: Sequence[EnrichedRecord]) -> Row:
    """Records scored per second of processor time."""
    rates = []
    for _ in range(5):
        start = time.process_time()
        for record in records:
            model.score(record)
        rates.append(len(records) / (time.process_time() - start))
    return Row.of("relief: records scored", "records/s of a core", rates)
