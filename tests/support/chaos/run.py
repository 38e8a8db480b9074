"""One seeded run: its own fleet, records, faults at random moments, and the audit."""

import collections
import json
import random
import shutil
import tempfile
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import httpx
from chaos.auditor import Verdict, audit
from chaos.fault import Scene
from chaos.faults import possible, schedule
from chaos.feeder import Feeder
from chaos.fleet import SupervisedFleet
from chaos.monitor import Progress, Resources
from chaos.stack import Stack
from harness import wait_for
from kafka.admin import KafkaAdminClient

WARM_S = 3.0
STILL_S = 5.0
STARTING_S = 20.0
SPIKES = 2
SAY_S = 60.0


@dataclass
class Strike:
    """One fault of a run: its time since the start, its duration, and the time until throughput was back."""

    fault: str
    at_s: float
    lasted_s: float
    first: int
    recovery_s: float | None = None
    records: int = 0


@dataclass
class Outcome:
    seed: int
    records: int
    invalid: int
    seconds: float
    lost: int
    twice: int
    lag: int
    pages: dict[str, int]
    strikes: list[dict[str, Any]]
    most: dict[str, list[float]]
    versioned: int = 0
    older: int = 0
    expired: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        return not (self.lost or self.twice or self.lag or self.problems)


@dataclass(frozen=True)
class Plan:
    """Records and faults of a run. `soak_s`: run that long, with a fault every `gap_s`, sparing the first worker.

    The run waits for the backlog until nothing was committed for `patience_s`, however long a busy machine takes.
    With `every_s` the time between faults is fixed instead of random. `only` are parts of the faults' names, `names`
    whole ones. `pages` runs the alerter too, with spikes to page.
    """

    records: int = 50_000
    rate: int = 500
    faults: int = 12
    gap_s: float = 4.0
    workers: int = 3
    only: tuple[str, ...] = ()
    soak_s: float = 0.0
    patience_s: float = 120.0
    names: tuple[str, ...] = ()
    pages: bool = True
    every_s: float = 0.0


def run(stack: Stack, seed: int, plan: Plan, folder: Path, say: Callable[[str], object] = print) -> Outcome:
    """Run one seed; logs of the processes stay in `folder`."""
    rng = random.Random(seed)
    prefix = f"f{seed}-{uuid.uuid4().hex[:6]}"
    folder.mkdir(parents=True, exist_ok=True)
    stack.heal()
    fleet = SupervisedFleet(stack, prefix, folder)
    fleet.prepare()
    progress, resources = Progress(fleet), Resources(fleet, path=folder / "resources.csv")
    feeder = Feeder(fleet, plan.rate, plan.records, random.Random(seed))
    slots = [chr(ord("a") + number) for number in range(plan.workers)]
    scene = Scene(fleet, stack, rng, spared={"a", "alerter"} if plan.soak_s else ())
    if stack.clustered:
        scene.cluster.wait_whole()
    started = time.monotonic()
    try:
        fleet.launch(slots, alerter=plan.pages)
        for slot in slots:
            _wait_for_log(fleet, f"{slot}.log", "partitions_assigned", f"worker {slot} to join")
        if plan.pages:
            _wait_for_log(fleet, "alerter.log", "alerter_started", "the alerter to start")
        progress.start()
        resources.start()
        feeder.start()
        time.sleep(WARM_S)
        strikes = _strike_all(scene, feeder, plan, rng, started, say, resources)
        stack.heal()
        fed_s = time.monotonic()
        feeder.finish()
        _drain(fleet, progress, feeder, plan.patience_s)
        _wait(lambda: _paged(fleet) >= set(feeder.spikes), 300)
        time.sleep(1)
        progress.close()
        if stack.clustered:
            scene.cluster.wait_whole()
        verdict = audit(fleet)
        # Before the topics are deleted: without them no page would ever be found twice.
        pages = {"expected": len(feeder.spikes), **_pages(fleet, feeder.spikes)}
        seconds = time.monotonic() - started
        _measure(strikes, progress, feeder, plan, started, fed_s)
    finally:
        resources.close()
        progress.close()
        stack.heal()
        feeder.finish()
        fleet.close()
        remove(fleet)
    outcome = Outcome(
        seed, verdict.records, verdict.invalid, round(seconds, 1), verdict.lost, verdict.twice, verdict.lag,
        pages, [asdict(strike) for strike in strikes], resources.maxima(), verdict.versioned, verdict.older,
        verdict.expired,
    )  # fmt: skip
    outcome.problems += [*scene.problems, *_problems(verdict, pages, fleet), *resources.grown()]
    (folder / "outcome.json").write_text(json.dumps(asdict(outcome), indent=1))
    return outcome


def _wait_for_log(fleet: SupervisedFleet, log: str, event: str, what: str) -> None:
    wait_for(lambda: event in fleet.logs(log), 120, what)


def _problems(verdict: Verdict, pages: dict[str, int], fleet: SupervisedFleet) -> Iterator[str]:
    """The problems that the audit, the pages and the exits of processes show, as sentences."""
    for finding in verdict.findings:
        for kind in ("lost", "twice", "unknown"):
            if values := getattr(finding, kind):
                yield f"{finding.place}: {len(values)} {kind}, as {values[:5]}"
    if verdict.lag:
        yield f"{verdict.lag} records are not committed"
    if pages["missing"] or pages["twice"]:
        yield f"pages: {pages}"
    for _, role, code, ran_s in fleet.exits:
        # A SIGTERM may arrive before the interpreter has reached the program.
        if code not in {0, -9} and not (code == -15 and ran_s < STARTING_S):
            yield f"{role} exited with {code} after {ran_s:.0f} s"


