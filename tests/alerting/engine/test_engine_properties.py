"""Whatever the order of messages and wherever the process dies: the same episodes, the same pages."""

from engine_rig import START_MS, STEP_MS, Messages, Table, advance_all, deduplicated, make, now, spike_rule, static_rule
from hypothesis import given, settings
from hypothesis import strategies as st

RULES = (
    static_rule("static", pending=1),
    spike_rule("spike"),
    static_rule("brand", ("brand",), 12, severity="error"),
    static_rule("both", ("brand", "intent"), 8, severity="warning"),
)
OPTIONS = {
    "rules": RULES, "group_wait_s": 60, "group_interval_s": 900, "repeat_interval_s": 1800, "snapshot_interval_s": 900,
}  # fmt: skip
KEYS = ({"intent": "delivery"}, {"intent": "billing"}, {"brand": "Acme"}, {"brand": "Acme", "intent": "delivery"})


@st.composite
def days(draw, steps=26):
    """Per key and step: mostly calm, at times a burst."""
    series = []
    for _ in KEYS:
        level = draw(st.integers(0, 3))
        bursts = draw(st.lists(st.tuples(st.integers(6, steps - 1), st.integers(1, 6), st.integers(8, 40)), max_size=2))
        counts = [level] * steps
        for at, length, size in bursts:
            for step in range(at, min(at + length, steps)):
                counts[step] += size
        series.append(counts)
    return series


def log_of(series, messages):
    log = []
    for step in range(len(series[0])):
        log += [
            messages.counts(step, counts[step], counts[step] + 3, **key)
            for key, counts in zip(KEYS, series, strict=True)
            if counts[step] or step % 3 == 0
        ]
        log.append(messages.mark(step + 1))
    log.append(messages.mark(len(series[0]) + 60))
    return log


def outcome(engine):
    """Everything that must not depend on crashes or order."""
    return sorted(
        (e.dedup_key, e.state, e.started_ms, e.last_firing_ms, e.peak_negative, e.page or "", e.score or 0.0)
        for e in engine._episodes.all()
    )


@settings(deadline=None, max_examples=40)
@given(days(), st.data())
def test_a_crash_at_any_write_of_any_flush_changes_nothing(series, data):
    """The process dies after any number of a flush's writes; offsets were committed up to some earlier flush."""
    log, clock = log_of(series, Messages()), now()
    calm = make(clock, **OPTIONS)
    expected = []
    for message in log:
        calm.apply(message)
        expected += advance_all(calm)

    table, pages, position, committed, crashes = Table(), [], 0, 0, 5
    engine = make(clock, **OPTIONS)
    while position < len(log):
        size = data.draw(st.integers(1, 30))
        for message in log[position : position + size]:
            engine.apply(message)
        position += size
        more = True
        while more:
            more = engine.advance()
            changes = engine.take_changes()
            if crashes and data.draw(st.integers(0, 2)) == 0:
                table.write(changes.writes, at_most=data.draw(st.integers(0, len(changes.writes))))
                engine = make(clock, **OPTIONS)
                engine.restore(table.entries)
                pages += engine.take_changes().notifications
                position, crashes = committed, crashes - 1
                break
            table.write(changes.writes)
            pages += changes.notifications
        else:
            if data.draw(st.booleans()):
                committed = min(position, len(log))
    assert deduplicated(pages) == deduplicated(expected)
    assert outcome(engine) == outcome(calm)


@settings(deadline=None, max_examples=25)
@given(days(steps=14), st.integers(0, 3), st.data())
def test_late_repeated_and_shuffled_counts_within_lateness_give_the_same_episodes(series, lateness, data):
    """Raw partitions are read at their own pace, records are late by less than the lateness, stretches come again."""
    options = OPTIONS | {"allowed_lateness_s": lateness * STEP_MS // 1000}
    steps = len(series[0])
    entries = [
        [(step, counts[step] * share, key) for step in range(steps) for key, counts in zip(KEYS, series, strict=True)]
        for share in (1, 0)
    ]

    def reported(delay):
        return [_as_a_worker(part, Messages(raw), delay, steps + 60) for raw, part in enumerate(entries)]

    in_order = [message for pair in zip(*reported(lambda: 0), strict=True) for message in pair]
    left, mixed = reported(lambda: data.draw(st.integers(0, lateness))), []
    while left := [log for log in left if log]:
        mixed.append(data.draw(st.sampled_from(left)).pop(0))

    def repeat_from(seen):
        return data.draw(st.integers(0, seen - 1)) if data.draw(st.integers(0, 9)) == 0 else seen

    assert _outcome(mixed, repeat_from, **options) == _outcome(in_order, lambda seen: seen, **options)


def _as_a_worker(entries, messages, delay, last):
    """Messages of one raw partition: a count stands `delay()` steps behind its place, watermarks know the newest."""
    queue = sorted(((step + delay(), step, n, key) for step, n, key in entries), key=lambda item: item[0])
    out, high = [], 0
    for place, step, negative, key in queue:
        if place > high:
            high = place
            out.append(messages.mark(high))
        out.append(messages.counts(step, negative, negative + 3, **key))
    return [*out, messages.mark(last)]


def _outcome(order, repeat_from, **options):
    """Pages and episodes; after each message Kafka may deliver again what came from `repeat_from(seen)` on."""
    engine, sent = make(now(), raw=2, **options), []
    for seen, message in enumerate(order, start=1):
        for delivered in [message, *order[repeat_from(seen) : seen]]:
            engine.apply(delivered)
        sent += advance_all(engine)
    return deduplicated(sent), outcome(engine)


def test_the_changelog_grows_by_a_few_writes_a_key_and_hour():
    """Each hour, a key that had a record in every step costs its twelve counts, a baseline, and as many deletes."""
    engine, messages, table = make(now(), rules=[spike_rule()], snapshot_interval_s=3600), Messages(), Table()
    keys, hours = 40, 6
    for step in range(12 * hours):
        for number in range(keys):
            engine.apply(messages.counts(step, number % 3, 5, intent=f"i{number}"))
        engine.apply(messages.mark(step + 1))
        advance_all(engine, table)
    assert table.written < keys * hours * (12 + 12 + 1.5) + 12 * hours
    kept = [name for name in table.entries if name.startswith("sum:")]
    assert len(kept) <= keys * 14
    assert max(int(name.split(":")[1]) for name in kept) == START_MS + (12 * hours - 1) * STEP_MS
