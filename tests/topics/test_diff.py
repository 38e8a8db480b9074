"""The plan only ever adds."""

from hypothesis import given
from hypothesis import strategies as st

from triage.topics.definitions import TopicDefinition
from triage.topics.diff import ConfigChange, Existing, compute_plan


def _wanted(partitions=3, replication=1, **config):
    values = {name.replace("_", "."): value for name, value in config.items()}
    return TopicDefinition("t", "p.t", partitions, replication, values)


def _there(partitions=3, replication=1, overridden=(), **config):
    values = {name.replace("_", "."): value for name, value in config.items()}
    return Existing(partitions, replication, values, frozenset(overridden))


def test_a_missing_topic_is_created():
    plan = compute_plan([_wanted(retention_ms="5")], {})
    (change,) = plan.topics
    assert change.create
    assert change.config == (ConfigChange("retention.ms", None, "5"),)
    assert not plan.empty


def test_an_equal_topic_needs_nothing():
    plan = compute_plan(
        [_wanted(cleanup_policy="compact,delete")], {"p.t": _there(cleanup_policy="delete,compact")}, brokers=1
    )
    assert plan.empty
    assert plan.warnings == ()


def test_partitions_are_added_and_settings_changed():
    plan = compute_plan([_wanted(5, retention_ms="9")], {"p.t": _there(3, retention_ms="5")})
    (change,) = plan.topics
    assert change.add_partitions
    assert change.partitions_before == 3
    assert change.config == (ConfigChange("retention.ms", "5", "9"),)


def test_more_partitions_of_a_compacted_topic_are_warned_about():
    plan = compute_plan([_wanted(5, cleanup_policy="compact")], {"p.t": _there(3, cleanup_policy="compact")})
    assert plan.topics[0].add_partitions
    assert "compacted" in plan.warnings[0]


def test_shrinking_is_refused():
    plan = compute_plan([_wanted(2)], {"p.t": _there(3)})
    assert plan.empty
    assert "never removed" in plan.warnings[0]


def test_replication_is_reported_not_changed():
    plan = compute_plan([_wanted(replication=3)], {"p.t": _there(replication=1)})
    assert plan.empty
    assert "replication factor 1, the definition says 3" in plan.warnings[0]


def test_too_few_brokers_are_named_before_anything_is_tried():
    plan = compute_plan([_wanted(replication=3)], {}, brokers=1)
    assert plan.warnings == ("p.t (replication_factor 3) cannot be created with 1 broker: is kafka.environment right?",)
    assert compute_plan([_wanted(replication=3)], {}, brokers=None).warnings == ()


def test_min_insync_that_would_block_every_write_is_not_set():
    plan = compute_plan(
        [_wanted(replication=3, min_insync_replicas="2")], {"p.t": _there(replication=1, min_insync_replicas="1")}
    )
    assert plan.empty
    assert "would refuse every record" in plan.warnings[1]


def test_min_insync_can_be_lowered():
    plan = compute_plan([_wanted(min_insync_replicas="1")], {"p.t": _there(min_insync_replicas="2")})
    assert plan.topics[0].config == (ConfigChange("min.insync.replicas", "2", "1"),)


def test_what_the_broker_does_not_report_is_said_not_assumed():
    plan = compute_plan([_wanted(retention_ms="5")], {"p.t": _there(segment_ms="1")})
    assert plan.empty
    assert "does not report retention.ms" in plan.warnings[0]


def test_what_is_not_ours_is_left_alone():
    plan = compute_plan([_wanted()], {"p.t": _there(overridden=["segment.ms"], segment_ms="7")}, others=["p.x", "p.t"])
    assert plan.empty
    assert plan.notes == ("p.t also has segment.ms=7; left alone", "p.x is not in the definitions; left alone")


@given(st.integers(1, 50), st.integers(1, 50))
def test_applying_a_plan_leaves_nothing_to_do_and_never_fewer_partitions(wanted, there):
    change = compute_plan([_wanted(wanted)], {"p.t": _there(there)}).topics[0]
    after = wanted if change.add_partitions else there
    assert after == max(wanted, there)
    assert compute_plan([_wanted(wanted)], {"p.t": _there(after)}).empty
