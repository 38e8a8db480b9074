"""`triage knowledge`: checks, plans and applies articles, searches them, and measures the search."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from triage.cli import knowledge_encoder
from triage.cli.common import ConfigOption, ElasticsearchOption, SetOption, settings_from
from triage.cli.knowledge_evaluate import evaluate

if TYPE_CHECKING:
    from triage.assist.knowledge.plan import KnowledgePlan
    from triage.assist.knowledge.problems import Collection
    from triage.config import Settings

app = typer.Typer(help="Articles that answer customers: check, plan, apply, search, evaluate.", no_args_is_help=True)
app.add_typer(knowledge_encoder.app, name="encoder")
app.command()(evaluate)

FolderArgument = Annotated[
    Path, typer.Argument(metavar="FOLDER", help="Folder, or one file, of Markdown, HTML, CSV, JSON or JSON lines")
]
IndexOption = Annotated[
    str | None, typer.Option("--index", metavar="NAME", help="Index [default: elasticsearch.knowledge_index]")
]
StrictOption = Annotated[bool, typer.Option("--strict", help="Do nothing, exit 1, if an article is refused")]
_MOST_SHOWN = 20
_MANY = 500
_MOST_PROBLEMS = 200


@app.command()
def check(folder: FolderArgument, config: ConfigOption = None, assignments: SetOption = None) -> None:
    """Read all articles and name what is refused, with file and line; nothing is sent.

    Refused are articles that lack or repeat an id, are past their date, or hold personal data. Exit 1 if there are any.
    """
    settings = settings_from(config, assignments)
    found = _read(settings, folder)
    _say_problems(found)
    if found.problems:
        raise typer.Exit(1)


@app.command()
def plan(
    folder: FolderArgument,
    index: IndexOption = None,
    elasticsearch: ElasticsearchOption = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Show what `apply` would create, update and delete in the index. Exit 1 if an article is refused."""
    settings = settings_from(config, assignments, elasticsearch__url=elasticsearch)
    found = _read(settings, folder)
    _say_problems(found)
    from triage.assist.answers.assemble import usable_encoder
    from triage.assist.knowledge.plan import plan_knowledge
    from triage.elastic.client import connect
    from triage.elastic.knowledge import find_leftovers, read_articles

    encoder = usable_encoder(settings)
    name = index or settings.elasticsearch.knowledge()
    with connect(settings.elasticsearch) as client:
        indexed = read_articles(client, name)
        incomplete = find_leftovers(client, name, indexed).incomplete
    version = encoder.version if encoder else None
    planned = plan_knowledge(found, indexed, settings.assist.passage_tokens, version, incomplete)
    _show(planned)
    if found.problems:
        raise typer.Exit(1)


