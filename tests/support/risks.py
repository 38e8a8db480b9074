"""Invented records with an outcome that follows from their words, and a model fitted on them."""

import random
from functools import lru_cache
from pathlib import Path
from typing import Any

from records import AT_MS, enriched

from triage.assist.risk.definition import Definition, definition_of
from triage.assist.risk.fitting import fit_model, split_by_time
from triage.assist.risk.labelling import Example, label_records
from triage.risk.model import RiskModel, read_model, write_model
from triage.schemas.enriched import EnrichedRecord, Event

HOUR_MS = 3_600_000
GOOD = ["thanks", "quick", "fine", "friendly", "works"]
BAD = ["refund", "broken", "lawyer", "never", "ignored"]
DEFINITION: dict[str, Any] = {
    "version": 1,
    "name": "relief",
    "target": {"column": {"attribute": "closed", "values": ["relief"]}},
    "attributes": ["issue"],
}


def records(number: int = 900, seed: int = 1, rate: float = 0.8) -> list[EnrichedRecord]:
    """Records an hour apart; bad words come with relief in a share `rate` of them, good ones in a tenth."""
    chance = random.Random(seed)
    found = []
    for count in range(number):
        bad = chance.random() < 0.5
        words = [chance.choice(BAD if bad else GOOD) for _ in range(4)] + [f"w{chance.randrange(50)}"]
        happened = chance.random() < (rate if bad else 0.1)
        record = enriched(
            " ".join(words),
            AT_MS + count * HOUR_MS,
            product="kettle" if chance.random() < 0.5 else "lamp",
            attributes={"closed": "Relief" if happened else "explained", "issue": chance.choice(["late", "fee"])},
        )
        record.event = Event(str(count), record.event.ingested)
        found.append(record)
    return found


def defined(**changes: Any) -> Definition:
    return definition_of(DEFINITION | changes, where="risk.yaml", folder=Path())


def examples(found: list[EnrichedRecord] | None = None, definition: Definition | None = None) -> list[Example]:
    return label_records(found or records(), definition or defined(), AT_MS * 2).examples


@lru_cache(1)
def fitted() -> RiskModel:
    definition = defined()
    return fit_model(definition, split_by_time(examples(), 0), AT_MS)


def write_fitted(path: Path) -> RiskModel:
    write_model(fitted(), path)
    return read_model(path)
