"""Reads playbooks from a folder, and reports all problems at once, with file, line and step."""

import hashlib
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import msgspec
import yaml

from triage.assist.playbooks.check import Problem, problems_of
from triage.assist.playbooks.model import Playbook, Policy, Slot, Step, Triggers
from triage.assist.playbooks.texts import BotTexts, read_texts
from triage.errors import ConfigError, did_you_mean
from triage.rules.source import SourceMap, read_source

DEFAULT_PLAYBOOKS = Path(__file__).with_name("shipped")
TEXTS_FILE = "texts.yaml"
_AT = re.compile(r"(?: - at `\$(.*)`)$")
_PARTS: dict[str, type[msgspec.Struct]] = {"slots": Slot, "policies": Policy}


class Playbooks:
    """The playbooks of one folder by name, and the bot's texts outside of them."""

    def __init__(self, found: Collection[Playbook], texts: BotTexts, version: str) -> None:
        self.by_name = {each.name: each for each in found}
        self.texts = texts
        self.version = version


def load_playbooks(
    folder: Path | None = None, intents: Collection[str] | None = None, webhooks: Collection[str] | None = None
) -> Playbooks:
    """Load all `*.yaml` of a folder, or the shipped ones if it is None.

    `intents` and `webhooks` are the names that playbooks may use; None: any. The folder's `texts.yaml` replaces the
    shipped texts of the bot. The version is 12 hex digits of the SHA-256 of all files. Raises ConfigError naming every
    problem with file and line.
    """
    folder = folder or DEFAULT_PLAYBOOKS
    paths = playbook_files(folder)
    problems: list[str] = []
    found: dict[str, Playbook] = {}
    digest = hashlib.sha256()
    for path in paths:
        try:
            content = path.read_bytes()
            digest.update(content)
            playbook = parse_playbook(content, path.name, intents, webhooks)
        except OSError as error:
            problems.append(f"{path.name}: cannot be read: {error.strerror or error}")
        except ConfigError as error:
            problems += [f"{error.where}: {problem}" for problem in error.problems]
        else:
            if playbook.name in found:
                problems.append(f"{path.name}: playbook {playbook.name!r}: another file has the same name")
            found[playbook.name] = playbook
    texts = folder / TEXTS_FILE
    try:
        said = read_texts(texts if texts.exists() else DEFAULT_PLAYBOOKS / TEXTS_FILE)
    except ConfigError as error:
        problems += [f"{error.where}: {problem}" for problem in error.problems]
    if problems:
        raise ConfigError(problems, where=str(folder))
    digest.update(msgspec.json.encode(said))
    return Playbooks(found.values(), said, digest.hexdigest()[:12])


def playbook_files(folder: Path) -> list[Path]:
    """Files of the playbooks in a folder, sorted. Raises ConfigError if the folder has none."""
    if not folder.is_dir():
        raise ConfigError(f"conversations.playbooks: no such folder: {folder}")
    found = sorted(path for path in folder.glob("*.yaml") if path.name != TEXTS_FILE)
    if not found:
        raise ConfigError(f"conversations.playbooks: {folder} has no playbooks (*.yaml)")
    return found


def folder_identity(folder: Path | None) -> str:
    """Return a text that changes whenever the playbooks of a folder do.

    Raises OSError for a file that cannot be read, ConfigError for a folder without playbooks.
    """
    folder = folder or DEFAULT_PLAYBOOKS
    texts = folder / TEXTS_FILE
    paths = [*playbook_files(folder), *([texts] if texts.exists() else [])]
    return " ".join(f"{path.name}:{hashlib.sha256(path.read_bytes()).hexdigest()}" for path in paths)


def parse_playbook(
    content: bytes, name: str, intents: Collection[str] | None = None, webhooks: Collection[str] | None = None
) -> Playbook:
    """Parse and check one playbook; `name` is that of its file.

    Raises ConfigError with every problem, each with its line.
    """
    data, source = _read(content, name)
    problems: list[Problem] = list(source.problems)
    if not isinstance(data, dict):
        raise ConfigError("line 1: a playbook is a mapping with name, version, title and steps", where=name)
    problems += _shape_problems(data, source)
    if problems:
        raise _refused(problems, name)
    try:
        playbook = msgspec.convert(data, Playbook)
    except msgspec.ValidationError as error:
        raise _refused([_explained(error, (), Playbook, source)], name) from error
    problems += problems_of(playbook, source, intents, webhooks)
    if problems:
        raise _refused(problems, name)
    return playbook


def _refused(problems: list[Problem], name: str) -> ConfigError:
    return ConfigError([f"line {line}: {problem}" for line, problem in sorted(problems)], where=name)


def _read(content: bytes, name: str) -> tuple[Any, SourceMap]:
    try:
        return read_source(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise ConfigError(f"byte {error.start} is not UTF-8; save the file as UTF-8", where=name) from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"line {mark.line + 1}: " if mark is not None else ""
        reason = getattr(error, "problem", None) or str(error)
        # A plain text within braces may not hold a question mark before a comma.
        reason += "; put a text with a ? into quotes" if "got '?'" in reason else ""
        raise ConfigError(f"{place}not valid YAML: {reason}", where=name) from error


def _shape_problems(data: dict[str, Any], source: SourceMap) -> Iterator[Problem]:
    """Convert the parts one by one, because msgspec names the first problem only."""
    steps = data.get("steps")
    for number, step in enumerate(steps if isinstance(steps, list) else []):
        yield from _converted(step, Step, ("steps", number), source, _named("step", step, number))
    for section, kind in _PARTS.items():
        entries = data.get(section)
        for name, entry in (entries if isinstance(entries, dict) else {}).items():
            yield from _converted(entry, kind, (section, name), source, f"{section} {name!r}")
    yield from _converted(data.get("triggers", {}), Triggers, ("triggers",), source, "triggers")


def _converted(
    value: Any, kind: type[msgspec.Struct], path: tuple[str | int, ...], source: SourceMap, name: str
) -> Iterator[Problem]:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        line, message = _explained(error, path, kind, source)
        yield line, f"{name}: {message}"


def _named(kind: str, value: Any, number: int) -> str:
    name = value.get("name") if isinstance(value, dict) else None
    return f"{kind} {name!r}" if isinstance(name, str) else f"{kind} {number + 1}"


def _explained(
    error: msgspec.ValidationError, path: tuple[str | int, ...], kind: type[msgspec.Struct], source: SourceMap
) -> Problem:
    message = str(error)
    place: tuple[str | int, ...] = ()
    if found := _AT.search(message):
        message = message[: found.start()]
        place = tuple(
            int(part) if part.isdigit() else part for part in re.findall(r"[^.\[\]]+", found[1]) if part != "..."
        )
    if unknown := re.search(r"unknown field `([^`]+)`", message):
        known = [field.encode_name for field in msgspec.structs.fields(kind)]
        hint = did_you_mean(unknown[1], known) or (f"; known: {', '.join(known)}" if not place else "")
        message = f"no such field: {unknown[1]}{hint}"
        place = (*place, unknown[1])
    elif missing := re.search(r"missing required field `([^`]+)`", message):
        message = f"{missing[1]} is missing"
    elif place:
        message = f"{'.'.join(str(part) for part in place)}: {message[0].lower()}{message[1:]}"
    if "got `bool`" in message:
        message += "; YAML reads unquoted yes, no, on, off as booleans: quote it"
    return source.line((*path, *place)), message
