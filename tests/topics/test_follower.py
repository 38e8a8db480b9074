"""Following a topic: from its start, through whatever goes wrong, and over again where it must."""

import threading
import time

import pytest
from followed import FollowedTopic
from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import NewTopic
from structlog.testing import capture_logs

from triage.config import KafkaSettings
from triage.errors import AccessDenied, ConfigError, Unavailable
from triage.topics import follower as module
from triage.topics.follower import TopicFollower


def _wait_for(condition):
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "not within 30 s"
        time.sleep(0.01)


@pytest.fixture
def follow(monkeypatch):
    followers = []

    def make(topic, take=lambda _: None, restart=lambda: None):
        monkeypatch.setattr(module, "TopicScan", topic)
        monkeypatch.setattr(module, "_RETRY_INTERVAL_S", 0.01)
        monkeypatch.setattr(module, "_FOLLOWING_PAUSE_S", 0.01)
        followers.append(TopicFollower(KafkaSettings(), "t", take, restart))
        return followers[-1]

    yield make
    for each in followers:
        each.stop()


def test_what_is_there_is_taken_before_it_has_caught_up_and_what_comes_after(follow):
    topic, taken = FollowedTopic(b"a", b"b"), []
    follower = follow(topic, lambda records: taken.extend(record.value for record in records))
    assert not follower.started
    follower.start_and_wait(10)
    assert taken == [b"a", b"b"]
    topic.records += FollowedTopic(b"c").records
    _wait_for(lambda: taken == [b"a", b"b", b"c"])


def test_a_topic_with_nothing_in_it_is_caught_up_with(follow):
    follow(FollowedTopic()).start_and_wait(10)


def test_a_topic_that_nobody_made_is_no_empty_one_and_is_followed_once_it_is_there(follow):
    topic, taken = FollowedTopic(b"a"), []
    topic.partitions = []
    with pytest.raises(ConfigError, match="topic t does not exist"):
        follow(topic).start_and_wait(60)
    follower = follow(topic, taken.extend)
    follower.start()
    _wait_for(lambda: topic.scans > 3)
    assert not follower.caught_up.is_set()
    topic.partitions = ["p"]
    _wait_for(lambda: taken)


def test_more_partitions_are_read_from_the_start_like_the_others(follow):
    topic, restarts = FollowedTopic(b"a"), []
    follower = follow(topic, restart=lambda: restarts.append(1))
    follower.start_and_wait(10)
    topic.partitions = ["p", "q"]
    _wait_for(lambda: len(restarts) == 2)


def test_what_nobody_thought_of_is_logged_and_all_is_read_again(follow):
    taken, failures = [], [RuntimeError("not thought of")]

    def take(records):
        taken.append(len(records))
        if failures:
            raise failures.pop()

    topic = FollowedTopic(b"a", b"b")
    follow(topic, take).start_and_wait(10)
    assert (taken, topic.scans) == ([2, 2], 2)


def test_kafka_away_is_told_once_and_again_when_it_is_back(follow):
    topic = FollowedTopic(b"a", failures=[Unavailable("kafka", "away")] * 3)
    with capture_logs() as logs:
        follow(topic).start_and_wait(10)
    assert [(entry["event"], entry.get("error")) for entry in logs] == [
        ("topic_not_readable", "kafka: away"),
        ("topic_readable_again", None),
    ]


def test_without_the_right_to_read_it_is_told_once(follow):
    """Offsets can be had without it: only the records can't."""
    topic = FollowedTopic(b"a", unreadable=5)
    with capture_logs() as logs:
        follower = follow(topic)
        follower.start()
        _wait_for(follower.caught_up.is_set)
    assert [entry["event"] for entry in logs] == ["topic_not_readable", "topic_readable_again"]


def test_waiting_tells_what_nobody_thought_of(follow):
    def take(_):
        raise RuntimeError("not thought of")

    with pytest.raises(Unavailable, match="not thought of"):
        follow(FollowedTopic(b"a"), take).start_and_wait(1)


def test_waiting_ends_at_once_where_it_cannot_help(follow):
    follower = follow(FollowedTopic(failures=[AccessDenied("kafka", "the user lacks an ACL")] * 1_000))
    with pytest.raises(AccessDenied, match="lacks an ACL"):
        follower.start_and_wait(60)


def test_waiting_is_bounded(follow):
    follower = follow(FollowedTopic(failures=[Unavailable("kafka", "away")] * 1_000_000))
    with pytest.raises(Unavailable, match=r"t could not be read within 0\.1 s: kafka: away"):
        follower.start_and_wait(0.1)


def test_without_kafka_it_leaves_no_threads():
    before = set(threading.enumerate())
    follower = TopicFollower(KafkaSettings(bootstrap_servers="127.0.0.1:9,[::1]:9"), "t", lambda _: None)
    follower.start()
    follower.stop()
    _wait_for(lambda: not set(threading.enumerate()) - before)


@pytest.mark.stack
def test_a_real_topic_is_followed(stack, prefix):
    settings = KafkaSettings(bootstrap_servers=stack.bootstrap_servers, topic_prefix=prefix)
    admin = KafkaAdminClient(**settings.client())
    admin.create_topics([NewTopic(settings.topic("t"), 1, 1)])
    producer, taken = KafkaProducer(**settings.client()), []
    follower = TopicFollower(settings, "t", lambda records: taken.extend(record.value for record in records))
    try:
        producer.send(settings.topic("t"), value=b"a").get(10)
        follower.start_and_wait(20)
        assert taken == [b"a"]
        producer.send(settings.topic("t"), value=b"b").get(10)
        _wait_for(lambda: taken == [b"a", b"b"])
    finally:
        follower.stop()
        producer.close()
        admin.close()
