"""Renders the chart with the values that the docs name: each alone, and mixtures that hold every pair, on and off.

python combinations.py HELM CHART DOCS        DOCS: docs/deploying.md, whose values file is one of them

Objects are held against Kubernetes' schemas strictly, and a variable or an object may stand once in a release.
"""

import itertools
import json
import random
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import kubernetes_validate
import yaml

Values = dict[str, Any]
# The oldest supported version of Kubernetes, and the newest three.
VERSIONS = ("1.27", "1.35", "1.36", "1.37")
OPTIONS, REFUSED = yaml.safe_load_all(Path(__file__).with_name("options.yaml").read_text("utf-8"))


def merged(*given: Mapping[str, Any]) -> Values:
    """Values as helm merges files: maps by key, all else replaced."""
    result: Values = {}
    for values in given:
        for name, value in values.items():
            both = isinstance(value, dict) and isinstance(result.get(name), dict)
            result[name] = merged(result[name], value) if both else value
    return result


def mixtures(names: list[str]) -> Iterator[list[str]]:
    """Few lists of names, in which each two stand both together, one without the other, and neither."""
    left = {
        (a, b, on, off) for a, b in itertools.combinations(names, 2) for on in (True, False) for off in (True, False)
    }
    draw = random.Random(1)  # noqa: S311 - no secret is drawn
    while left:
        chosen = {name: draw.random() < 0.5 for name in names}
        met = {(a, b, chosen[a], chosen[b]) for a, b in itertools.combinations(names, 2)}
        if met & left:
            left -= met
            yield [name for name in names if chosen[name]]


def documented(page: str) -> Values:
    """The values file of the page."""
    (block,) = re.findall(r"```yaml\n# mine\.yaml\n(.*?)```", page, re.DOTALL)
    values: Values = yaml.safe_load(block)
    return values


def main(helm: str, chart: str, docs: str) -> int:
    """Print every problem; 1 if there is one."""
    variants = {path.name: yaml.safe_load(path.read_text("utf-8")) for path in Path(chart, "ci").iterdir()}
    variants |= {"the defaults": {}, "the docs": documented(Path(docs).read_text("utf-8")), **OPTIONS}
    variants |= {" + ".join(names): merged(*(OPTIONS[name] for name in names)) for names in mixtures(list(OPTIONS))}
    seen: set[str] = set()
    without: set[str] = set()
    wrong: list[str] = []
    for name, values in variants.items():
        result = rendered(helm, chart, values)
        if result.returncode:
            wrong.append(f"{name}: {result.stderr.splitlines()[-1]}")
            continue
        objects = [item for item in yaml.load_all(result.stdout, yaml.CSafeLoader) if item]
        wrong += [f"{name}: {each} stands {count} times" for each, count in named(objects).items() if count > 1]
        for item in objects:
            if (text := json.dumps(item, sort_keys=True)) not in seen:
                seen.add(text)
                try:
                    wrong += [f"{name}: {problem}" for problem in invalid(item)]
                except kubernetes_validate.SchemaNotFoundError:
                    without.add(item["kind"])
    for message, values in REFUSED.items():
        result = rendered(helm, chart, values)
        if result.returncode == 0 or message not in result.stderr:
            wrong.append(f"{values} is not refused with `{message}`: {result.stderr}")
    print(*wrong, sep="\n")
    print(f"{len(variants)} sets of values, {len(seen)} different objects, {len(wrong)} problems")
    print(f"no schema: {sorted(without)}")
    return 1 if wrong else 0


def named(objects: list[Values]) -> Counter[str]:
    """Objects and the variables of their containers: of two, helm and the API server keep either."""
    found = Counter(f"{item['kind']} {item['metadata']['name']}" for item in objects)
    for item in objects:
        if item["kind"] in {"Job", "StatefulSet", "Deployment"}:
            (container,) = item["spec"]["template"]["spec"]["containers"]
            found.update(f"{item['metadata']['name']}: {variable['name']}" for variable in container["env"])
    return found


def rendered(helm: str, chart: str, values: Values) -> subprocess.CompletedProcess[str]:
    """What `helm template` makes of a file with these values."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump(values, file)
        file.flush()
        command = [helm, "template", "shop", chart, "--kube-version", VERSIONS[-1], "-f", file.name]
        return subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603


def invalid(item: Mapping[str, Any]) -> Iterator[str]:
    """What the schemas say against an object. Raises SchemaNotFoundError if there is none."""
    for version in VERSIONS:
        try:
            kubernetes_validate.validate(item, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            where = ".".join(str(part) for part in error.path)
            yield f"{item['kind']} {item['metadata']['name']}, Kubernetes {version}: {where}: {error.message}"


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
