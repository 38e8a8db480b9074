"""Corrections that people made, as training examples: from the index, or from a file of `triage corrections`."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from triage.config import ElasticsearchSettings
from triage.errors import ConfigError, TrainingError
from triage.schemas.correction import Correction
from triage.training.data.contamination import HeldOut, text_key
from triage.training.data.corpus import share_of
from triage.training.data.datasets import committed_folder, held_out_texts, read_rows
from triage.training.data.examples import Example
from triage.training.data.labels import Taxonomy

INDEX = "index"
SOURCE = "corrections"
VALIDATION_SHARE = 0.1
_SHOWN = 5


@dataclass
class Account:
    """What became of the corrections. `texts` are used, of which `validating` do not train."""

    corrections: int = 0
    records: int = 0
    texts: int = 0
    validating: int = 0
    changed: int = 0
    conflicting: int = 0
    in_a_test: int = 0
    unknown: dict[str, int] = field(default_factory=dict)

    def lines(self) -> list[str]:
        """For people."""
        lines = [
            f"{self.corrections:,} corrections of {self.records:,} records: {self.texts:,} texts used "
            f"({self.changed:,} with another label than the model's), {self.validating:,} of them to validate"
        ]
        if self.conflicting:
            lines.append(f"  {self.conflicting:,} labels left out: people gave the same text different ones")
        if self.in_a_test:
            lines.append(f"  {self.in_a_test:,} texts left out: they stand, or nearly, in a test split")
        for label, count in sorted(self.unknown.items()):
            lines.append(f"  {count:,} labels left out: the taxonomy has no {label!r}")
        return lines


def read_corrections(source: str, elasticsearch: Callable[[], ElasticsearchSettings]) -> list[Correction]:
    """All corrections of `index`, or of a JSONL file, in the order in which they were made.

    Raises TrainingError naming broken lines, ConfigError for no such file, and what Elasticsearch gives cause to.
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


def examples_of(
    corrections: Iterable[Correction], taxonomy: Taxonomy, tests: Sequence[Example] | None = None
) -> tuple[dict[str, list[Example]], Account]:
    """Examples by split, `train` and `validation`, one a text, and what was left out.

    Of a record the last correction counts. Copies of a text (as `text_key` sees them) are one; a label on which their
    corrections differ is left out. Texts of `tests` (default: every test split of the checkout) teach nothing, nor
    validate. A tenth of the rest validates: the same texts however many come later.
    """
    account = Account()
    latest: dict[str, Correction] = {}
    for each in corrections:
        account.corrections += 1
        latest[each.record] = each
    account.records = len(latest)
    by_text: dict[str, list[Correction]] = defaultdict(list)
    for each in latest.values():
        by_text[text_key(each.text)].append(each)
    examples = [_example(group, taxonomy, account) for group in by_text.values()]
    labelled = [(example, group) for example, group in zip(examples, by_text.values(), strict=True) if example.labelled]
    leaks = HeldOut(test_texts() if tests is None else tests).leaks(example for example, _ in labelled)
    splits: dict[str, list[Example]] = {"train": [], "validation": []}
    for example, group in labelled:
        if text_key(example.text) in leaks:
            account.in_a_test += 1
            continue
        account.texts += 1
        account.changed += any(each.changed for each in group)
        splits["validation" if share_of(example.text) < VALIDATION_SHARE else "train"].append(example)
    account.validating = len(splits["validation"])
    return splits, account


def test_texts() -> list[Example]:
    """Texts that the project wrote to test with, and the committed test splits. Empty outside a checkout."""
    try:
        folder = committed_folder()
    except ConfigError:
        return []
    committed = [
        Example(row["text"], path.parent.name)
        for path in sorted(folder.rglob("*.jsonl.gz"))
        for row in read_rows(path)
        if isinstance(row.get("text"), str)
    ]
    return held_out_texts() + committed


def _example(group: Sequence[Correction], taxonomy: Taxonomy, account: Account) -> Example:
    intent = _agreed([each.intent for each in group], taxonomy.intents, account)
    sentiment = _agreed([each.sentiment for each in group], taxonomy.sentiments, account)
    return Example(group[-1].text, SOURCE, intent=intent, sentiment=sentiment)


def _agreed(given: Sequence[str | None], known: Sequence[str], account: Account) -> str | None:
    """The label that all who judged it give; None where they differ, or none is of the taxonomy."""
    labels = {label for label in given if label is not None}
    for label in sorted(labels - set(known)):
        account.unknown[label] = account.unknown.get(label, 0) + sum(each == label for each in given)
    labels &= set(known)
    if len(labels) > 1:
        account.conflicting += 1
        return None
    return next(iter(labels), None)
