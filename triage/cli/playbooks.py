"""`triage playbooks`: checks, draws and replays playbooks; fits and evaluates the order of next steps."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from triage.cli import playbooks_policy
from triage.cli.common import ConfigOption, SetOption, settings_from

if TYPE_CHECKING:
    from triage.assist.playbooks.loader import Playbooks
    from triage.config import Settings

app = typer.Typer(help="Check, draw and replay playbooks of conversations.", no_args_is_help=True)
FolderArgument = Annotated[
    Path | None, typer.Argument(help="Folder of playbooks [conversations.playbooks]", show_default=False)
]


@app.command()
def check(folder: FolderArgument = None, config: ConfigOption = None, assignments: SetOption = None) -> None:
    """Report every mistake in the playbooks, with file, line and step.

    Mistakes are an unknown or unreachable step, a loop without exit, and a missing language, policy, slot, intent or
    webhook.
    """
    found = _load(settings_from(config, assignments), folder)
    for playbook in found.by_name.values():
        typer.echo(f"{playbook.label}\t{playbook.kind}\t{len(playbook.steps)} steps\t{', '.join(playbook.languages)}")
    typer.echo(f"{len(found.by_name)} playbooks are valid", err=True)


@app.command()
def graph(
    name: Annotated[str | None, typer.Argument(help="Name of the playbook [default: all]", show_default=False)] = None,
    form: Annotated[str, typer.Option("--format", help="text, mermaid or dot")] = "text",
    folder: Annotated[
        Path | None, typer.Option(help="Folder of playbooks [conversations.playbooks]", show_default=False)
    ] = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Draw the steps of a playbook: as text, for Mermaid, or for Graphviz (DOT)."""
    from triage.assist.playbooks.graph import FORMATS, drawn
    from triage.errors import ConfigError, did_you_mean

    found = _load(settings_from(config, assignments), folder).by_name
    if form not in FORMATS:
        raise ConfigError(f"--format: {form!r} is not one of {', '.join(FORMATS)}")
    if name is not None and name not in found:
        raise ConfigError(f"no such playbook: {name}{did_you_mean(name, found)}; known: {', '.join(found)}")
    for playbook in found.values():
        if name in {None, playbook.name}:
            typer.echo(drawn(playbook, form))


@app.command()
def replay(
    file: Annotated[
        Path | None, typer.Argument(help="Dialogues, YAML or JSONL [default: the shipped ones]", show_default=False)
    ] = None,
    folder: Annotated[
        Path | None, typer.Option(help="Folder of playbooks [conversations.playbooks]", show_default=False)
    ] = None,
    model: Annotated[
        bool, typer.Option("--model/--no-model", help="Read texts by the model, or by rules and phrases alone")
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object")] = False,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Play scripted dialogues against the bot; exit 1 if one does not end as scripted.

    Also prints how many requests for a person were met, how often the bot handed over without need, and whether it
    answered questions that it must not answer (fraud, legal, safety).
    """
    import msgspec

    from triage.assist.conversations.assemble import build_conversations, build_taker
    from triage.assist.conversations.replay import SHIPPED, read_dialogues
    from triage.assist.conversations.replay import replay as play
    from triage.assist.conversations.store import MemoryStore
    from triage.cli.turn_facts import reader
    from triage.redaction import Redactor

    settings = settings_from(config, assignments)
    clock = settings.clock.build()
    dialogues = read_dialogues(file or SHIPPED)
    taker = build_taker(settings.conversations, playbooks=_load(settings, folder))
    conversations = build_conversations(settings, MemoryStore(), taker, Redactor(settings.redaction), clock)
    found = play(dialogues, conversations, reader(settings, clock, with_model=model))
    if as_json:
        typer.echo(msgspec.json.encode(found).decode())
    else:
        for problem in found.problems:
            typer.echo(problem)
        for line in (
            f"dialogues as scripted\t{found.as_scripted} of {found.dialogues}",
            f"wishes for a person met\t{_share(found.wishes_met, found.wishes)}",
            f"needless hand-offs\t{_share(found.needless, found.led_by_bot)}",
            f"fraud, legal or safety answered by the bot\t{found.never_answered} of {found.never}",
        ):
            typer.echo(line)
    if found.problems:
        raise typer.Exit(1)


def _share(part: int, whole: int) -> str:
    return f"{part} of {whole} ({part / whole:.1%})" if whole else "none in the file"


def _load(settings: "Settings", folder: Path | None) -> "Playbooks":
    """Load the playbooks of a folder, by default that of the settings, with the intents of the model if it is there."""
    from triage.assist.playbooks.loader import load_playbooks
    from triage.errors import TriageError
    from triage.inference.manifest import read_manifest
    from triage.inference.registry import find_folder

    intents = None
    try:
        intents = read_manifest(find_folder(settings.model)).intents
    except TriageError as error:
        typer.echo(f"intents are not checked: {error}", err=True)
    conversations = settings.conversations
    # Shipped playbooks name webhooks that an owner may add: without one the check counts as failed.
    webhooks = None if (folder or conversations.playbooks) is None else conversations.webhooks
    return load_playbooks(folder or conversations.playbooks, intents, webhooks)


for each in (playbooks_policy.fit, playbooks_policy.evaluate, playbooks_policy.convert):
    app.command()(each)
