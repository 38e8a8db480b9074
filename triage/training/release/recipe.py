"""Writes the commands that reproduce a model, from the description of each training stage in its manifest."""

from collections.abc import Iterable
from typing import Any

from triage.training.release import commits

_FLAGS = ("seed", "max_minutes", "learning_rate", "head_learning_rate", "warmup_steps", "ema_decay")


def reproduction_commands(manifest: dict[str, Any], trained: dict[str, Any]) -> Iterable[str]:
    """Shell commands that make a model again: each training stage with its data, averages of runs, export, evaluation.

    `trained` describes the last stage, as a checkpoint's info. A run that several stages refer to is trained once:
    runs are the same if commit, seed, texts and steps are equal.
    """
    base, before = manifest["encoder"]["base"], ""
    known: dict[str, str] = {}
    for stage in [*(trained.get("earlier_stages") or ()), trained]:
        names = []
        for run in (stage, *(stage.get("averaged_with") or ())):
            identity = str({key: run.get(key) for key in ("commit", "seed", "texts", "steps")})
            name = known.get(identity)
            if name is None:
                name = known[identity] = f"runs/{len(known) + 1}"
                if data := " and ".join(_data(run)):
                    yield f"# with {data}"
                yield f"triage train --data DATA --base {base} --output {name}{before}{_flags(run)}"
            names.append(f"{name}={run['share']:g}" if "share" in run else name)
        last = names[0]
        if len(names) > 1:
            others = sum(run.get("share", 0) for run in stage["averaged_with"])
            names[0] += f"={1 - others:g}" if others else ""
            last = f"{last}-mean"
            yield f"python -m triage.training.loop.averaging {' '.join(names)} {last}"
        before = f" --start-from {last}"
    yield f"triage export --checkpoint {last} --output onnx/{manifest['name']} --data DATA"
    if manifest.get("risk_training"):
        target = f"onnx/{manifest['name']}"
        yield f"python -m triage.training.risks --model {target} --output {target}-risks --data DATA"
        yield f"rm -r {target} && mv {target}-risks {target}"
    yield f"triage evaluate --model onnx/{manifest['name']} --data DATA --card"


def _flags(run: dict[str, Any]) -> str:
    options = {**(run.get("options") or {}), "seed": run["seed"]}
    flags = "".join(f" --{name.replace('_', '-')} {options[name]:g}" for name in _FLAGS if options.get(name))
    weights = (options.get("head_weights") or {}).items()
    return flags + "".join(f" --head-weight {head}={weight:g}" for head, weight in weights)


def _data(run: dict[str, Any]) -> Iterable[str]:
    if commits.in_history(run.get("commit")):
        yield f"sources.yaml as of commit {run['commit']}"
    if run.get("mix"):
        yield f"this mix: {_mix(run['mix'])}"


def _mix(mix: dict[str, int]) -> str:
    return ", ".join(f"{name} {texts:,}" for name, texts in mix.items())
