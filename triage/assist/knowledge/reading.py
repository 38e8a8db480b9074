"""Reads a folder of knowledge and checks every article."""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import msgspec

from triage.assist.knowledge.personal import PersonalData
from triage.assist.knowledge.problems import Collection, Problem, Source
from triage.assist.knowledge.readers import READERS, read_file
from triage.assist.rows import kind_of
from triage.errors import ConfigError
from triage.inference.language import UNDETERMINED, identify
from triage.schemas.knowledge import Article

# (id, language)
_Key = tuple[str, str]


def read_folder(
    folder: Path, today: date, personal: PersonalData, progress: Callable[[int, int], None] = lambda _, __: None
) -> Collection:
    """Read every file of knowledge below `folder`, or the one file that it is, in the order of their names.

    Refused are articles that lack a field, repeat an id, are past their date, or hold personal data. Files and folders
    that begin with a dot or an underscore, README files and drafts are left out. An id that articles in several
    languages have gets the language: `returns-en`. An article of an export that names no language gets that of its
    text. `progress` is called with (files read, files). Raises ConfigError for a folder that does not exist or has no
    file of knowledge.
    """
    if not folder.exists():
        raise ConfigError(f"no such file or folder: {folder}")
    found = Collection()
    paths = list(_files(folder, found.ignored)) if folder.is_dir() else [folder]
    if not paths or kind_of(paths[0]) not in READERS:
        raise ConfigError(f"{folder} holds no file of knowledge: {', '.join(sorted(READERS))}")
    places: dict[_Key, Source] = {}
    accepted: dict[_Key, Article] = {}
    for number, path in enumerate(paths, 1):
        shown = path.relative_to(folder) if path != folder else Path(path.name)
        for article, problems, source in read_file(path, shown):
            if article is None:
                found.problems += problems
                found.drafts += not problems
                continue
            detected = "" if article.language else identify(f"{article.title}\n{article.body}").code
            if detected:
                article = msgspec.structs.replace(article, language=detected)  # noqa: PLW2901
            if problems := _check(article, source, places, today, personal):
                found.problems += problems
                continue
            if detected:
                found.detected[detected] += 1
            key = (article.id, article.language)
            places[key], accepted[key] = source, article
        found.files += 1
        progress(number, len(paths))
    _name_translations(found, accepted, places)
    return found


def _name_translations(found: Collection, accepted: dict[_Key, Article], places: dict[_Key, Source]) -> None:
    """Exports give all translations of an article one id: each gets its own, in whatever order they come."""
    translations = Counter(identity for identity, _ in accepted)
    for (identity, language), article in accepted.items():
        name = identity if translations[identity] == 1 else f"{identity}-{language}"
        if name in found.articles or (name != identity and name in translations):
            source = places[identity, language]
            message = f"id {identity!r} is that of several languages; of this one {name!r}, which another article has"
            found.problems.append(Problem(source.path, source.line, message, identity))
        else:
            found.articles[name] = msgspec.structs.replace(article, id=name)


def _check(
    article: Article, source: Source, places: dict[_Key, Source], today: date, personal: PersonalData
) -> list[Problem]:
    def problem(line: int, message: str) -> Problem:
        return Problem(source.path, line, message, article.id)

    if (first := places.get((article.id, article.language))) is not None:
        return [problem(source.line, f"id {article.id!r} is that of {first.path}:{first.line} too: ids are unique")]
    problems = []
    if article.language == UNDETERMINED:
        fix = "add a column language, with en or zh"
        problems.append(problem(source.line, f"language is missing, and the text does not show it: {fix}"))
    if article.valid_until and article.valid_until < today.isoformat():
        problems.append(problem(source.line, f"is past its date: valid_until is {article.valid_until}"))
    fix = "remove it, or add it to assist.own_contacts if it is your company's own"
    problems += [
        problem(source.body_line + line, f"holds personal data ({kind}): {fix}")
        for line, kind in personal.find(article.body)
    ]
    problems += [
        problem(source.line, f"the title holds personal data ({kind}): {fix}")
        for _, kind in personal.find(article.title)
    ]
    return problems


def _files(folder: Path, ignored: list[Path]) -> Iterator[Path]:
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "_")))
        for name in sorted(names):
            path = Path(root) / name
            if name.startswith((".", "_")) or path.stem.lower() == "readme":
                continue
            if kind_of(path) in READERS:
                yield path
            else:
                ignored.append(path.relative_to(folder))
