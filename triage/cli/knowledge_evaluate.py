"""`triage knowledge evaluate`: figures of the search on labelled questions, and fitting its numbers."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from triage.cli.common import ConfigOption, ElasticsearchOption, SetOption, settings_from

if TYPE_CHECKING:
    from triage.assist.retrieval.parameters import Parameters


def evaluate(
    questions: Annotated[
        list[Path], typer.Option(help="JSON lines of question, language, article (null: none answers); may be repeated")
    ],
    index: Annotated[
        str | None, typer.Option("--index", metavar="NAME", help="Index [default: elasticsearch.knowledge_index]")
    ] = None,
    fit: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Fit weights and confidence on these questions, write them here")
    ] = None,
    parameters: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Fitted numbers to use [default: assist.parameters]")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object")] = False,
    elasticsearch: ElasticsearchOption = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Print hit@1, hit@3, MRR@10, AUROC of the confidence and coverage at 95 % right, with 95 % intervals.

    Coverage is the share of questions that can be answered if 95 % of the answers shall be right. All by words alone,
    by vectors alone and fused, over all audiences: for all questions, by language, for questions that only articles in
    another language answer, and by the field kind of the questions. For all, also tenths of the questions by their
    confidence: its mean, and the share of first articles that are right.
    """
    import json

    from triage.assist.answers.assemble import parameters_of, usable_encoder
    from triage.assist.evaluation.evaluate import measure, report
    from triage.assist.evaluation.questions import read_questions
    from triage.assist.retrieval.parameters import load_parameters
    from triage.assist.retrieval.retriever import Retriever
    from triage.cli.progress import CountProgress
    from triage.clock import SystemClock, from_ms
    from triage.elastic.client import connect
    from triage.elastic.knowledge import read_articles

    settings = settings_from(config, assignments, elasticsearch__url=elasticsearch)
    asked = [question for path in questions for question in read_questions(path)]
    encoder = usable_encoder(settings)
    fitted = load_parameters(parameters) if parameters else parameters_of(settings)
    name = index or settings.elasticsearch.knowledge()
    day = from_ms(settings.clock.build().now_ms()).date().isoformat()
    with connect(settings.elasticsearch) as client, CountProgress("evaluate", SystemClock()) as bar:
        retriever = Retriever(client, name, encoder, fitted)
        languages = {article: each.state.language for article, each in read_articles(client, name).items()}
        measured = measure(retriever, asked, day, settings.assist.max_question_chars, languages, progress=bar.show)
        if fit is not None:
            fitted = _fit(measured, fit, questions, encoder.version if encoder else None)
            retriever = Retriever(client, name, encoder, fitted)
    figures = report(measured, retriever, fitted)
    if as_json:
        typer.echo(json.dumps(figures))
        return
    for line in _lines(figures):
        typer.echo(line)


def _fit(measured: list[Any], path: Path, questions: list[Path], encoder: str | None) -> "Parameters":
    import msgspec

    from triage.assist.evaluation.fit import fit as fit_parameters
    from triage.paths import replace_file

    origin = {"questions": len(measured), "files": [each.name for each in questions], "encoder": encoder}
    fitted = fit_parameters(measured, origin)
    replace_file(path, msgspec.json.format(msgspec.json.encode(fitted), indent=1) + b"\n")
    typer.secho(f"fitted on {len(measured):,} questions, written to {path}; figures on the same questions:", err=True)
    return fitted


def _lines(figures: Mapping[str, Any]) -> Iterator[str]:
    for name, group in figures.items():
        yield f"{name}: {group['questions']:,} questions, {group['unanswerable']:,} without an answer"
        yield f"  {'':8} {'hit@1':22} {'hit@3':22} {'MRR@10':22}"
        for ranking, values in group["rankings"].items():
            cells = (_figure(values[key], values[f"{key}_interval"]) for key in ("hit@1", "hit@3", "mrr@10"))
            yield f"  {ranking:8} " + " ".join(f"{cell:22}" for cell in cells)
        sure = group["abstention"]
        area = "-" if sure["auroc"] is None else _figure(sure["auroc"], sure["auroc_interval"])
        yield (
            f"  confidence: AUROC {area}, coverage at 95 % right {sure['coverage_at_95']:.3f} "
            f"(best possible {sure['best_possible_coverage']:.3f})"
        )
        if name == "all":
            # Of few questions the shares are chance.
            yield "  tenths by confidence, right: " + ", ".join(
                f"{each['confidence']:.2f} {each['right']:.2f}" for each in sure["reliability"]
            )


def _figure(value: float, interval: list[float]) -> str:
    return f"{value:.3f} [{interval[0]:.3f}, {interval[1]:.3f}]"
