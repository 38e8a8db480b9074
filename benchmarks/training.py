"""Compares encoders and training methods on small equal budgets: `python -m benchmarks.training --help`.

Every run sees the same sample of training texts once and is evaluated on the same validation texts; test texts are not
used. Small budgets give a ranking, not a prediction: the shipped model was trained on many times as many texts.
"""

import argparse
import json
import shutil
import tempfile
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.report import ROOT, machine
from benchmarks.training_variants import GROUPS, TEACHER, Variant
from triage.training.loop.environment import prepare_process

# Committed, because it takes hours; a later call continues with the missing runs.
RESULTS = ROOT / "benchmarks" / "training.json"
TABLES = ROOT / "docs" / "training-comparisons.md"
SEED = 1
_HAN = ("\u4e00", "\u9fff")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the datasets")
    parser.add_argument("--encoders", type=Path, required=True, help="folder of the pretrained encoders")
    parser.add_argument("--texts", type=int, default=4_000, help="training texts of a run")
    parser.add_argument("--groups", nargs="*", choices=GROUPS, default=list(GROUPS))
    parser.add_argument("--again", action="store_true", help="repeat runs that are in the results file already")
    arguments = parser.parse_args()
    prepare_process()
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    if results and results["texts"] != arguments.texts:
        parser.error(
            f"{RESULTS.name} has runs of {results['texts']} texts: give --texts {results['texts']}, or remove it"
        )
    results |= {"texts": arguments.texts, "seed": SEED}
    corpus, taxonomy = _load(arguments.data)
    groups = results.setdefault("groups", {})
    known = {} if arguments.again else {_key(row["variant"]): row for rows in groups.values() for row in rows.values()}
    with tempfile.TemporaryDirectory() as folder:
        teacher, place = Path(folder) / "teacher", Path(folder) / "run"
        for group in arguments.groups:
            for variant in GROUPS[group]:
                # The same run may be in several groups, under different names.
                key = _key(asdict(variant))
                if key not in known:
                    if variant.from_teacher and not teacher.exists():
                        _measure(TEACHER, corpus, taxonomy, arguments, teacher, teacher)
                    known[key] = _measure(
                        variant, corpus, taxonomy, arguments, teacher if variant is TEACHER else place, teacher
                    )
                    shutil.rmtree(place, ignore_errors=True)
                groups.setdefault(group, {})[variant.name] = known[key]
                RESULTS.write_text(json.dumps(results, separators=(",", ":")) + "\n")
    TABLES.write_text("\n".join(_tables(results)) + "\n")


def _load(data: Path) -> tuple[Any, Any]:
    """Corpus and taxonomy without aspects: three heads are compared."""
    from dataclasses import replace

    from triage.training.data.corpus import load_corpus
    from triage.training.data.custom import project_texts
    from triage.training.data.labels import load_taxonomy
    from triage.training.data.training_sets import load_training_sets

    taxonomy = replace(load_taxonomy(), aspects=())
    texts = {split: project_texts(split, taxonomy) for split in ("train", "validation")}
    return load_corpus(data, load_training_sets(taxonomy), taxonomy, texts), taxonomy


def _measure(
    variant: Variant, corpus: Any, taxonomy: Any, arguments: argparse.Namespace, folder: Path, teacher: Path
) -> dict[str, Any]:
    from rich.console import Console

    from triage.training.data.files import BEST
    from triage.training.loop.options import Options
    from triage.training.loop.train import TrainingRun

    settings: dict[str, Any] = {
        "learning_rate": 1e-4,
        "head_learning_rate": 1e-3,
        "warmup_steps": 20,
        "token_budget": 256,
        "epochs": 1.0,
        "validate_minutes": 1e6,
        "checkpoint_minutes": 1e6,
        "validation_cap": 60,
        "threads": 1,
        "seed": SEED,
    } | variant.options
    if variant.from_teacher:
        settings |= {"start_from": str(teacher / BEST)}
        if "distill_weight" in variant.options:
            settings |= {"teacher": str(teacher / BEST)}
    options = Options(base=str(arguments.encoders / variant.base), **settings)
    sample = _sample(corpus, variant, variant.times * arguments.texts)
    run = TrainingRun(sample, taxonomy, options, folder, Console(stderr=True))
    started = time.process_time()
    info = run.fit()
    fit_s = time.process_time() - started
    started = time.process_time()
    run.validate()
    validation_s = time.process_time() - started
    return _row(info["validation"]) | {
        "texts": info["texts"],
        "cpu_s_per_1000_texts_trained": round(1000 * (fit_s - validation_s) / info["texts"], 2),
        "cpu_s_per_1000_texts_evaluated": round(1000 * validation_s / len(run.validation), 2),
        "learning_parameters": info["learning_parameters"],
        "parameters": info["parameters"],
        "cpu": machine()["cpu"],
        "variant": asdict(variant),
    }


