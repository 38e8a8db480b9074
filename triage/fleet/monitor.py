"""Reads the state of the fleet at intervals and compares the readings."""

from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Self, TypeVar

from triage.clock import Clock, SystemClock, rfc3339
from triage.config import Settings
from triage.errors import TriageError, Unavailable
from triage.fleet.assemble import Reading, assemble
from triage.fleet.brokers import BrokerReading, Brokers, Member
from triage.fleet.processes import ask_all, console_error, resolved, shown
from triage.fleet.trouble import Trouble
from triage.fleet.view import FleetView

WINDOW_S = 15.0
_TIMEOUT_S = 3.0
_T = TypeVar("_T")


class FleetMonitor:
    """Monitors the fleet: each `look` reads its state and compares it with that of up to 15 seconds before.

    It blocks, only one thread may use it, and it must be closed. Brokers, processes and a console that do not answer
    are listed in the view's `needs`, and asked again at the next look.
    """

    def __init__(self, settings: Settings, wall: Clock | None = None) -> None:
        # Not the demo's simulated clock: rates and times of dead letters are real.
        self._wall = wall or SystemClock()
        kafka = settings.kafka.model_copy(update={"start_timeout_s": min(settings.kafka.start_timeout_s, _TIMEOUT_S)})
        self._settings = settings.model_copy(update={"kafka": kafka})
        self._console_url = settings.alerting.console_url.rstrip("/")
        self._brokers = Brokers(self._settings)
        self._trouble = Trouble(kafka, self._wall)
        self._readings: deque[Reading] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._brokers.close()
        self._trouble.close()

    def look(self) -> FleetView:
        """Read the state of the fleet now: processes, partitions, stages, alerts and needs.

        Raises Unavailable if neither Kafka nor any process answers.
        """
        problems: list[str] = []
        brokers = _attempt(self._brokers.read, problems) or BrokerReading()
        if not problems:
            _attempt(self._trouble.look, problems)
        timeout_s = self._settings.fleet.timeout_s
        with ThreadPoolExecutor(1, "console") as threads:
            console = threads.submit(console_error, self._console_url, timeout_s)
            answers = tuple(ask_all(self._addresses(brokers.members), timeout_s))
        reading = Reading(self._wall.monotonic(), brokers, answers)
        if problems and not any(answer.error is None for answer in answers):
            raise Unavailable("fleet", f"neither Kafka nor a process answers: {problems[0]}")
        before = self._before(reading)
        view = FleetView(at=rfc3339(self._wall.now_ms()), interval_s=reading.at_s - before.at_s if before else 0.0)
        view.console_url, view.console_error = self._console_url, console.result()
        view.unread = list(dict.fromkeys(problems))
        assemble(view, before, reading)
        self._show_trouble(view)
        self._readings.append(reading)
        return view

    def _before(self, reading: Reading) -> Reading | None:
        while len(self._readings) > 1 and reading.at_s - self._readings[0].at_s > WINDOW_S:
            self._readings.popleft()
        return self._readings[0] if self._readings else None

    def _addresses(self, members: tuple[Member, ...]) -> list[str]:
        ports = {"worker": self._settings.worker.health_port, "alerter": self._settings.alerting.health_port}
        known = [shown(member.host, port) for member in members if (port := ports.get(member.kind))]
        return [*known, *resolved(self._settings.fleet.processes)]

    def _show_trouble(self, view: FleetView) -> None:
        trouble = self._trouble
        view.dead_letters = dict(trouble.dead_letters.most_common())
        view.alerts = dict(Counter(trouble.states.values()).most_common())
        view.open_alerts = sorted(trouble.open.values(), key=lambda alert: alert.started_at, reverse=True)


def _attempt(read: Callable[[], _T], problems: list[str]) -> _T | None:
    try:
        return read()
    except TriageError as error:
        problems.append(str(error))
        return None
