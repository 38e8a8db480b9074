"""`triage intents`: intents of your own by a few examples, next to those of the model."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from triage.cli.common import ConfigOption, ElasticsearchOption, SetOption, settings_from
from triage.cli.tables import aligned

if TYPE_CHECKING:
    from triage.assist.own_intents.head import OwnIntentsHead
    from triage.config import Settings

app = typer.Typer(help="Add intents of your own by a few examples, without training.", no_args_is_help=True)
NameArgument = Annotated[str, typer.Argument(help="Name of the intent: up to 40 of a-z 0-9 _")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object per line")]
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_OTHERS = 2_000


@app.command()
def add(
    name: NameArgument,
    examples: Annotated[Path, typer.Option(help="About 8 texts of this intent, one a line, plain or JSON with `text`")],
    others: Annotated[
        Path | None,
        typer.Option(help="At least 200 texts that are not of it [default: the newest 2,000 of the index]"),
    ] = None,
    capture: Annotated[
        float, typer.Option(min=0.0, max=0.2, help="Largest share of the other texts that may be taken for it")
    ] = 0.01,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Fit and report, write nothing")] = False,
    elasticsearch: ElasticsearchOption = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Add an intent, or fit it again: a centroid of sentence vectors, and a limit that few other texts reach.

    Examples are redacted and only their vectors are stored. The model's own intents stay as they are: records get the
    field own_intents, where intents.enrich is on.
    """
    from triage.assist.own_intents.fitting import fit_intent
    from triage.assist.own_intents.head import empty_head, read_head, write_head
    from triage.assist.own_intents.matching import required_encoder
    from triage.assist.own_intents.reading import newest_texts, read_texts
    from triage.clock import rfc3339
    from triage.elastic.client import connect
    from triage.redaction import Redactor

    settings = settings_from(config, assignments, elasticsearch__url=elasticsearch)
    _require_free_name(settings, name)
    redactor = Redactor(settings.redaction)
    shown = [redactor.redact_text(row.text, None) for row in read_texts(examples)]
    encoder = required_encoder(settings)
    if others is not None:
        rest = [redactor.redact_text(row.text, None) for row in read_texts(others)]
    else:
        with connect(settings.elasticsearch) as client:
            rest = newest_texts(client, settings.elasticsearch, _OTHERS)
    rest = [text for text in rest if text not in set(shown)]
    inside, outside = encoder.encode_questions(shown), encoder.encode_questions(rest)
    path = settings.intents.path
    head = read_head(path, encoder.version)
    if head is None and rest:
        head = empty_head(encoder.version, outside)
    added_at = rfc3339(settings.clock.build().now_ms())
    assert head is not None or not rest
    fit = fit_intent(name, inside, outside, head or empty_head(encoder.version, inside), added_at, capture)
    added = fit.added
    typer.echo(
        f"{name}\t{added.examples} examples, {added.resemblance:.0%} found when left out\t"
        f"{added.captured:.2%} of {added.others:,} other texts captured"
    )
    for doubt in fit.doubts:
        typer.echo(f"note: {doubt}", err=True)
    if not dry_run:
        assert head is not None
        write_head(head.with_intent(added, fit.centroid), path)
        typer.echo(f"{path} written", err=True)


@app.command(name="list")
def show(as_json: JsonOption = False, config: ConfigOption = None, assignments: SetOption = None) -> None:
    """Print your own intents, with the number of their examples and how they were fitted."""
    import msgspec

    head = _head(settings_from(config, assignments))
    if as_json:
        for each in head.intents:
            typer.echo(msgspec.json.encode(each).decode())
        return
    rows = [["INTENT", "EXAMPLES", "FOUND LEFT OUT", "OTHERS CAPTURED", "ADDED"]]
    rows += [
        [each.name, str(each.examples), f"{each.resemblance:.0%}", f"{each.captured:.2%}", each.added_at[:10]]
        for each in head.intents
    ]
    for line in aligned(rows):
        typer.echo(line)


