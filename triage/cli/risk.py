"""`triage risk`: fits, evaluates, describes and applies estimates of an outcome that you define."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from triage.cli.common import ConfigOption, ElasticsearchOption, SetOption, settings_from
from triage.cli.tables import aligned

if TYPE_CHECKING:
    from collections.abc import Sequence

    from triage.assist.risk.definition import Definition
    from triage.assist.risk.evaluation import Evaluation
    from triage.assist.risk.labelling import Labelled
    from triage.config import Settings
    from triage.schemas.enriched import EnrichedRecord

app = typer.Typer(
    help="Estimate an outcome from your own records. For the order of work, never for a decision about a person.",
    no_args_is_help=True,
)
ModelArgument = Annotated[Path, typer.Argument(metavar="MODEL", help="File that `triage risk fit` wrote")]
DataOption = Annotated[
    Path | None,
    typer.Option("--data", metavar="FILE", help="Records of `triage enrich`, JSONL [default: the index]"),
]
DaysOption = Annotated[int, typer.Option("--days", min=1, max=3_660, help="Days of the index, up to --until")]
UntilOption = Annotated[str, typer.Option("--until", help="End of the time: RFC 3339, or 12h, 3d ago")]
MostOption = Annotated[int, typer.Option("--most", min=1_000, help="Refuse to read more records than this")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object")]
_DAY_MS = 86_400_000


@app.command()
def fit(
    definition: Annotated[Path, typer.Argument(help="YAML file with the outcome and the features (docs/risk.md)")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write [default: NAME.npz]", show_default=False)
    ] = None,
    data: DataOption = None,
    days: DaysOption = 365,
    until: UntilOption = "now",
    most: MostOption = 200_000,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Count the outcomes and the records without one; fit nothing")
    ] = False,
    elasticsearch: ElasticsearchOption = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Fit a model on your records, calibrate it, and print its card. Refused below 200 records with the outcome.

    Split by time: 60 % for the weights, 20 % for penalty and calibration, the last 20 % for the card's figures.
    """
    from triage.assist.risk.card import card_text
    from triage.assist.risk.definition import read_definition
    from triage.assist.risk.fitting import fit_model, require_enough, split_by_time
    from triage.risk.model import read_model, write_model

    settings = settings_from(config, assignments, elasticsearch__url=elasticsearch)
    defined = read_definition(definition)
    labelled = _labelled(settings, defined, data, days, until, most)
    _show_counts(labelled)
    splits = split_by_time(labelled.examples, defined.window_ms)
    if dry_run:
        require_enough(splits, labelled.positives)
        typer.echo("enough to fit", err=True)
        return
    now_ms = settings.clock.build().now_ms()
    path = output or Path(f"{defined.name}.npz")
    write_model(fit_model(defined, splits, now_ms, lambda line: typer.echo(line, err=True)), path)
    typer.echo(card_text(read_model(path)), nl=False)
    typer.echo(f"{path} written; name it in risk.models to score new records", err=True)