def _row(validation: dict[str, Any]) -> dict[str, Any]:
    from triage.training.loop.validation import head_means

    by_head = {head: values for head, values in validation.items() if head != "overall"}
    return {"heads": {head: round(value, 4) for head, value in head_means(by_head).items()}, "by_pack": by_head}


def _sample(corpus: Any, variant: Variant, texts: int) -> Any:
    """A corpus of the first `texts` texts of an epoch in the variant's language, with the labels that it needs."""
    from triage.training.data.corpus import Corpus

    drawn = [example for example in corpus.epoch(SEED) if _fits(example, variant.language)][:texts]
    drawn = [example for example in drawn if _has(example, variant.only)]
    held_out = {
        name: [example for example in examples if _fits(example, variant.language) and _has(example, variant.only)]
        for name, examples in corpus.validation.items()
    }
    held_out = {name: examples for name, examples in held_out.items() if examples}
    return Corpus({"sample": drawn}, held_out, {}, {}, Counter())


def _fits(example: Any, language: str | None) -> bool:
    if language is None:
        return True
    return any(_HAN[0] <= character <= _HAN[1] for character in example.text) == (language == "zh")


def _has(example: Any, head: str | None) -> bool:
    return head is None or getattr(example, head) is not None


def _key(variant: dict[str, Any]) -> str:
    """Key of a variant without its name, equal for the variant itself and for its copy in the results file."""
    return json.dumps(variant | {"name": None}, sort_keys=True)


def _tables(results: dict[str, Any]) -> list[str]:
    cpus = sorted({row["cpu"] for rows in results["groups"].values() for row in rows.values()})
    lines = [
        "# Ways to train, compared",
        "",
        f"Written by `python -m benchmarks.training`. Every run sees the same {results['texts']:,} training texts once "
        f"(seed {results['seed']}; the teacher three times as many) and is evaluated on the same validation texts, at "
        "most 60 per dataset. The values are means over the datasets of macro-F1 (intent, sentiment) and entity-F1, in "
        "points. Small equal budgets give a ranking, not a prediction of a full run, and differences below three "
        "points are noise. Seconds are CPU seconds of one core per 1,000 texts, which other work on the machine "
        f"increases by up to a third, on {', '.join(_numbered(cpus))}.",
    ]
    for group, variants in GROUPS.items():
        if rows := results["groups"].get(group):
            lines += ["", f"## {group.capitalize()}", "", _HEADER, "| --- " * 8 + "|"]
            lines += [_line(each.name, rows[each.name], cpus) for each in variants if each.name in rows]
    return lines


def _numbered(cpus: list[str]) -> list[str]:
    return cpus if len(cpus) == 1 else [f"({number}) {cpu}" for number, cpu in enumerate(cpus, 1)]


_HEADER = "| run | intent | sentiment | entities | parameters, M | trainable, M | s training | s evaluation |"


def _line(name: str, row: dict[str, Any], cpus: list[str]) -> str:
    heads = [f"{100 * row['heads'][head]:.1f}" if head in row["heads"] else "" for head in _HEADS]
    learning = f"{row['learning_parameters'] / 1e6:.2f}" if "learning_parameters" in row else ""
    trained, evaluated = row.get("cpu_s_per_1000_texts_trained", ""), row["cpu_s_per_1000_texts_evaluated"]
    on = f" ({cpus.index(row['cpu']) + 1})" if len(cpus) > 1 else ""
    scores, parameters = " | ".join(heads), f"{row['parameters'] / 1e6:.1f}"
    return f"| {name} | {scores} | {parameters} | {learning} | {trained}{on} | {evaluated}{on} |"


_HEADS = ("intent", "sentiment", "entities")

if __name__ == "__main__":
    main()
