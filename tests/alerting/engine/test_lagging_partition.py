"""A raw partition that lags but moves holds back the others only so far; its records correct what was judged."""

from engine_rig import START_MS, STEP_MS, TOPIC, Messages, Table, advance_all, make, static_rule

from triage.clock import ManualClock

OTHER = "feedback.reviews"
CHANNEL = static_rule("channel", ("channel",))
HOLD_S = 400


def of(topic, message):
    message.topic = topic
    return message


PARTS = {"expected": {(TOPIC, 0), (OTHER, 0)}, "channels": {TOPIC: "complaint", OTHER: "review"}}


class Scene:
    """Each step reviews are at the clock, and complaints hours behind: they move by `pace` of a step."""

    def __init__(self, pace=0.2):
        self.clock, self.table, self.pages = ManualClock(START_MS), Table(), []
        self.complaints, self.reviews, self.step, self.pace = Messages(), Messages(), 0, pace
        self.engine = self.make()

    def make(self):
        return make(self.clock, rules=[static_rule(), CHANNEL], max_hold_s=HOLD_S, parts=PARTS)

    def steps(self, count, *keys, lag=36.0):
        """Reviews have only negatives of each key."""
        for _ in range(count):
            self.step += 1
            self.clock.advance(STEP_MS / 1000)
            for key in keys:
                self.engine.apply(of(OTHER, self.reviews.counts(self.step - 1, 15, 15, **key)))
            self.engine.apply(of(OTHER, self.reviews.mark(self.step)))
            self.engine.apply(self.complaints.mark(self.step * self.pace - lag))
            self.pages += advance_all(self.engine, self.table)

    def episode(self, key):
        [episode] = [e for e in self.engine._episodes.all() if e.key == key]
        return episode

    def gauge(self):
        return self.engine._metrics.partitions_lagging._value.get()


DELIVERY, REVIEWS = {"intent": "delivery"}, {"channel": "review"}


def test_it_holds_the_others_only_so_far_and_alerts_say_what_may_be_missing():
    found = Scene()
    found.steps(2, DELIVERY, REVIEWS)
    assert (found.pages, found.gauge()) == ([], 0), "it is waited for"
    found.steps(3, DELIVERY, REVIEWS)
    [page] = found.pages
    assert {page.alert.key, *(other.key for other in page.also)} == {"channel=review", "intent=delivery"}
    said = found.engine.alert(found.episode("intent=delivery"))
    assert said.without == [f"{TOPIC}/0"]
    assert f"Records of {TOPIC}/0 may be missing" in said.summary
    assert found.episode("channel=review").without == [], "reviews do not depend on it"
    assert found.gauge() == 1
    again = found.make()
    again.restore(found.table.entries)
    assert again.alert(again.episode(said.dedup_key)).without == [f"{TOPIC}/0"]


def test_what_depends_on_it_is_not_over_before_its_records_are_known():
    found = Scene()
    found.steps(5, DELIVERY, REVIEWS)
    found.steps(9, {"intent": "calm"})
    assert found.episode("channel=review").state == "resolved"
    assert found.episode("intent=delivery").state == "recovering"
    # It catches up, and brings nothing.
    found.pace = 1.0
    found.steps(4, {"intent": "calm"}, lag=0.0)
    assert found.gauge() == 0
    assert found.episode("intent=delivery").state == "resolved"


def test_its_records_correct_the_windows_that_were_judged_without_it():
    found = Scene()
    found.steps(6, DELIVERY)
    closed_ms = found.engine.windows.progress.closed_ms
    late = (closed_ms - START_MS) // STEP_MS - 1
    found.engine.apply(found.complaints.counts(late, 40, 40, intent="billing"))
    found.engine.apply(found.complaints.counts(late, 5, 5, intent="delivery"))
    assert found.engine._metrics.window_counts_merged.labels("corrected")._value.get() == 2
    found.steps(1, DELIVERY)
    assert found.episode("intent=delivery").late_records == 5
    assert (found.episode("intent=billing").negative, found.episode("intent=billing").late_records) == (40, 40)


def test_one_that_catches_up_soon_is_waited_for_and_no_window_lacks_its_records():
    found = Scene(pace=8.0)
    found.steps(4, DELIVERY)
    assert (found.pages, found.gauge()) == ([], 0)
    found.steps(3, DELIVERY)
    assert [page.alert.key for page in found.pages] == ["intent=delivery"]
    assert found.episode("intent=delivery").without == []


def test_one_that_is_always_about_to_catch_up_is_waited_for_ten_times_the_hold_at_most():
    found = Scene()
    for step in range(60):
        # Its lag halves all the time that counts, and is large again.
        found.pace = 0.0
        found.steps(1, DELIVERY, lag=36.0 - 20 * (step % 2) - step)
    assert found.pages != []


def test_where_all_that_have_records_lag_nothing_is_judged_early():
    """As after an outage of all workers: an idle partition is at the clock, and has no counts."""
    found = Scene()
    found.engine.apply(found.complaints.counts(-30, 15, 15))
    found.steps(29)
    assert found.pages == [], "its step is judged when it is complete"
    found.engine.apply(found.complaints.mark(-28))
    assert [page.alert.without for page in advance_all(found.engine)] == [[]]


def test_once_it_has_caught_up_it_is_waited_for_again():
    found = Scene()
    found.steps(5, DELIVERY)
    assert found.engine.windows.lagging == {f"{TOPIC}/0"}
    found.engine.apply(found.complaints.mark(found.step))
    advance_all(found.engine)
    assert found.engine.windows.lagging == frozenset()
