"""`triage playbooks fit`, `evaluate` and `convert`: the learnt order of next steps, and tasks as playbooks."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from triage.cli.common import ConfigOption, SetOption, settings_from

if TYPE_CHECKING:
    from triage.assist.policy.evaluation import Score

DataOption = Annotated[
    Path, typer.Option("--data", help="Dialogues in the form of STAR, JSONL, plain or .gz", show_default=False)
]
TasksOption = Annotated[Path, typer.Option("--tasks", help="Their tasks: tasks.json", show_default=False)]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object")]


def fit(
    data: Annotated[
        Path | None, typer.Option("--data", help="Dialogues in the form of STAR", show_default=False)
    ] = None,
    tasks: Annotated[Path | None, typer.Option("--tasks", help="Their tasks: tasks.json", show_default=False)] = None,
    output: Annotated[Path, typer.Option("--output", help="Folder for the policy")] = Path("policy"),
    penalty: Annotated[float, typer.Option(min=0.01, help="Penalty of weights: more for fewer dialogues")] = 5.0,
    iterations: Annotated[int, typer.Option(min=1, max=1_000, help="Most steps of the fit")] = 45,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Learn which of the steps that a playbook allows agents take next; write the policy as ONNX.

    It learns from the suggestions that your agents picked, in the conversations of Elasticsearch, or from dialogues in
    files, with --data and --tasks. Set conversations.policy to the folder. Needs the extra train; some minutes for
    4,600 dialogues.
    """
    from triage.assist.policy import command
    from triage.errors import ConfigError

    def progress(line: str) -> None:
        typer.echo(line, err=True)

    if data is not None and tasks is not None:
        command.fit(data, tasks, output, penalty, iterations, progress)
        return
    if data is not None or tasks is not None:
        raise ConfigError("--data and --tasks belong together; without both, the picks of your agents are learnt from")
    from triage.assist.playbooks.loader import load_playbooks
    from triage.elastic.client import connect
    from triage.elastic.conversations import pages

    settings = settings_from(config, assignments)
    playbooks = load_playbooks(settings.conversations.playbooks)
    with connect(settings.elasticsearch) as client:
        found = pages(client, settings.elasticsearch)
        command.fit_picks(found, playbooks, output, penalty, iterations, progress)


def evaluate(
    data: DataOption,
    tasks: TasksOption,
    policy: Annotated[Path, typer.Option("--policy", help="Folder that `fit` wrote")] = Path("policy"),
    train: Annotated[
        Path | None,
        typer.Option("--unseen", help="Training dialogues: leave out each task in turn instead", show_default=False),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Score a policy on dialogues, with the graph alone and the most frequent action as baselines.

    With --unseen each task is left out of fitting in turn, so no policy is needed.
    """
    import msgspec

    from triage.assist.policy.command import evaluate as run
    from triage.assist.policy.command import evaluate_unseen

    if train is not None:
        unseen = evaluate_unseen(data, train, tasks, lambda line: typer.echo(line, err=True))
        if as_json:
            typer.echo(msgspec.json.encode(unseen).decode())
        else:
            typer.echo(f"accuracy on tasks left out\t{unseen.policy:.3f}\tgraph alone\t{unseen.graph_alone:.3f}")
        return
    found = run(data, tasks, policy)
    if as_json:
        typer.echo(msgspec.json.encode(found).decode())
        return
    typer.echo("ranking\tdecisions\taccuracy\tweighted F1\trecall@3\tsurest 50 %\t70 %\t90 %\tillegal steps")
    for name in found.__struct_fields__:
        typer.echo(_line(name.replace("_", " "), getattr(found, name)))


def convert(
    tasks: TasksOption,
    output: Annotated[Path, typer.Option("--output", help="Folder for the playbooks")] = Path("playbooks"),
) -> None:
    """Write each task of a `tasks.json` in the form of STAR as a playbook, which `check` and `graph` take."""
    import msgspec

    from triage.assist.policy.convert import playbook_of_task
    from triage.assist.policy.dialogues import read_tasks

    output.mkdir(parents=True, exist_ok=True)
    for name, task in read_tasks(tasks).items():
        content = msgspec.yaml.encode(playbook_of_task(name, task))
        (output / f"{name}.yaml").write_bytes(content)
    typer.echo(f"{output}: check them with `triage playbooks check {output}`", err=True)


def _line(name: str, score: "Score") -> str:
    values = [score.accuracy, score.weighted_f1, score.recall_at_3, *score.surest.values()]
    shown = "\t".join(f"{value:.3f}" for value in values)
    return f"{name}\t{score.decisions}\t{shown}\t{score.illegal}"
