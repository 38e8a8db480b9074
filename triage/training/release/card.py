"""Writes the model card, CARD.md of a model folder, from its manifest, metrics and training sets."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from triage.inference.model_files import record_files
from triage.training.data.files import read_json
from triage.training.data.training_sets import TrainingSet
from triage.training.evaluation.metrics import MAIN_METRIC
from triage.training.evaluation.tables import tables
from triage.training.release import commits
from triage.training.release.recipe import reproduction_commands
from triage.training.release.risk_section import risk_section

_COLUMNS = {
    "intent": ("texts", "accuracy", "macro_f1", "ece"),
    "sentiment": ("texts", "accuracy", "macro_f1", "macro_recall", "ece"),
    "entities": ("texts", "entities", "precision", "recall", "f1"),
    "aspects": ("texts", "pairs", "precision", "recall", "f1", "macro_f1", "detection_f1"),
}
_LIMITS = (
    "English and Chinese only; in other languages the labels are unreliable and records flagged `unknown_language`.",
    "Intents were learned mostly from bank and shop requests, and in Chinese from texts that the project wrote itself: "
    "rare wordings and other domains (health, housing, public services) are less reliable.",
    "Irony, and praise and complaint in one text, are often classified by their literal wording.",
    "A product is tagged by its name (iPhone 15, 华为手机), not as a common noun (the phone, 手机).",
    "Trained on texts cut at 128 tokens; longer texts work, but their later parts have less influence.",
)
_TABLES = ("goals", "robustness", "OOS", "selective", "language")
"""First words of the titles of the tables that the card contains besides those of the heads."""
_BASES = {
    "multilingual-e5-small-en-zh": (
        "multilingual-e5-small (MIT; Wang et al. 2024, arXiv:2402.05672), vocabulary reduced to English and Chinese. "
        "The weights come from a package quantized to 4 bits, which costs some quality."
    ),
}
"""Description of an encoder by the name of its folder."""


def write_card(folder: Path, sources: Sequence[TrainingSet]) -> None:
    """Write `folder`/CARD.md from its manifest.json and metrics.json, and list it in the manifest.

    `sources` are the training sets that the card describes.
    """
    manifest, metrics = read_json(folder / "manifest.json"), read_json(folder / "metrics.json")
    (folder / "CARD.md").write_text("\n".join(_lines(manifest, metrics, sources)) + "\n", encoding="utf-8")
    record_files(folder, ["CARD.md"])


def _lines(manifest: dict[str, Any], metrics: dict[str, Any], sources: Sequence[TrainingSet]) -> Iterable[str]:
    encoder, trained = manifest["encoder"], manifest["trained"]
    options = trained.get("options") or {}
    yield f"# {manifest['name']}, version {manifest['version']}"
    yield ""
    yield (
        f"One encoder ({encoder['base']}, {encoder['layers']} layers x {encoder['hidden']}) with these heads: intent "
        f"({len(manifest['intents'])} labels, taxonomy {manifest['taxonomy']}), sentiment (3), entities "
        f"({', '.join(sorted({tag[2:] for tag in manifest['entity_tags'] if tag != 'O'}))})"
        f"{_aspects(manifest)}. "
        f"File: {manifest['files']['model.onnx']['bytes'] / 2**20:.1f} MiB, weights int8 per channel, computed in fp32."
    )
    if about := _BASES.get(encoder["base"]):
        yield from ("", f"Encoder: {about}")
    yield from ("", "Intents: " + ", ".join(f"`{name}`" for name in manifest["intents"]) + ".", "")
    yield from ("## Training", "")
    precision = "bf16 autocast" if options.get("bf16") else "fp32"
    yield (
        f"{trained['texts']:,} texts in {trained['steps']:,} steps and {trained['minutes']} minutes on a CPU "
        f"({precision}), seed {trained['seed']}{_code_of(trained)}. "
        "A text trains only the heads it has labels for."
    )
    for stage in trained.get("earlier_stages") or ():
        limit = (stage.get("options") or {}).get("max_minutes")
        stopped = f" of the {limit:g} planned" if limit and stage["minutes"] < limit - 1 else ""
        yield ""
        yield (
            f"It started from an earlier stage: {stage['texts']:,} texts in {stage['steps']:,} steps and "
            f"{stage['minutes']} minutes{stopped}, seed {stage['seed']}{_code_of(stage)}."
        )
        yield from _averaged(stage)
    yield from _averaged(trained)
    yield from (
        "",
        "| source | licence | training texts | removed: also test texts |",
        "| --- | --- | --- | --- |",
    )
    corpus, dropped = trained.get("corpus") or {}, trained.get("dropped_as_leaks") or {}
    licences = {source.name: source.entry.get("licence", "see its SOURCE.md") for source in sources}
    licences["own"] = "Apache-2.0: written by the project, partly from patterns"
    for name, texts in corpus.items():
        yield f"| {name} | {licences.get(name, 'the owner of the texts')} | {texts:,} | {dropped.get(name, 0):,} |"
    yield ""
    yield (
        "Training texts that are also in a validation or test split were removed, including near duplicates "
        "(equal letters, digits aside, or four fifths of their shingles)."
    )
    if risks := manifest.get("risk_training"):
        yield from ("", *risk_section(risks, manifest["risk_thresholds"]))
    yield from _metrics(metrics)
    calibration = ", ".join(f"{head} {value}" for head, value in manifest["temperature"].items())
    yield (
        f"Temperatures fitted on validation texts: {calibration}. Low confidence below: "
        + ", ".join(f"{head} {value}" for head, value in manifest["low_confidence"].items())
        + "."
    )
    if parity := metrics.get("parity"):
        yield from ("", "## Parity with the trained weights (torch, fp32)", "")
        yield (
            f"On {parity['texts']:,} test texts: same intent {parity['intent_agreement']:.2%}, same sentiment "
            f"{parity['sentiment_agreement']:.2%}, same entity tag {parity['entity_tag_agreement']:.2%} of tokens; "
            f"largest difference of a probability {parity['max_probability_difference']:.3f}, mean "
            f"{parity['mean_probability_difference']:.5f}."
        )
    yield from ("", "## Limits", "")
    for limit in _LIMITS:
        yield f"- {limit}"
    yield from ("", "## Reproduce", "", "```", *reproduction_commands(manifest, trained), "```")
    yield ""
    yield "A run that is limited by time makes a different number of steps on another machine: similar, not identical."


def _metrics(metrics: dict[str, Any]) -> Iterable[str]:
    yield from ("", f"## Metrics on test splits{_limit_note(metrics)}", "")
    for head, columns in _COLUMNS.items():
        tested = {name: heads[head] for name, heads in metrics["packs"].items() if head in heads}
        if not tested:
            continue
        shown = (*columns, f"95 % of {MAIN_METRIC[head]}")
        yield from (f"### {head}", "", f"| set | {' | '.join(shown)} |", "| --- " * (len(shown) + 1) + "|")
        for name, scores in tested.items():
            cells = (*(_cell(scores.get(column)) for column in columns), _interval(scores, MAIN_METRIC[head]))
            yield f"| {name} | {' | '.join(cells)} |"
        yield ""
    yield (
        "`ece` is the expected calibration error (15 bins). An entity counts if its boundaries and its type are exact. "
        "`own_validation` are held-out texts of the project: they show how well its patterns were learned, not how the "
        "model performs on other people's texts; the `check` sets, by another author, do. Intents of the datasets are "
        "mapped to the taxonomy by `sources.yaml`. The origin of the texts: docs/data.md."
    )
    yield ""
    for table in tables(metrics):
        if table.title.startswith(_TABLES):
            yield from (f"### {table.title}", "", f"| {' | '.join(table.columns)} |")
            yield "| --- " * len(table.columns) + "|"
            yield from (f"| {' | '.join(row)} |" for row in table.rows)
            yield ""


def _averaged(stage: dict[str, Any]) -> Iterable[str]:
    for other in stage.get("averaged_with") or ():
        share = f" with a share of {other['share']:.0%}" if "share" in other else ""
        yield (
            f"Its weights were then averaged with those of another run{share}: {other['texts']:,} texts, "
            f"seed {other['seed']}{_code_of(other)}."
        )


def _code_of(run: dict[str, Any]) -> str:
    return f", code of commit `{run['commit']}`" if commits.in_history(run.get("commit")) else ""


def _limit_note(metrics: dict[str, Any]) -> str:
    return f" (at most {metrics['limit']:,} texts per set)" if metrics.get("limit") else ""


def _aspects(manifest: dict[str, Any]) -> str:
    aspects = manifest.get("aspects")
    return f", aspects ({', '.join(aspects)})" if aspects else ""


def _interval(scores: dict[str, Any], name: str) -> str:
    interval = scores.get("interval", {}).get(name)
    return f"{100 * interval[0]:.1f} to {100 * interval[1]:.1f}" if interval else ""


def _cell(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) else f"{100 * value:.1f}"
