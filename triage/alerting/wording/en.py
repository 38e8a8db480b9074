"""English."""

from collections.abc import Mapping

from triage.alerting.wording.base import Numbers, fit, parts_of, readable, split
from triage.alerting.wording.steps_en import FIRST_STEPS
from triage.schemas.counts import OTHER

_CHARS = 80
_NOUNS = {"complaint": "complaints", "review": "negative reviews", "social": "negative posts"}
_CHANNELS = {"complaint": "complaints", "review": "reviews", "social": "posts"}
_OTHERS = {"brand": "other brands", "product": "other products", "region": "other regions", "source": "other sources"}


class English:
    language = "en"
    what_to_do_first = "What to do first"
    runbook = "Runbook"
    console = "Console"
    kibana = "Kibana"
    chart = "Negative records"
    observed = "seen"
    expected = "expected"
    unusual_intents = "More than usual about"
    unusual_entities = "Named more than usual"
    unusual_words = "Words more than usual"
    top_intents = "Most often about"
    top_entities = "Most often named"
    examples = "What people write"
    also = "On this page too"
    acknowledge = "I take care of it"
    silence = "Known, no more pages for 2 h"
    sent_again = "sent again, you may have seen it"
    severities: Mapping[str, str] = {
        "critical": "critical",
        "error": "error",
        "warning": "warning",
        "info": "info",
    }

    def intent(self, name: str) -> str:
        return "other intents" if name == OTHER else readable(name)

    def place(self, dimensions: Mapping[str, str]) -> str:
        said = []
        if channel := dimensions.get("channel"):
            said.append(f"in {_CHANNELS.get(channel, channel)}")
        if intent := dimensions.get("intent"):
            said.append(f"about {self.intent(intent)}")
        if parts := parts_of(dimensions, _OTHERS, "others"):
            said.append(f"from {', '.join(parts)}")
        return "".join(f" {part}" for part in said)

    def subject(self, dimensions: Mapping[str, str]) -> str:
        channel = dimensions.get("channel", "complaint")
        noun = _NOUNS.get(channel, f"negative records from {channel}")
        intent = dimensions.get("intent")
        what = noun if intent is None else f"{self.intent(intent)} {noun}"
        parts = parts_of(dimensions, _OTHERS, "others")
        text = " · ".join([*parts, what])
        return text[0].upper() + text[1:]

    def duration(self, ms: int) -> str:
        return split(ms, ("d", "h", "min", "s"), " ")

    def span(self, ms: int) -> str:
        return f"{self.observed} in the last {self.duration(ms)}"

    def share(self, value: str, count: int, expected: float | None) -> str:
        if expected is None:
            return f"{value} {count}"
        return f"{value} {count} (usually {_amount(expected)})"

    def title(self, subject: str, numbers: Numbers, *, at_peak: bool) -> str:
        peak = "" if at_peak else "peak "
        seen = f"{peak}{numbers.negative} of {numbers.total} negative in {self.duration(numbers.window_ms)}"
        if numbers.ratio is not None:
            return fit(subject, f" {numbers.times} expected — {seen}", _CHARS)
        if numbers.rare:
            return fit(subject, f": {seen}, under 1 expected", _CHARS)
        return fit(subject, f": {peak}{numbers.share}, {seen.removeprefix(peak)}", _CHARS)

    def resolved_title(self, subject: str, numbers: Numbers, lasted_ms: int) -> str:
        tail = f" — {self.duration(lasted_ms)}, peak {numbers.negative} of {numbers.total}"
        return fit(f"Resolved: {subject}", tail, _CHARS)

    def summary(self, place: str, peak: Numbers, latest: Numbers | None, since: str, between: tuple[str, str]) -> str:
        of = f"{peak.negative} of {peak.total} records ({peak.share})"
        begin, end = between
        if latest is None:
            text = f"{of}{place} between {begin} and {end} were negative"
        else:
            text = f"At the peak {of}{place} in {self.duration(peak.window_ms)} were negative"
        if peak.expected is not None:
            text += f"; about {_amount(peak.expected)} were expected"
        if latest is not None:
            text += f". Between {begin} and {end} it was {latest.negative} of {latest.total}"
        return f"{text}. Firing since {since}."

    def over(self, place: str, peak: Numbers, since: str, lasted_ms: int) -> str:
        expected = "" if peak.expected is None else f", where about {_amount(peak.expected)} were expected"
        return (
            f"The spike of negative feedback{place} is over. It began at {since} and lasted "
            f"{self.duration(lasted_ms)}; at its peak {peak.negative} of {peak.total} records in "
            f"{self.duration(peak.window_ms)} were negative{expected}."
        )

    def thresholds(self, rule: str, count: int, share: float) -> str:
        return f"Rule {rule} fires at {count} negatives and {share:.0%} negative."

    def late(self, records: int) -> str:
        return f"{records} of the records in the latest window came late and are counted now."

    def flapping(self) -> str:
        return "It comes and goes: it stays open until it has been quiet for longer."

    def still_firing(self, title: str, age_ms: int) -> str:
        return fit(f"Still firing after {self.duration(age_ms)}: {title}", "", _CHARS)

    def acknowledged(self, title: str, by: str) -> str:
        return fit(f"Acknowledged by {by}: {title}", "", _CHARS)

    def more(self, count: int) -> str:
        return f" (+{count} more)"

    def first_steps(self, intent: str | None) -> tuple[str, ...]:
        return FIRST_STEPS.get(intent or "", FIRST_STEPS[""])


def _amount(value: float) -> str:
    return f"{value:,.0f}" if value >= 9.95 else f"{value:.1f}".removesuffix(".0")
