"""Writes the reference pages from the code: `python -m triage.reference docs/reference`. A test holds them current."""

import argparse
import ast
import json
import re
import types
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

import typer
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from triage.clock import SystemClock
from triage.config import ENV_PREFIX, Section, Settings, secret_fields
from triage.metrics import Metrics

_SOURCE = Path(__file__).resolve().parent


def settings_page() -> str:
    """Every setting with its variable, type, default and meaning."""
    lines = [
        "# Settings",
        "",
        "`triage.toml` < environment < flags (`--set section.name=value`). `triage config show` prints those in force,",
        "`triage config check` names every problem at once. A variable with `[_FILE]` is a secret: with that",
        "ending it names a file which holds it (`docs/security.md`). Written by `python -m triage.reference`.",
    ]
    for section, field in Settings.model_fields.items():
        model = field.annotation
        assert isinstance(model, type)
        assert issubclass(model, BaseModel)
        lines += ["", f"## {section}", ""]
        if model.__doc__ and model.__doc__ not in {BaseModel.__doc__, Section.__doc__}:
            lines += [model.__doc__.strip(), ""]
        secrets = secret_fields(model)
        lines += ["| setting | variable | type | default | |", "| --- | --- | --- | --- | --- |"]
        for name, entry in model.model_fields.items():
            variable = f"{ENV_PREFIX}{section}__{name}".upper()
            if name in secrets:
                variable += "[_FILE]"
            cells = [f"`{name}`", f"`{variable}`", _type(entry.annotation), _default(entry), entry.description or ""]
            lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def metrics_page() -> str:
    """Every metric with its kind, labels and meaning."""
    lines = [
        "# Metrics",
        "",
        "On `/metrics` of every process, in Prometheus' format. This page is written by `python -m triage.reference`.",
        "",
        "| metric | kind | labels | |",
        "| --- | --- | --- | --- |",
    ]
    for metric in vars(Metrics()).values():
        if not hasattr(metric, "_labelnames"):
            continue
        described = metric.describe()[0]
        name = described.name + ("_total" if described.type == "counter" else "")
        labels = ", ".join(f"`{label}`" for label in metric._labelnames)  # noqa: SLF001 - has no public name
        lines.append(f"| `{name}` | {described.type} | {labels} | {described.documentation} |")
    return "\n".join(lines) + "\n"


def commands_page() -> str:
    """Every command with its arguments and options, as `--help` has them."""
    from typer.cli import get_docs_for_click
    from typer.main import get_command

    from triage.cli.main import build_app

    command = get_command(build_app())
    body = get_docs_for_click(obj=command, ctx=typer.Context(command, info_name="triage"), name="triage")
    lines = [line.rstrip() for line in body.replace("# `triage`", "# Commands", 1).splitlines()]
    told = "Exit 0: done; 1: failed; 2: wrong usage or settings. Written by `python -m triage.reference`."
    return "\n".join([*lines[:2], told, "", *lines[2:]]).rstrip() + "\n"


def classes_page() -> str:
    """Every public class by package, with its file and the first sentence of its docstring."""
    lines = [
        "# Classes",
        "",
        "Every public class of the package, to look up a name. [Architecture](../architecture.md) says how they work",
        "together. Written by `python -m triage.reference`.",
    ]
    package = ""
    for path in sorted(_SOURCE.rglob("*.py")):
        module = path.relative_to(_SOURCE)
        classes = [node for node in ast.parse(path.read_text("utf-8")).body if isinstance(node, ast.ClassDef)]
        public = [node for node in classes if not node.name.startswith("_")]
        if public and module.parts[0] != package:
            package = module.parts[0]
            lines += ["", f"## {package}", "", "| class | file | |", "| --- | --- | --- |"]
        for node in public:
            about = " ".join((ast.get_docstring(node) or "").split("\n\n")[0].split())
            sentence = re.split(r"(?<=[.:;])\s", about)[0].rstrip(".:;").replace("|", "\\|")
            link = f"[`triage/{module.as_posix()}`](../../triage/{module.as_posix()})"
            lines.append(f"| `{node.name}` | {link} | {sentence} |")
    return "\n".join(lines) + "\n"


def api_description() -> str:
    """OpenAPI of `triage serve`."""
    from triage.runtime.health import Health
    from triage.serving.app import build_app
    from triage.serving.service import Service

    nothing: Any = None  # describing serves nobody
    clock = SystemClock()
    service = Service(Settings(), nothing, nothing, nothing, nothing, clock)
    app = build_app(service, Settings().api, Metrics(), Health(clock))
    return json.dumps(app.openapi(), indent=1, ensure_ascii=False) + "\n"


PAGES = {
    "settings.md": settings_page,
    "metrics.md": metrics_page,
    "commands.md": commands_page,
    "classes.md": classes_page,
    "openapi.json": api_description,
}


def _type(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return ", ".join(f"`{value}`" for value in arguments)
    if origin in {Union, types.UnionType}:
        return _type(next(argument for argument in arguments if argument is not type(None)))
    if origin is list:
        return f"list of {_type(arguments[0])}"
    if annotation is SecretStr:
        return "secret"
    name: str = annotation.__name__
    return {"str": "text", "int": "number", "float": "number", "bool": "yes/no"}.get(name, name.lower())


def _default(field: FieldInfo) -> str:
    if field.default_factory is not None or field.default is None:
        return ""
    if isinstance(field.default, SecretStr):
        return "set one"
    return f"`{field.default}`"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m triage.reference", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=Path("docs/reference"))
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    for name, page in PAGES.items():
        (folder / name).write_text(page(), "utf-8")


if __name__ == "__main__":
    main()