@app.command()
def evaluate(
    model: ModelArgument,
    definition: Annotated[
        Path | None, typer.Option(help="YAML file to label by [default: the one of the fit]", show_default=False)
    ] = None,
    data: DataOption = None,
    days: DaysOption = 90,
    until: UntilOption = "now",
    most: MostOption = 200_000,
    every: Annotated[bool, typer.Option("--all", help="Also records that the fit has seen")] = False,
    as_json: JsonOption = False,
    elasticsearch: ElasticsearchOption = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Measure a model on records after its fit: AUC, calibration, levels, and how far scores have drifted."""
    import msgspec

    from triage.assist.risk.definition import definition_of, read_definition
    from triage.assist.risk.evaluation import evaluate as run
    from triage.assist.risk.evaluation import unseen
    from triage.risk.model import read_model

    settings = settings_from(config, assignments, elasticsearch__url=elasticsearch)
    fitted = read_model(model)
    defined = (
        read_definition(definition)
        if definition
        else definition_of(fitted.header.definition, where=str(model), folder=model.parent)
    )
    labelled = _labelled(settings, defined, data, days, until, most)
    _show_counts(labelled)
    examples = labelled.examples if every else unseen(fitted, labelled.examples)
    found = run(fitted, examples, len(labelled.examples) - len(examples))
    typer.echo(msgspec.json.encode(found).decode() if as_json else "\n".join(_evaluated(found)))


@app.command()
def card(model: ModelArgument) -> None:
    """Print the card: definition, records, figures, levels, strongest labels, drift and limits, as Markdown."""
    from triage.assist.risk.card import card_text
    from triage.risk.model import read_model

    typer.echo(card_text(read_model(model)), nl=False)


@app.command()
def score(
    model: ModelArgument,
    data: DataOption = None,
    days: DaysOption = 7,
    until: UntilOption = "now",
    most: MostOption = 200_000,
    first: Annotated[int, typer.Option(min=1, max=100_000, help="Records to print, highest score first")] = 20,
    at_least: Annotated[float, typer.Option(min=0, max=1, help="Least probability")] = 0.0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per record")] = False,
    elasticsearch: ElasticsearchOption = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Print the records with the highest scores and the reasons; the index is not changed.

    Reasons are terms of the text and labels of the record with what they add to the log-odds.
    """
    import msgspec

    from triage.assist.risk.labelling import Timeline
    from triage.clock import parse_rfc3339
    from triage.risk.features import HISTORY_DAYS
    from triage.risk.model import NOTICE, read_model

    settings = settings_from(config, assignments, elasticsearch__url=elasticsearch)
    fitted = read_model(model)
    earlier = HISTORY_DAYS if fitted.needs_history else 0
    records, start_ms = _records(settings, data, days + earlier, until, most)
    timeline = Timeline(records)
    found = []
    for record in records:
        at_ms = parse_rfc3339(record.timestamp)
        if record.written and at_ms >= start_ms + earlier * _DAY_MS:
            history = timeline.before(record, at_ms)
            found.append((fitted.score(record, history), record, history))
    found.sort(key=lambda each: -each[0].probability)
    typer.echo(NOTICE, err=True)
    for result, record, history in found[:first]:
        if result.probability < at_least:
            break
        reasons = fitted.reasons(record, history)
        if as_json:
            shown = {"id": record.event.id, "score": result, "reasons": reasons, "text": record.text, "notice": NOTICE}
            typer.echo(msgspec.json.encode(shown).decode())
        else:
            told = ", ".join(f"{reason.what} {reason.weight:+.2f}" for reason in reasons)
            text = " ".join(record.text.split())[:100]
            typer.echo(f"{result.probability:.3f}\t{result.level}\t{record.event.id}\t{text}\t{told}")


def _labelled(
    settings: "Settings", defined: "Definition", data: Path | None, days: int, until: str, most: int
) -> "Labelled":
    from triage.assist.risk.labelling import label_records
    from triage.redaction import Redactor

    records, _ = _records(settings, data, days, until, most)
    hashes = Redactor(settings.redaction).author_hashes
    return label_records(records, defined, settings.clock.build().now_ms(), hashes)


def _records(
    settings: "Settings", data: Path | None, days: int, until: str, most: int
) -> "tuple[Sequence[EnrichedRecord], int]":
    """The records, and the start of their time; 0 for those of a file."""
    from triage.assist.risk.reading import read_file, read_index
    from triage.cli.times import moment_ms
    from triage.elastic.client import connect

    if data is not None:
        return read_file(data), -_DAY_MS * 3_660
    end_ms = moment_ms(until, settings.clock.build().now_ms(), "--until")
    assert end_ms is not None
    start_ms = max(0, end_ms - days * _DAY_MS)
    with connect(settings.elasticsearch) as client:
        return read_index(client, settings.elasticsearch, start_ms, end_ms, most), start_ms


def _show_counts(labelled: "Labelled") -> None:
    typer.echo(
        f"{labelled.records:,} records, {len(labelled.examples):,} with a known outcome, of which it happened for "
        f"{labelled.positives:,}",
        err=True,
    )
    for reason, number in labelled.left_out.most_common():
        typer.echo(f"  left out: {number:,} {reason}", err=True)
    if labelled.other_values and not labelled.positives:
        known = ", ".join(f"{value!r} ({number:,})" for value, number in labelled.other_values.most_common(5))
        typer.echo(f"  the column has other values: {known}", err=True)


def _evaluated(found: "Evaluation") -> list[str]:
    measures = found.measures
    seen = f"; {found.seen:,} that the fit has seen are left out" if found.seen else ""
    rows = [
        ["records", f"{measures.records:,}, {measures.positives:,} with the outcome{seen}"],
        ["AUC", f"{measures.auc:.3f} (95 %: {measures.auc_low:.3f} to {measures.auc_high:.3f})"],
        ["calibration error", f"{measures.ece:.3f}"],
        ["Brier score", f"{measures.brier:.4f}, the share alone {measures.brier_of_base_rate:.4f}"],
        ["share with the outcome", f"{found.base_rate:.1%}, at the fit {found.base_rate_at_fit:.1%}"],
        ["stability index of scores", f"{found.stability:.3f}"],
    ]
    rows += [
        [
            f"level {name}",
            f"{level.records:,} records, {level.precision:.1%} with the outcome, {level.recall:.1%} of all",
        ]
        for name, level in measures.levels.items()
    ]
    return [*aligned(rows), *(f"note: {note}" for note in found.notes), found.notice]
