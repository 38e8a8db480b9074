"""Alerts on sources that stop: after a silence that their own pace does not explain, and not for lag or a restart."""

import pytest
from engine_rig import AGES, STEP_MS, TOPIC, Messages, Table, advance_all, events, make, now, play

from triage.alerting.rules.model import Rule

# Learns within a day, so that a test need not play weeks.
QUICK = {"learning_days": 1, "learning_windows": 3}
DAY = 288
COUNTED = {"dimensions": [["source"]], "max_page_age_s": AGES}


def silence_rule(name="silence", dimension=("source",), **options):
    return Rule(name=name, dimension=list(dimension), silence=QUICK | options, severity="critical")


def engine(rule=None):
    return make(now(), rules=[rule or silence_rule()], **COUNTED)


class Feed:
    """A source's worker: `each(step)` records in a step, and the watermark after it."""

    def __init__(self, partition=0, source="shop"):
        self.messages, self.source = Messages(partition), source

    def steps(self, first, last, each=lambda step: 20):
        for step in range(first, last):
            if number := each(step):
                yield self.messages.counts(step, 0, number, source=self.source)
            yield self.messages.mark(step + 1)


def by_day(step):
    return 20 if 100 <= step % DAY < 220 else 0


def none(step):
    return 0


def test_a_source_that_stops_fires_once_and_resolves_when_it_speaks_again():
    found, feed, table = engine(), Feed(), Table()
    assert play(found, feed.steps(0, DAY + 20), table) == []
    assert play(found, feed.steps(DAY + 20, DAY + 21, none), table) == [], "one window is chance"
    [page] = play(found, feed.steps(DAY + 21, DAY + 70, none), table)
    assert (page.event, page.alert.kind, page.alert.causes) == ("firing", "silence", ["silence"])
    assert 20 < page.alert.peak_expected < 400, "after some windows, not after hours"
    assert "no records, " in page.alert.title
    [resolved] = play(found, feed.steps(DAY + 70, DAY + 73), table)
    assert (resolved.event, resolved.alert.dedup_key) == ("resolved", page.alert.dedup_key)
    assert "come again" in resolved.alert.summary


def test_a_silence_lasts_also_when_its_level_is_no_longer_expected():
    found, feed = engine(), Feed()
    play(found, feed.steps(0, DAY + 20))
    assert events(play(found, feed.steps(DAY + 20, 3 * DAY, none))) == [("firing", "source=shop")]
    assert found.open_episodes == 1


def test_the_pace_of_the_source_decides():
    found, feed = engine(), Feed()
    assert play(found, feed.steps(0, DAY + 100, lambda step: int(step % 12 == 0))) == []
    assert play(found, feed.steps(DAY + 100, DAY + 124, none)) == [], "of one an hour, two hours are chance"
    assert found._evaluators.series["silence"].too_few == 1


@pytest.mark.parametrize(("nights", "expected"), [(False, []), (True, [("firing", "source=shop")])])
def test_nights_are_no_silence_and_by_day_one_is_noticed_if_the_rule_says_so(nights, expected):
    found, feed = engine(silence_rule(learning_days=2, nights=nights)), Feed()
    assert play(found, feed.steps(0, 3 * DAY + 130, by_day)) == []
    assert found._evaluators.series["silence"].too_few == int(not nights)
    assert events(play(found, feed.steps(3 * DAY + 130, 3 * DAY + 180, none))) == expected


def test_a_worker_that_stopped_is_not_silence():
    """Its raw partition is left out of the watermark, and other partitions close the steps without its records."""
    clock = now()
    found = make(clock, rules=[silence_rule()], raw=2, max_hold_s=60, **COUNTED)
    one, two = Feed(0), Feed(1, "other")
    for step in range(DAY + 20):
        play(found, [*one.steps(step, step + 1), *two.steps(step, step + 1)])
    clock.advance(61)
    pages = []
    for step in range(DAY + 20, DAY + 80):
        for message in two.steps(step, step + 1):
            found.apply(message)
        pages += advance_all(found, Table())
    assert found.windows.left_out == {f"{TOPIC}/0"}
    assert found.windows.progress.closed_ms % (DAY * STEP_MS) > 0
    assert pages == []


def test_after_a_restart_an_alert_continues():
    found, feed, table = engine(), Feed(), Table()
    play(found, feed.steps(0, DAY + 20), table)
    [page] = play(found, feed.steps(DAY + 20, DAY + 50, none), table)
    again = engine()
    again.restore(table.entries)
    again.take_changes()
    assert play(again, feed.steps(DAY + 50, DAY + 60, none)) == []
    assert again.episode(page.alert.dedup_key).open


def test_a_silence_has_no_other_detector():
    with pytest.raises(ValueError, match="a rule of its own"):
        Rule(name="a", dimension=[], silence={}, spike={})
    assert Rule(name="a", dimension=[], silence=None).silence is not None, "`silence:` without options"
    assert silence_rule().quiet_steps == 1
