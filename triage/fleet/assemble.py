"""Combines two readings of brokers and processes into one view of the fleet."""

from dataclasses import dataclass, field

from triage.fleet.brokers import BrokerReading, Member
from triage.fleet.exposition import Samples, grown, increase, merged, quantile
from triage.fleet.needs import NO_METRICS, needs_of
from triage.fleet.processes import Answer
from triage.fleet.view import FleetView, PartitionLag, ProcessView, StageTime
from triage.fleet.wording import sentence
from triage.translations import translations_for

_NO_SAMPLES = Samples()
_STAGE_ORDER = ("reload", "guarded", "decode", "enrich", "index", "publish")


@dataclass(frozen=True)
class Reading:
    """One reading of brokers and processes, at the time `at_s` in seconds of a monotonic clock."""

    at_s: float
    brokers: BrokerReading = field(default_factory=BrokerReading)
    answers: tuple[Answer, ...] = ()


def assemble(view: FleetView, before: Reading | None, now: Reading) -> None:
    """Fill in `view`, with rates between the readings `before` and `now`, and its needs and problems.

    Without `before`, rates stay 0 and the times of stages are averages since the processes started. `unread` and
    `console_error` of the view must already be set.
    """
    earlier = {answer.address: answer for answer in before.answers} if before else {}
    pairs = [(earlier[each.address].samples if each.address in earlier else _NO_SAMPLES, each) for each in now.answers]
    _partitions(view, before, now)
    view.processes = _processes(view, pairs, now)
    _rules(view, now)
    _times(view, [(old, answer.samples) for old, answer in pairs])
    view.needs = needs_of(view)
    view.problems = [sentence(need, translations_for("en")) for need in view.needs]


def _partitions(view: FleetView, before: Reading | None, now: Reading) -> None:
    owners = {
        partition: member.name
        for member in now.brokers.members
        if member.kind == "worker"
        for partition in member.partitions
    }
    earlier = before.brokers.offsets if before else {}
    for (topic, number), offsets in sorted(now.brokers.offsets.items()):
        old = earlier.get((topic, number), offsets)
        committed, old_committed = offsets.committed or offsets.first, old.committed or old.first
        view.partitions.append(
            PartitionLag(
                topic=topic,
                partition=number,
                lag=offsets.lag,
                in_per_s=_per_s(view, max(0, offsets.end - old.end)),
                out_per_s=_per_s(view, max(0, committed - old_committed)),
                worker=owners.get((topic, number), ""),
                expired=0 if offsets.committed is None else max(0, offsets.first - offsets.committed),
            )
        )
    view.lag = sum(each.lag for each in view.partitions)
    view.in_per_s = sum(each.in_per_s for each in view.partitions)
    view.out_per_s = sum(each.out_per_s for each in view.partitions)
    gain = view.out_per_s - view.in_per_s
    view.drain_s = view.lag / gain if view.lag and gain > 0 else None


def _processes(view: FleetView, pairs: list[tuple[Samples, Answer]], now: Reading) -> list[ProcessView]:
    lag = {(each.topic, each.partition): each.lag for each in view.partitions}
    members = {member.name: member for member in now.brokers.members}
    shown, errors = [], {}
    for old, answer in pairs:
        if answer.error is not None:
            errors[answer.address] = answer.error
            continue
        process = _process(view, old, answer)
        member = _member_of(process, members)
        if member is not None:
            members.pop(member.name)
            process.name = member.name
            process.partitions = len(member.partitions)
            process.lag = sum(lag.get(each, 0) for each in member.partitions)
        shown.append(process)
    for member in members.values():
        error = next(
            (why for address, why in errors.items() if address.rpartition(":")[0].strip("[]") == member.host), None
        )
        shown.append(
            ProcessView(
                kind=member.kind,
                name=member.name,
                partitions=len(member.partitions),
                lag=sum(lag.get(each, 0) for each in member.partitions),
                error=error or NO_METRICS,
            )
        )
    hosts = {member.host for member in members.values()}
    shown += [
        ProcessView(kind="process", name=address, address=address, error=why)
        for address, why in errors.items()
        if _host(address) not in hosts
    ]
    return sorted(shown, key=lambda each: (each.kind != "worker", each.kind != "alerter", each.kind, each.name))


