"""Reports on an erasure: the places searched, what was found and erased, what remains, and open questions."""

import dataclasses
from collections.abc import Iterable, Iterator
from typing import Any

from triage.clock import rfc3339
from triage.pipeline.erasure.places import Erased
from triage.pipeline.erasure.survey import RECORDED

_MOST_NAMED = 10
NOT_REACHED = (
    "notifications that were sent",
    "snapshots of Elasticsearch",
    "consumers of feedback.enriched that ignore tombstones",
    "dead letters in which no author_id could be read",
)
"""Places that the command cannot erase; docs/security.md explains them."""


def account(erased: Erased, *, dry_run: bool) -> str:
    """Format the result of an erasure as lines, each with a name, a tab and a value."""
    verb = "to erase" if dry_run else "erased"
    where = ", ".join(f"{index} {count:,}" for index, count in sorted(erased.indices.items()))
    lines = [
        f"author\t{', '.join(erased.authors)}",
        f"author keys\t{', '.join(f'version {version} {state}' for version, state in erased.survey.keys.items())}",
        f"looked at\t{', '.join(_looked_at(erased))}",
        f"documents {verb}\t{erased.documents:,}" + (f" ({where})" if where else ""),
        f"dead letters {verb}\t{erased.dead_letters:,}",
        f"alerts whose examples are {verb}\t{erased.alerts:,}",
        f"corrections {verb}\t{erased.corrections:,}",
        f"conversations {verb}\t{erased.conversations:,}",
        f"turns of conversations {verb}\t{erased.turns:,}",
        f"resolved cases {verb}\t{erased.cases:,}",
    ]
    if erased.late:
        lines.append(f"records in flight meanwhile, {verb}\t{erased.late:,}")
    if erased.survey.asked_ms is not None:
        lines.append(
            f"asked before\t{rfc3339(erased.survey.asked_ms)}, {erased.survey.erased_before:,} erased until now"
        )
    lines += [
        f"{each.topic}\t"
        + (
            f"holds the raw text until {rfc3339(each.until_ms)} at the latest"
            if each.until_ms is not None
            else "keeps the raw text: its retention is unlimited or could not be read"
        )
        for each in erased.raw
    ]
    if erased.open_alerts and not dry_run:
        lines.append(
            f"again\t{len(erased.open_alerts)} of these alerts still fire, and the alerter may store the examples "
            f"again: repeat this command when they have resolved ({', '.join(erased.open_alerts)})"
        )
    return "\n".join(lines)


def questions(erased: Erased, source: str) -> list[str]:
    """List the questions to answer before the report can be relied on; [] if there are none."""
    found = []
    if nothing_found(erased):
        found.append(
            f"nothing was found of this author under source {source!r}: is the id exactly as the source sends it, and "
            f"is this its source? The index has {_named_sources(erased)}"
        )
        if set(erased.survey.keys.values()) != {RECORDED}:
            found.append(
                "the index has no check value of an author key, so that a wrong key looks like an author who wrote "
                "nothing: `triage index apply`, run with the keys of the workers, records it"
            )
    if unknown := {version: number for version, number in erased.unknown_versions.items() if number}:
        counts = ", ".join(f"version {version} {number:,}" for version, number in sorted(unknown.items()))
        found.append(
            f"author hashes of unknown keys were not searched ({counts}): this author may be among them; put these "
            "keys into redaction.old_author_keys and repeat the command"
        )
    return found


def remarks(erased: Erased) -> list[str]:
    """List sentences about records that may concern the same person and were not erased or not searched."""
    said = [
        f"the same author id has {number:,} documents under source {name!r}: if it is the same person, repeat the "
        f"command with --source {name!r}"
        for name, number in sorted(erased.survey.other_sources.items())
    ]
    if erased.not_understood:
        said.append(
            f"{erased.not_understood:,} messages in the topics of dead letters and alerts were not written by triage "
            "and were not searched"
        )
    if erased.survey.more_sources:
        said.append("the index has more sources than were compared: the same author id may be under one of those")
    return said


def nothing_found(erased: Erased) -> bool:
    """True if neither this erasure nor an earlier request for the author found anything."""
    return not erased.total and not erased.survey.erased_before


def as_dict(erased: Erased, source: str, *, dry_run: bool, at_ms: int) -> dict[str, Any]:
    """Return the complete report on an erasure as a dict, for `--json` and `--report`.

    Authors appear only as keyed hashes; `at_ms` is the time of the report in ms since the epoch.
    """
    counts = dataclasses.asdict(erased)
    for name in ("survey", "unknown_letters"):
        del counts[name]
    return {
        "at": rfc3339(at_ms),
        "dry_run": dry_run,
        "source": source,
        **{
            name: value
            for name, value in dataclasses.asdict(erased).items()
            if name not in {"survey", "unknown_letters"}
        },
        "keys": erased.survey.keys,
        "looked_at": _looked_at(erased),
        "unknown_key_versions": erased.unknown_versions,
        "other_sources": erased.survey.other_sources,
        "asked_before": None if erased.survey.asked_ms is None else rfc3339(erased.survey.asked_ms),
        "erased_before": erased.survey.erased_before,
        "not_reached": NOT_REACHED,
        "questions": questions(erased, source),
        "remarks": remarks(erased),
    }


def page(erased: Erased, source: str, *, dry_run: bool, at_ms: int) -> str:
    """Format the complete report on an erasure as text, for `--report`."""
    kind = "Search for an author to erase" if dry_run else "Erasure of an author"
    return "\n".join(
        [
            f"{kind}, {rfc3339(at_ms)}, source {source!r}",
            "",
            account(erased, dry_run=dry_run),
            *_listed("Not reached by this command", NOT_REACHED),
            *_listed("Remarks", remarks(erased)),
            *_listed("Open questions", questions(erased, source)),
            "",
        ]
    )


def _looked_at(erased: Erased) -> list[str]:
    return [
        *(f"index {name}" for name in erased.survey.indices),
        f"{erased.letters_read:,} dead letters",
        *([f"{erased.alerts_read:,} alerts in their topic"] if erased.alerts_read else []),
    ]


def _named_sources(erased: Erased) -> str:
    counts = list(erased.survey.sources.items())
    named = [f"{name!r} ({number:,})" for name, number in counts[:_MOST_NAMED]]
    more = len(counts) - len(named)
    return (", ".join(named) or "no records") + (f" and {more:,} more" if more else "")


def _listed(title: str, lines: Iterable[str]) -> Iterator[str]:
    items = [f"- {line}" for line in lines]
    if items:
        yield from ("", f"{title}:", *items)
