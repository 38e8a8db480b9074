"""Silences: matching alerts are recorded but not paged until the silence ends. Pure."""

from collections.abc import Iterable, Mapping

from triage.errors import ConfigError
from triage.schemas.action import Matcher, Silence
from triage.schemas.counts import COUNTED_FIELDS

MATCHABLE_FIELDS = (*COUNTED_FIELDS, "rule", "severity")


class Silences:
    """All known silences. Versions of a silence have the same id, and the newest version counts."""

    def __init__(self, silences: Iterable[Silence] = ()) -> None:
        self._by_id: dict[str, Silence] = {}
        for silence in silences:
            self.put(silence)

    def put(self, silence: Silence) -> None:
        known = self._by_id.get(silence.id)
        if known is None or known.at_ms <= silence.at_ms:
            self._by_id[silence.id] = silence

    def all(self) -> list[Silence]:
        """All silences, also ended ones, sorted by their end, the latest first."""
        return sorted(self._by_id.values(), key=lambda silence: (-silence.until_ms, silence.id))

    def active_for(self, dimensions: Mapping[str, str], rule: str, severity: str, at_ms: int) -> Silence | None:
        """The silence in effect for an alert at `at_ms`, or None; of several, the one that ends last."""
        values = {**dimensions, "rule": rule, "severity": severity}
        return next(
            (silence for silence in self.all() if at_ms < silence.until_ms and matches(silence.matchers, values)), None
        )


def matches(matchers: Iterable[Matcher], values: Mapping[str, str]) -> bool:
    return all((values.get(matcher.name) == matcher.value) is not matcher.negated for matcher in matchers)


def parse_matchers(texts: Iterable[str]) -> list[Matcher]:
    """Parse the conditions of a silence from text.

    Each is `FIELD=VALUE` or `FIELD!=VALUE`, such as `brand=Acme` or `intent!=praise`; at least one must use `=`. Raises
    ConfigError that lists every problem.
    """
    found, problems = [], []
    for text in texts:
        name, separator, value = text.partition("=")
        negated = name.endswith("!")
        name = name.removesuffix("!").strip()
        if not separator or not name or not value.strip():
            problems.append(f"{text!r} is not a matcher; write FIELD=VALUE or FIELD!=VALUE, as brand=Acme")
        elif name not in MATCHABLE_FIELDS:
            problems.append(f"{text!r}: unknown field {name!r}; fields are {', '.join(MATCHABLE_FIELDS)}")
        else:
            found.append(Matcher(name, value.strip(), negated))
    if not found and not problems:
        problems.append("a silence needs at least one matcher, as --match brand=Acme; without one all alerts are muted")
    if not problems and all(matcher.negated for matcher in found):
        problems.append("a silence needs at least one matcher with =, so that it does not mute alerts by accident")
    if problems:
        raise ConfigError(problems, where="--match")
    return found


def format_matchers(matchers: Iterable[Matcher]) -> str:
    """Format matchers as one line of text that `parse_matchers` understands: `brand=Acme intent!=praise`."""
    return " ".join(f"{matcher.name}{'!=' if matcher.negated else '='}{matcher.value}" for matcher in matchers)