def _member_of(process: ProcessView, members: dict[str, Member]) -> Member | None:
    """Return the group member that is this process, by its name; None without one.

    Kafka knows the alerter's members as <group>-<instance>.
    """
    if process.name in members:
        return members[process.name]
    found = [each for each in members.values() if each.kind == process.kind and each.name.endswith(f"-{process.name}")]
    return found[0] if len(found) == 1 else None


def _process(view: FleetView, old: Samples, answer: Answer) -> ProcessView:
    now, about = answer.samples, answer.about
    model = next(iter(now.labels("model_info")), {})
    version = next(iter(now.labels("build_info")), {})
    batches, records = (
        increase(old.value(f"batch_records_{part}"), now.value(f"batch_records_{part}")) for part in ("count", "sum")
    )
    # A call that began before the interval is counted in full when it ends.
    busy = _rate(view, old, now, "model_seconds_sum")
    return ProcessView(
        kind=answer.kind,
        name=answer.name,
        address=answer.address,
        up=True,
        ready=bool(about.get("ok")),
        waiting_for={str(name): str(why) for name, why in (about.get("waiting_for") or {}).items()},
        paused=now.value("paused") > 0,
        in_per_s=_rate(view, old, now, "records_consumed_total"),
        out_per_s=_rate(view, old, now, "records_enriched_total")
        + _rate(view, old, now, "records_dead_lettered_total"),
        busy=min(1.0, busy) if view.interval_s and now.has("model_seconds_sum") else None,
        batch_records=records / batches if batches else None,
        batch_fill=now.value("batch_fill_ratio") or None,
        standing_still_s=now.value("seconds_since_progress"),
        model=model.get("model", ""),
        device=model.get("device", ""),
        runtime=model.get("runtime", ""),
        precision=model.get("precision", ""),
        expired=int(now.value("records_expired_total")),
        fallback=now.value("model_fallback") > 0,
        version=version.get("version", ""),
    )


def _times(view: FleetView, pairs: list[tuple[Samples, Samples]]) -> None:
    stages = {stage for _, now in pairs for stage in now.by("stage_seconds_count", "stage")}
    for stage in sorted(
        stages, key=lambda name: (_STAGE_ORDER.index(name) if name in _STAGE_ORDER else len(_STAGE_ORDER), name)
    ):
        buckets = merged(
            [
                grown(old.buckets("stage_seconds", stage=stage), now.buckets("stage_seconds", stage=stage))
                for old, now in pairs
            ]
        )
        middle, high = quantile(0.5, buckets), quantile(0.95, buckets)
        if middle is not None and high is not None:
            rate = _per_s(view, max(buckets.values()))
            view.stages.append(StageTime(stage=stage, p50_ms=middle * 1000, p95_ms=high * 1000, per_s=rate))
    name = "record_latency_seconds"
    latency = merged([grown(old.buckets(name), now.buckets(name)) for old, now in pairs])
    view.latency_p50_s, view.latency_p95_s = quantile(0.5, latency), quantile(0.95, latency)


def _rules(view: FleetView, now: Reading) -> None:
    for answer in now.answers:
        for rule, counts in answer.samples.by_two("alert_keys", "rule", "kind").items():
            known = view.rules.setdefault(rule, {})
            for kind, count in counts.items():
                known[kind] = known.get(kind, 0) + int(count)


def _host(address: str) -> str:
    return address.rpartition(":")[0].strip("[]")


def _rate(view: FleetView, old: Samples, now: Samples, name: str) -> float:
    return _per_s(view, increase(old.value(name), now.value(name)))


def _per_s(view: FleetView, amount: float) -> float:
    return amount / view.interval_s if view.interval_s else 0.0
