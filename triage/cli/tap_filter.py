"""Filters of `triage tap`. A record must pass all of them; it passes a filter that has any of its values."""

from collections.abc import Callable, Mapping, Sequence

from triage.cli.tap_records import TAPS, Tap, Tapped
from triage.errors import ConfigError
from triage.rules.regexes import Regex
from triage.rules.syntax import RefusedError
from triage.types import Channel, SentimentLabel, SeverityLevel

_VALUES: dict[str, list[str]] = {
    "sentiment": [*SentimentLabel],
    "channel": [*Channel],
    "severity": [*SeverityLevel],
}


def make_filter(
    topic: str, tap: Tap, values: Mapping[str, Sequence[str] | None], entities: Sequence[str], text: str | None
) -> Callable[[Tapped], bool]:
    """Create a function that is True for records that pass all filters.

    `values` are the accepted values by field name, None for a filter that was not given. Raises ConfigError naming
    every filter and value that this topic does not have.
    """
    filters = {name: set(given) for name, given in values.items() if given}
    problems = []
    for name in [*filters, *(["entity"] if entities else []), *(["text"] if text is not None else [])]:
        if name not in tap.fields:
            others = ", ".join(other for other, each in TAPS.items() if name in each.fields)
            problems.append(f"--{name}: records of {topic} do not have this field; it filters {others}")
    for name, known in _VALUES.items():
        wrong = sorted(filters.get(name, set()) - set(known))
        problems += [f"--{name} takes {', '.join(known)}, not {value!r}" for value in wrong]
    pattern = None
    try:
        pattern = Regex(text) if text is not None else None
    except RefusedError as problem:
        problems.append(f"--text {text!r} {problem}")
    if problems:
        raise ConfigError(problems)
    matchers = [_entity(each) for each in entities]

    def passes(tapped: Tapped) -> bool:
        facts = tapped.facts
        if any(facts.get(name) not in given for name, given in filters.items()):
            return False
        if matchers and not any(matches(label, value) for matches in matchers for label, value in facts["entities"]):
            return False
        return pattern is None or pattern.search(facts["text"]) is not None

    return passes


def _entity(given: str) -> Callable[[str, str], bool]:
    """Make the function that tests an entity's label and text, ignoring case.

    `organization=Acme` matches label and part of the text, `organization=` any text, `Acme` any label.
    """
    kind, separator, name = given.rpartition("=")
    needle = name.casefold()

    def matches(label: str, text: str) -> bool:
        return (not separator or label == kind) and needle in text.casefold()

    return matches
