"""Encoders and ways to train them, side by side on small equal budgets: `python -m benchmarks.training --help`.

Every run sees the same sample of training texts once and is judged on the same validation texts; no test text is
touched. Small budgets rank, they do not predict: the shipped model saw many times as much.
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

# Committed: it takes hours, and a later run goes on with what it lacks.
RESULTS = ROOT / "benchmarks" / "training.json"
TABLES = ROOT / "docs" / "training-comparisons.md"
SEED = 1
_HAN = ("\u4e00", "\u9fff")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the packs")
    parser.add_argument("--encoders", type=Path, required=True, help="folder of the pretrained encoders")
    parser.add_argument("--texts", type=int, default=4_000, help="training texts of a run")
    parser.add_argument("--groups", nargs="*", choices=GROUPS, default=list(GROUPS))
    parser.add_argument("--again", action="store_true", help="measure again what the results file has already")
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
                # The same run may stand in several groups, under other names.
                key = _key(asdict(variant))
                if key not in known:
                    if variant.from_teacher and not teacher.exists():
                        _measure(TEACHER, corpus, taxonomy, arguments, teacher, teacher)
                    known[key] = _measure(
                        variant, corpus, taxonomy, arguments, teacher if variant is TEACHER else place, teacher
                    )
                    shutil.rmtree(place, ignore_errors=True)
                groups.setdefault(group, {})[variant.name] = known[key]
                RESULTS.write_text(json.dumps(results, indent=2) + "\n")
    TABLES.write_text("\n".join(_tables(results)) + "\n")


def _load(data: Path) -> tuple[Any, Any]:
    """All packs but those that only teach aspects, for a taxonomy without aspects: three heads are compared."""
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
    account = run.fit()
    taught = time.process_time() - started
    started = time.process_time()
    run.validate()
    judged = time.process_time() - started
    return _row(account["validation"]) | {
        "texts": account["texts"],
        "cpu_s_per_1000_texts_taught": round(1000 * (taught - judged) / account["texts"], 2),
        "cpu_s_per_1000_texts_judged": round(1000 * judged / len(run.validation), 2),
        "learning_parameters": account["learning_parameters"],
        "parameters": account["parameters"],
        "cpu": machine()["cpu"],
        "variant": asdict(variant),
    }


def _row(validation: dict[str, Any]) -> dict[str, Any]:
    from triage.training.loop.validation import head_means

    by_head = {head: values for head, values in validation.items() if head != "overall"}
    return {"heads": {head: round(value, 4) for head, value in head_means(by_head).items()}, "by_pack": by_head}


def _sample(corpus: Any, variant: Variant, texts: int) -> Any:
    """The first `texts` of an epoch's draw in the variant's language, with the label that it needs."""
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
    """Equal for the same run, as it is or as it came back from the results file, whatever its name."""
    return json.dumps(variant | {"name": None}, sort_keys=True)


def _tables(results: dict[str, Any]) -> list[str]:
    cpus = sorted({row["cpu"] for rows in results["groups"].values() for row in rows.values()})
    lines = [
        "# Ways to train, compared",
        "",
        f"Written by `python -m benchmarks.training`. Every run sees the same {results['texts']:,} training texts once "
        f"(seed {results['seed']}; the teacher three times as many) and is judged on the same validation texts, at "
        "most 60 a pack: figures are means over the packs of macro-F1 (intent, sentiment) and entity-F1, in points. "
        "Small equal budgets rank; they do not predict what a full run reaches, and differences below three points are "
        "noise. Seconds, which other work on the machine lengthens by up to a third, are CPU seconds of "
        f"one core for 1,000 texts, of {', '.join(_marked(cpus))}.",
    ]
    for group, variants in GROUPS.items():
        if rows := results["groups"].get(group):
            lines += ["", f"## {group.capitalize()}", "", _HEADER, "| --- " * 8 + "|"]
            lines += [_line(each.name, rows[each.name], cpus) for each in variants if each.name in rows]
    return lines


def _marked(cpus: list[str]) -> list[str]:
    return cpus if len(cpus) == 1 else [f"({number}) {cpu}" for number, cpu in enumerate(cpus, 1)]


_HEADER = "| run | intent | sentiment | entities | parameters, M | of them learning, M | s taught | s judged |"


def _line(name: str, row: dict[str, Any], cpus: list[str]) -> str:
    heads = [f"{100 * row['heads'][head]:.1f}" if head in row["heads"] else "" for head in _HEADS]
    learning = f"{row['learning_parameters'] / 1e6:.2f}" if "learning_parameters" in row else ""
    taught, judged = row.get("cpu_s_per_1000_texts_taught", ""), row["cpu_s_per_1000_texts_judged"]
    on = f" ({cpus.index(row['cpu']) + 1})" if len(cpus) > 1 else ""
    return (
        f"| {name} | {' | '.join(heads)} | {row['parameters'] / 1e6:.1f} | {learning} | {taught}{on} | {judged}{on} |"
    )


_HEADS = ("intent", "sentiment", "entities")

if __name__ == "__main__":
    main()