def _strike_all(
    scene: Scene,
    feeder: Feeder,
    plan: Plan,
    rng: random.Random,
    started: float,
    say: Callable[[str], object],
    resources: Resources,
) -> list[Strike]:
    supported, _ = possible(scene.stack)
    faults = [
        fault
        for fault in supported
        if any(part in fault.name for part in plan.only or ("",)) and fault.name in (plan.names or {fault.name})
    ]
    count = 10_000 if plan.soak_s else plan.faults
    strikes: list[Strike] = []
    # Early enough that their windows close during the run.
    spikes_after = rng.sample(range(max(SPIKES, plan.faults * 2 // 3)), SPIKES) if plan.pages else []
    for number, (fault, pause_s) in enumerate(schedule(faults, count, rng, plan.gap_s)):
        if number in spikes_after:
            feeder.spike()
        _wait_and_say(plan.every_s or min(pause_s, 3 * plan.gap_s), plan, started, feeder, resources, say)
        if plan.soak_s and time.monotonic() - started > plan.soak_s:
            break
        struck = time.monotonic()
        strike = Strike(fault.name, round(struck - started, 2), 0.0, feeder.sent)
        if fault.strike(scene) is False:
            continue
        strikes.append(strike)
        strike.lasted_s = round(time.monotonic() - struck, 2)
        say(f"  {strike.at_s:7.1f} s  {fault.name} for {strike.lasted_s:.1f} s  (fed {feeder.sent})")
    _wait_and_say(plan.soak_s - (time.monotonic() - started), plan, started, feeder, resources, say)
    return strikes


def _wait_and_say(
    seconds: float, plan: Plan, started: float, feeder: Feeder, resources: Resources, say: Callable[[str], object]
) -> None:
    """Wait; in a soak say each minute what every process has, and stop at its end."""
    until = time.monotonic() + seconds
    if plan.soak_s:
        until = min(until, started + plan.soak_s)
    while (left := until - time.monotonic()) > 0:
        time.sleep(min(left, SAY_S))
        if plan.soak_s:
            say(f"  {time.monotonic() - started:7.1f} s  fed {feeder.sent:,}; {resources.now()}")


def _measure(
    strikes: list[Strike], progress: Progress, feeder: Feeder, plan: Plan, started: float, fed_s: float
) -> None:
    """Recovery is measured from the end of the fault; records are those fed until the next fault."""
    for strike, after in zip(strikes, [*strikes[1:], None], strict=True):
        strike.records = (after.first if after else feeder.sent) - strike.first
        lifted_s = started + strike.at_s + strike.lasted_s
        found = progress.recovery(lifted_s, plan.rate)
        strike.recovery_s = None if found is None or lifted_s > fed_s else round(found, 1)


def _drain(fleet: SupervisedFleet, progress: Progress, feeder: Feeder, patience_s: float) -> None:
    done, since = -1, time.monotonic()
    while time.monotonic() - since < patience_s:
        now = progress.samples[-1][1] if progress.samples else 0
        unmoved = time.monotonic() - since > STILL_S
        # Faults send records too, and some expire: only the lag tells the end.
        if (now >= feeder.sent - len(feeder.errors) or unmoved) and not fleet.committed_lag():
            return
        if now != done:
            done, since = now, time.monotonic()
        time.sleep(0.2)


def _wait(condition: Callable[[], object], timeout_s: float) -> None:
    """Wait for a condition without failing: the audit reports what is still wrong."""
    try:
        wait_for(condition, timeout_s)
    except AssertionError:
        return


def _paged(fleet: SupervisedFleet) -> set[str]:
    return {page["alert"]["dimensions"].get("brand") for page in list(fleet.receiver.pages)}


def _pages(fleet: SupervisedFleet, spikes: Iterable[str]) -> dict[str, int]:
    """Spikes without a page, and spikes with more than one episode on the alerts topic."""
    spikes = list(spikes)
    episodes = {alert["dedup_key"]: alert["dimensions"].get("brand") for _, alert, _ in fleet.read("alerts") if alert}
    by_brand = collections.Counter(episodes.values())
    return {
        "missing": sum(brand not in _paged(fleet) for brand in spikes),
        "twice": sum(by_brand[brand] > 1 for brand in spikes),
    }


def remove(fleet: SupervisedFleet) -> None:
    """Delete what the run created on a shared stack."""
    kafka, elasticsearch = fleet.settings.kafka, fleet.settings.elasticsearch
    admin = KafkaAdminClient(**kafka.client())
    admin.delete_topics([name for name in admin.list_topics() if name.startswith(f"{kafka.topic_prefix}.")])
    admin.close()
    url = elasticsearch.urls()[0]
    for name in (f"{elasticsearch.index_prefix}-*", elasticsearch.alerts_index, f"{elasticsearch.index_prefix}_*"):
        for index in httpx.get(f"{url}/{name}", params={"ignore_unavailable": "true"}, timeout=60).json():
            httpx.delete(f"{url}/{index}", timeout=60)


def scratch() -> Path:
    """A folder for logs, which is deleted after a clean run."""
    return Path(tempfile.mkdtemp(prefix="triage-faults-"))


def discard(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
