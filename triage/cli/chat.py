"""`triage chat`: talks to the bot in a terminal."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from triage.cli.common import ConfigOption, SetOption, settings_from

if TYPE_CHECKING:
    from triage.assist.conversations.facts import TurnFacts
    from triage.assist.conversations.service import Conversations
    from triage.schemas.conversation import Answer


def command(
    model: Annotated[
        bool, typer.Option("--model/--no-model", help="Read texts by the model, or by rules and phrases alone")
    ] = True,
    as_json: Annotated[
        bool, typer.Option("--json", help="Turns in and answers out as JSON, as in POST /v1/conversations/{id}/turns")
    ] = False,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Talk to the bot: a line is a turn. Nothing is stored.

    Needs neither Kafka nor Elasticsearch. With --json a line is a turn as the API takes it. After the end of a
    conversation the next line begins another one; /quit ends, /suggest shows the next steps for an agent.
    """
    from triage.assist.conversations.assemble import build_conversations, build_taker
    from triage.assist.conversations.store import MemoryStore
    from triage.cli.turn_facts import reader
    from triage.redaction import Redactor

    settings = settings_from(config, assignments)
    clock = settings.clock.build()
    read = reader(settings, clock, with_model=model)
    conversations = build_conversations(
        settings, MemoryStore(), build_taker(settings.conversations), Redactor(settings.redaction), clock
    )
    if as_json:
        _speak_json(conversations, read)
    else:
        _speak(conversations, read)


def _speak(conversations: "Conversations", read: "Callable[[str], TurnFacts]") -> None:
    from triage.assist.conversations.errors import TurnRefused
    from triage.assist.conversations.turns import TurnRequest

    number, turn, shown = 1, 0, sys.stdin.isatty()
    last: Answer | None = None
    while True:
        if shown:
            typer.echo("> ", nl=False, err=True)
        line = sys.stdin.readline()
        text = line.strip()
        if not line or text == "/quit":
            return
        if text == "/suggest" and last is not None:
            for position, each in enumerate(last.suggestions, 1):
                typer.echo(f"{position} {each.step}: {each.text} ({each.why})", err=True)
        if not text or text == "/suggest":
            continue
        try:
            request = TurnRequest(turn=turn + 1, speaker="customer", text=text)
            last = conversations.take(f"chat-{number}", request, read(text)).answer
        except TurnRefused as refused:
            typer.secho(str(refused), fg="red", err=True)
            continue
        turn += 1
        _show(last)
        if last.state == "closed":
            number, turn = number + 1, 0


def _show(answer: "Answer") -> None:
    for said in answer.say:
        typer.echo(said.text + (f" [{said.passage}]" if said.passage else ""))
    if answer.handoff is not None:
        summary = f"-- a person takes over: {answer.handoff.reason}\n{answer.handoff.summary}"
        typer.secho(summary, fg="yellow", err=True)
    if answer.state == "closed":
        typer.secho("-- the conversation has ended", fg="yellow", err=True)


def _speak_json(conversations: "Conversations", read: "Callable[[str], TurnFacts]") -> None:
    import msgspec

    from triage.assist.conversations.errors import TurnRefused
    from triage.assist.conversations.turns import TurnRequest

    for line in sys.stdin:
        if not line.strip():
            continue
        try:
            request: TurnRequest = msgspec.json.decode(line, type=TurnRequest)
            actor = "agent" if request.speaker == "agent" else None
            answer = conversations.take("chat-1", request, read(request.text), actor).answer
        except msgspec.MsgspecError as error:
            typer.echo(msgspec.json.encode({"error": {"code": "bad_turn", "message": str(error)}}).decode())
        except TurnRefused as refused:
            typer.echo(msgspec.json.encode({"error": {"code": refused.code, "message": str(refused)}}).decode())
        else:
            typer.echo(msgspec.json.encode(answer).decode())
        sys.stdout.flush()
