"""Converts users' corrections of labels to training examples, from the index or from a file of `triage corrections`."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from triage.config import ElasticsearchSettings
from triage.errors import ConfigError, TrainingError
from triage.schemas.correction import Correction
from triage.training.data.contamination import HeldOutTexts, text_key
from triage.training.data.corpus import text_fraction
from triage.training.data.datasets import committed_folder, project_test_texts, read_rows
from triage.training.data.examples import Example
from triage.training.data.labels import Taxonomy

INDEX = "index"
SOURCE = "corrections"
VALIDATION_SHARE = 0.1
_SHOWN = 5


@dataclass
class CorrectionSummary:
    """Counts of the corrections that were used, and of those that were left out.

    `texts` are the examples in use, `validation_texts` of them for validation; `changed` are those with a label other
    than the model's. Left out were `conflicting` labels, `contaminated` texts, and `unknown_labels` (label to count).
    """

    corrections: int = 0
    records: int = 0
    texts: int = 0
    validation_texts: int = 0
    changed: int = 0
    conflicting: int = 0
    contaminated: int = 0
    unknown_labels: dict[str, int] = field(default_factory=dict)

    def lines(self) -> list[str]:
        """Format the counts of the summary as lines of text."""
        lines = [
            f"{self.corrections:,} corrections of {self.records:,} records: {self.texts:,} texts used "
            f"({self.changed:,} with another label than the model's), {self.validation_texts:,} of them for validation"
        ]
        if self.conflicting:
            lines.append(f"  {self.conflicting:,} labels left out: people gave the same text different ones")
        if self.contaminated:
            lines.append(
                f"  {self.contaminated:,} texts left out: they are in a test split, as copies or near duplicates"
            )
        for label, count in sorted(self.unknown_labels.items()):
            lines.append(f"  {count:,} labels left out: the taxonomy has no {label!r}")
        return lines


def read_corrections(source: str, elasticsearch: Callable[[], ElasticsearchSettings]) -> list[Correction]:
    """Read all corrections of labels, in the order in which they were made.

    `source` is "index" (the corrections index) or the path of a JSONL file; `elasticsearch` is called only for the
    index. Raises TrainingError naming invalid lines, ConfigError if the file does not exist, and Unavailable,
    AccessDenied or DependencyError if the index cannot be read.
    """
    if source == INDEX:
        from triage.elastic.client import connect
        from triage.elastic.corrections import corrections

        settings = elasticsearch()
        with connect(settings) as client:
            return list(corrections(client, settings))
    path = Path(source)
    if not path.is_file():
        raise ConfigError(f"--with-corrections takes {INDEX}, or a file of `triage corrections`; no such file: {path}")
    found, problems = [], []
    decoder = msgspec.json.Decoder(Correction)
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        if not line.strip():
            continue
        try:
            found.append(decoder.decode(line))
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            problems.append(f"line {number}: {error}")
    if problems:
        more = f"\n  ... and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
        raise TrainingError(f"{path}:" + "".join(f"\n  {problem}" for problem in problems[:_SHOWN]) + more)
    return sorted(found, key=lambda each: each.corrected_at)


def correction_examples(
    corrections: Iterable[Correction], taxonomy: Taxonomy, tests: Sequence[Example] | None = None
) -> tuple[dict[str, list[Example]], CorrectionSummary]:
    """Examples by split, `train` and `validation`, one per text, and a summary of what was used and left out.

    The last correction of a record counts. Copies of a text (texts with the same `text_key`) become one example; a
    label on which their corrections differ is left out. Texts in `tests` (default: every test split of the checkout)
    are left out. A tenth of the others, chosen by a hash of the text, is used for validation: a text stays in its split
    when corrections are added.
    """
    summary = CorrectionSummary()
    latest: dict[str, Correction] = {}
    for each in corrections:
        summary.corrections += 1
        latest[each.record] = each
    summary.records = len(latest)
    by_text: dict[str, list[Correction]] = defaultdict(list)
    for each in latest.values():
        by_text[text_key(each.text)].append(each)
    examples = [_example(group, taxonomy, summary) for group in by_text.values()]
    labelled = [(example, group) for example, group in zip(examples, by_text.values(), strict=True) if example.labelled]
    held_out = HeldOutTexts(all_test_texts() if tests is None else tests)
    contaminated = held_out.matches(example for example, _ in labelled)
    splits: dict[str, list[Example]] = {"train": [], "validation": []}
    for example, group in labelled:
        if text_key(example.text) in contaminated:
            summary.contaminated += 1
            continue
        summary.texts += 1
        summary.changed += any(each.changed for each in group)
        splits["validation" if text_fraction(example.text) < VALIDATION_SHARE else "train"].append(example)
    summary.validation_texts = len(splits["validation"])
    return splits, summary


def all_test_texts() -> list[Example]:
    """The project's own test texts and the committed test splits, without labels; [] outside a checkout."""
    try:
        folder = committed_folder()
    except ConfigError:
        return []
    committed = [
        Example(row["text"], path.parent.name)
        for path in sorted(folder.glob("*/*/*.jsonl.bz2"))
        for row in read_rows(path)
        if isinstance(row.get("text"), str)
    ]
    return project_test_texts() + committed


def _example(group: Sequence[Correction], taxonomy: Taxonomy, summary: CorrectionSummary) -> Example:
    intent = _agreed([each.intent for each in group], taxonomy.intents, summary)
    sentiment = _agreed([each.sentiment for each in group], taxonomy.sentiments, summary)
    return Example(group[-1].text, SOURCE, intent=intent, sentiment=sentiment)


def _agreed(given: Sequence[str | None], known: Sequence[str], summary: CorrectionSummary) -> str | None:
    """The label that all corrections of a text agree on; None if they differ or give no label of the taxonomy."""
    labels = {label for label in given if label is not None}
    for label in sorted(labels - set(known)):
        count = sum(each == label for each in given)
        summary.unknown_labels[label] = summary.unknown_labels.get(label, 0) + count
    labels &= set(known)
    if len(labels) > 1:
        summary.conflicting += 1
        return None
    return next(iter(labels), None)