@app.command()
def apply(
    folder: FolderArgument,
    index: IndexOption = None,
    strict: StrictOption = False,
    delete_many: Annotated[
        bool, typer.Option("--delete-many", help="Also if most of the indexed articles are not in this folder")
    ] = False,
    elasticsearch: ElasticsearchOption = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Bring the index up to a folder of articles: what is new, changed and deleted.

    A refused article is named and keeps its indexed version; the others are applied. Interrupted, it continues where it
    was. Articles get vectors if the sentence encoder is built (`triage knowledge encoder build`).
    """
    from triage.assist.answers.assemble import usable_encoder
    from triage.assist.knowledge.apply import KnowledgeWriter
    from triage.assist.knowledge.plan import plan_knowledge
    from triage.assist.knowledge.tokens import TokenCounter
    from triage.cli.progress import CountProgress
    from triage.clock import SystemClock
    from triage.elastic import knowledge as store
    from triage.elastic.client import connect

    settings = settings_from(config, assignments, elasticsearch__url=elasticsearch)
    name = index or settings.elasticsearch.knowledge()
    found = _read(settings, folder)
    _say_problems(found)
    if strict and found.problems:
        raise typer.Exit(1)
    encoder = usable_encoder(settings)
    clock = SystemClock()
    with connect(settings.elasticsearch) as client, CountProgress("knowledge", clock) as bar:
        store.ensure_index(client, name)
        indexed = store.read_articles(client, name)
        tokens = settings.assist.passage_tokens
        incomplete = store.find_leftovers(client, name, indexed).incomplete
        planned = plan_knowledge(found, indexed, tokens, encoder.version if encoder else None, incomplete)
        if not delete_many:
            planned.require_few_deletions(len(indexed))
        writer = KnowledgeWriter(client, name, encoder, TokenCounter(), tokens, clock)
        done = writer.apply(planned, found.articles, indexed, bar.show)
    counts = {
        "created": len(planned.create),
        "updated": len(planned.update),
        "encoded again": len(planned.encode),
        "deleted": done.deleted,
        "unchanged": planned.unchanged,
    }
    typer.echo(
        f"{name}: {', '.join(f'{number:,} {what}' for what, number in counts.items())}; "
        f"{done.passages:,} passages written"
        + (f", {done.swept:,} left from an interrupted run deleted" if done.swept else "")
    )
    if done.contested:
        _warn(
            f"{done.contested:,} articles were changed by another apply at the same time: each has one version, whole"
        )
    if encoder is None:
        _warn("without vectors: answers are found by words alone (triage knowledge encoder build, then apply again)")


@app.command()
def search(
    question: Annotated[str, typer.Argument(help="Question; - reads it from standard input")],
    language: Annotated[str | None, typer.Option(help="Its language [default: that of its words]")] = None,
    audience: Annotated[str, typer.Option(help="public, or internal: all articles")] = "internal",
    product: Annotated[str | None, typer.Option(help="Only articles of this product, and of all products")] = None,
    intent: Annotated[str | None, typer.Option(help="Only articles of this intent, and of all intents")] = None,
    k: Annotated[int, typer.Option("-k", min=1, max=50, help="Articles of the ranking")] = 3,
    as_json: Annotated[bool, typer.Option("--json", help="The object that POST /v1/answers returns")] = False,
    index: IndexOption = None,
    elasticsearch: ElasticsearchOption = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Answer a question from the index, word for word with its source, or say why not. Exit 1 without an answer."""
    import sys

    import msgspec

    from triage.assist.answers.answerer import WHY_NOT
    from triage.assist.answers.assemble import build_answerer, usable_encoder
    from triage.assist.answers.model import Question
    from triage.elastic.client import connect
    from triage.errors import ConfigError

    settings = settings_from(config, assignments, elasticsearch__url=elasticsearch)
    text = sys.stdin.read() if question == "-" else question
    if audience not in {"public", "internal"}:
        raise ConfigError(f"--audience is public or internal, not {audience!r}")
    asked = Question(
        question=text, language=language, audience=_audience(audience), product=product, intent=intent, k=k
    )
    with connect(settings.elasticsearch) as client:
        answerer = build_answerer(settings, client, settings.clock.build(), usable_encoder(settings), index=index)
        answer = answerer.answer(asked, text)
    if as_json:
        typer.echo(msgspec.json.encode(answer).decode())
    else:
        for span in answer.answer:
            typer.echo(f"{span.title} ({span.passage}, version {span.version})\n\n{span.text}\n")
        typer.echo(f"confidence {answer.confidence:.0%}" + (f": {WHY_NOT[answer.why_not]}" if answer.why_not else ""))
        for number, each in enumerate(answer.ranking, 1):
            typer.echo(f"{number}. {each.score:.3f} {each.passage}  {each.title}")
        if answer.why_degraded:
            _warn(f"by words alone: {answer.why_degraded}")
    if not answer.answered and not as_json:
        raise typer.Exit(1)


@app.command()
def versions(
    article: Annotated[str, typer.Argument(help="Id of the article")],
    text: Annotated[
        str | None, typer.Option("--text", metavar="VERSION", help="Print the text of this version")
    ] = None,
    index: IndexOption = None,
    elasticsearch: ElasticsearchOption = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """List all versions of an article with the time of their first `apply`, also after the article was deleted."""
    from triage.elastic.client import connect
    from triage.elastic.knowledge import read_article, read_versions

    settings = settings_from(config, assignments, elasticsearch__url=elasticsearch)
    name = index or settings.elasticsearch.knowledge()
    with connect(settings.elasticsearch) as client:
        current = read_article(client, name, article)
        found = read_versions(client, name, article)
    for each, version, at in found:
        if text is None:
            mark = "*" if current is not None and current.state.version == version else " "
            typer.echo(f"{mark} {version}  {at}  {each.title}")
        elif version == text:
            typer.echo(each.body)
            return
    if not found or text is not None:
        typer.secho(f"{name} has no article {article!r}" + (f" of version {text!r}" if text else ""), err=True)
        raise typer.Exit(1)


def _read(settings: "Settings", folder: Path) -> "Collection":
    from triage.assist.knowledge.personal import PersonalData
    from triage.assist.knowledge.reading import read_folder
    from triage.cli.progress import CountProgress
    from triage.clock import SystemClock, from_ms
    from triage.redaction import Redactor

    personal = PersonalData(Redactor(settings.redaction), settings.assist.own_contacts)
    today = from_ms(settings.clock.build().now_ms()).date()
    with CountProgress("reading", SystemClock()) as bar:
        return read_folder(
            folder, today, personal, lambda done, total: bar.show(done, total) if total > _MANY else None
        )


def _say_problems(found: "Collection") -> None:
    for problem in found.problems[:_MOST_PROBLEMS]:
        typer.secho(str(problem), fg="red", err=True)
    if (more := len(found.problems) - _MOST_PROBLEMS) > 0:
        typer.secho(f"and {more:,} more problems", fg="red", err=True)
    refused = len({(each.path, each.article or each.line) for each in found.problems})
    ignored = f", {len(found.ignored):,} other files left out" if found.ignored else ""
    ignored += f", {found.drafts:,} drafts left out" if found.drafts else ""
    typer.secho(
        f"{len(found.articles):,} articles in {found.files:,} files, {refused:,} refused{ignored}",
        fg="red" if refused else None,
        err=True,
    )
    if found.detected:
        counts = ", ".join(f"{number:,} {language}" for language, number in sorted(found.detected.items()))
        typer.secho(f"language found by the text, as none is named: {counts}", err=True)


def _show(planned: "KnowledgePlan") -> None:
    for sign, verb, names in (
        ("+", "create", planned.create),
        ("~", "update", planned.update),
        ("~", "encode again", planned.encode),
        ("-", "delete", planned.delete),
        ("=", "keep, refused now", planned.kept),
    ):
        for name in names[:_MOST_SHOWN]:
            typer.echo(f"{sign} {verb} {name}")
        if len(names) > _MOST_SHOWN:
            typer.echo(f"{sign} {verb} {len(names) - _MOST_SHOWN:,} more")
    typer.echo(f"{planned.unchanged:,} unchanged" + ("" if planned else "; nothing to do"))


def _audience(name: str) -> Literal["public", "internal"]:
    return "internal" if name == "internal" else "public"


def _warn(text: str) -> None:
    typer.secho(text, fg="yellow", err=True)
