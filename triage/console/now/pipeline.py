"""The state of the pipeline on *Now*: received and waiting records, and the time up to which numbers are complete."""

from dataclasses import dataclass

from markupsafe import Markup

from triage.console.data.snapshot import Snapshot
from triage.console.web.templates import render
from triage.fleet import FleetView
from triage.fleet.wording import sentence
from triage.translations import Translations

_BEHIND_MS = 30_000
_MOST_NEEDS = 3


@dataclass(frozen=True)
class Pipeline:
    """The numbers of the page *Now*, and the state of the fleet at the same time.

    `fleet` is None until it was read; `error` is the reason if reading failed.
    """

    snapshot: Snapshot
    fleet: FleetView | None = None
    error: str | None = None

    @property
    def waiting(self) -> int:
        """Number of records that wait in the raw topics; 0 while unknown."""
        return self.fleet.lag if self.fleet is not None else 0

    @property
    def state(self) -> str:
        """State of the page's numbers: connecting, stale, behind, unknown or live.

        `stale`: Elasticsearch does not answer. `behind`: records wait, and the newest processed one is more than 30 s
        old. `unknown`: it is not known if records wait. With simulated time, `behind` is never returned.
        """
        if not self.snapshot.known:
            return "connecting" if self.snapshot.error is None else "stale"
        if self.snapshot.error is not None:
            return "stale"
        if self.unread_ms is not None:
            return "behind"
        return "unknown" if self.error is not None or (self.fleet is not None and self.fleet.unread) else "live"

    @property
    def unread_ms(self) -> int | None:
        """The event time, in ms, after which records may be missing from the numbers; None if they are complete.

        They count as complete if no records wait in the raw topics, if the newest processed record is at most 30 s old,
        and in a simulation.
        """
        reached = self.snapshot.reached_ms
        if not self.waiting or self.snapshot.simulated or self.snapshot.empty:
            return None
        return reached if reached is not None and self.snapshot.at_ms - reached > _BEHIND_MS else None


def status(pipeline: Pipeline, translations: Translations) -> Markup:
    """Render one line: if the page's numbers are current, of which time they are, and the state of the fleet."""
    return render(
        "now/status.html",
        translations,
        snapshot=pipeline.snapshot,
        state=pipeline.state,
        facts=[
            fact
            for fact in (
                _complete(pipeline, translations),
                _received(pipeline, translations),
                _newest(pipeline, translations),
            )
            if fact
        ],
    )


def needs_html(pipeline: Pipeline, translations: Translations) -> Markup:
    """Render the most urgent conditions that need an operator's attention; empty if there are no known ones."""
    needs = [need for need in pipeline.fleet.needs if need.severity != "medium"] if pipeline.fleet else []
    listed = [(need.severity, sentence(need, translations)) for need in needs[:_MOST_NEEDS]]
    if pipeline.error is not None:
        listed.insert(0, ("high", translations("now.fleet_unknown", why=pipeline.error)))
    more = max(0, len(needs) - _MOST_NEEDS)
    return render("now/needs.html", translations, needs=listed, more=more) if listed else Markup()


def _complete(pipeline: Pipeline, translations: Translations) -> str:
    if pipeline.unread_ms is None:
        return ""
    return translations("now.complete_until", when=translations.when(pipeline.unread_ms, pipeline.snapshot.at_ms))


def _received(pipeline: Pipeline, translations: Translations) -> str:
    fleet = pipeline.fleet
    if fleet is None or not fleet.partitions:
        return ""
    if not fleet.interval_s:
        return translations("now.waiting", n=fleet.lag)
    per_s = fleet.in_per_s - fleet.out_per_s
    name = (
        "waiting" if not fleet.lag else "waiting_grows" if per_s > 0 else "waiting_shrinks" if per_s < 0 else "waiting"
    )
    received = translations("now.received", rate=translations.quantity(round(fleet.in_per_s, 1)))
    change = translations.quantity(round(abs(per_s), 1))
    return f"{received} · {translations(f'now.{name}', n=fleet.lag, rate=change)}"


def _newest(pipeline: Pipeline, translations: Translations) -> str:
    snapshot = pipeline.snapshot
    if not snapshot.known or snapshot.processed_ms is None:
        return ""
    age = translations.exact_duration(max(0, snapshot.at_ms - snapshot.processed_ms))
    return translations("now.newest", when=translations.when(snapshot.processed_ms, snapshot.at_ms), age=age)
