"""Approved texts that the bot says outside of playbooks, by language."""

from pathlib import Path

import msgspec
import yaml

from triage.assist.playbooks.model import HANDOFF_REASONS, LANGUAGES, Text
from triage.errors import ConfigError
from triage.rules.source import read_source


class BotTexts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The bot's texts outside of playbooks.

    `which` asks what the matter is, `clarify` asks again, `waiting` answers a customer who waits for a
    person, `closed` ends the conversation. `handoff` has a text for each reason, and `other` for all other reasons.
    """

    greeting: Text
    which: Text
    clarify: Text
    waiting: Text
    anything_else: Text
    closed: Text
    handoff: dict[str, Text]

    def handing_over(self, reason: str, language: str) -> str:
        """The text with which the bot hands over to a person for this reason."""
        text = self.handoff.get(reason) or self.handoff["other"]
        return text[language]


def read_texts(path: Path) -> BotTexts:
    """Read the bot's texts from a file. Raises ConfigError with every problem."""
    try:
        data, _ = read_source(path.read_text("utf-8"))
        found = msgspec.convert(data, BotTexts)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, msgspec.ValidationError) as error:
        raise ConfigError(f"not the texts of a bot: {error}", where=str(path)) from error
    texts: dict[str, Text] = {
        name: getattr(found, name) for name in BotTexts.__struct_fields__ if name != "handoff"
    } | {f"handoff.{name}": text for name, text in found.handoff.items()}
    problems = [
        f"{name}: has no text in {language!r}"
        for name, text in texts.items()
        for language in LANGUAGES
        if not text.get(language, "").strip()
    ]
    if "other" not in found.handoff:
        problems.append("handoff: has no `other`, which is said for every reason without a text of its own")
    problems += [
        f"handoff: {name!r} is not a reason: {', '.join(HANDOFF_REASONS)}"
        for name in found.handoff
        if name not in {*HANDOFF_REASONS, "other"}
    ]
    if problems:
        raise ConfigError(problems, where=str(path))
    return found