@app.command()
def remove(name: NameArgument, config: ConfigOption = None, assignments: SetOption = None) -> None:
    """Remove an intent. Records that have it keep it until they are enriched again."""
    from triage.assist.own_intents.head import write_head

    settings = settings_from(config, assignments)
    head = _head(settings)
    _require_known(head, name)
    write_head(head.without(name), settings.intents.path)
    typer.echo(f"{name} removed", err=True)


@app.command()
def evaluate(
    data: Annotated[Path, typer.Option(help="JSON lines of text and label; labels that are not yours are other texts")],
    as_json: JsonOption = False,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Print the recall of each intent, and the share of other texts that it captures, with 95 % intervals."""
    import msgspec

    from triage.assist.own_intents.fitting import evaluate as run
    from triage.assist.own_intents.matching import required_encoder
    from triage.assist.own_intents.reading import read_texts

    settings = settings_from(config, assignments)
    head, rows = _head(settings), read_texts(data)
    found = run(head, required_encoder(settings).encode_questions([row.text for row in rows]), [r.label for r in rows])
    if as_json:
        for each in found:
            typer.echo(msgspec.json.encode(each).decode())
        return
    table = [["INTENT", "TEXTS", "RECALL", "95 %", "OTHERS", "CAPTURED", "95 %"]]
    table += [
        [
            each.name,
            str(each.texts),
            f"{each.recall[0]:.1%}",
            f"{each.recall[1]:.1%} to {each.recall[2]:.1%}",
            str(each.others),
            f"{each.captured_share[0]:.2%}",
            f"{each.captured_share[1]:.2%} to {each.captured_share[2]:.2%}",
        ]
        for each in found
    ]
    for line in aligned(table):
        typer.echo(line)


@app.command()
def match(
    texts: Annotated[list[str], typer.Argument(help="Texts")],
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Print, for each text, how near each own intent is: similarity, limit, and whether the limit is reached."""
    from triage.assist.own_intents.matching import required_encoder
    from triage.redaction import Redactor

    settings = settings_from(config, assignments)
    head, redactor = _head(settings), Redactor(settings.redaction)
    shown = [redactor.redact_text(text, None) for text in texts]
    for text, row in zip(shown, head.similarities(required_encoder(settings).encode_questions(shown)), strict=True):
        for place in (-row).argsort():
            each, near = head.intents[place], float(row[place])
            taken = "yes" if near >= each.limit else "no"
            typer.echo(f"{text[:60]}\t{each.name}\t{near:.3f}\t{each.limit:.3f}\t{taken}")


def _head(settings: "Settings") -> "OwnIntentsHead":
    from triage.assist.own_intents.head import read_head
    from triage.assist.own_intents.matching import required_encoder
    from triage.errors import ConfigError

    path = settings.intents.path
    head = read_head(path, required_encoder(settings).version)
    if head is None:
        raise ConfigError(f"no own intents in {path}: add one by `triage intents add NAME --examples FILE`")
    return head


def _require_known(head: "OwnIntentsHead", name: str) -> None:
    from triage.assist.own_intents.head import names_of
    from triage.errors import ConfigError, did_you_mean

    names = [each.name for each in head.intents]
    if name not in names:
        raise ConfigError(f"no own intent {name!r}{did_you_mean(name, names)}; there are: {names_of(head.intents)}")


def _require_free_name(settings: "Settings", name: str) -> None:
    """Raise ConfigError for an invalid name, or for that of an intent that the model has."""
    from triage.errors import ConfigError, TriageError
    from triage.inference.manifest import read_manifest
    from triage.inference.registry import find_folder

    if not _NAME.fullmatch(name):
        raise ConfigError(f"{name!r} is not a valid name; use up to 40 of a-z 0-9 _, beginning with a letter")
    try:
        known = read_manifest(find_folder(settings.model)).intents
    except TriageError:
        return
    if name in known:
        raise ConfigError(
            f"the model has an intent {name!r}; own intents stand next to the model's: choose another name"
        )
