"""A topic that is not there, or may not be seen, is not taken for an empty one."""

import pytest
from followed import FollowedTopic

from triage.config import load_settings
from triage.errors import ConfigError
from triage.pipeline.dead_letters.reader import DeadLetterFilter, read_letters
from triage.pipeline.erasure.tombstones import read_erased_authors
from triage.redaction import Redactor


@pytest.fixture
def unseen():
    topic = FollowedTopic()
    topic.partitions = []
    return topic()


def test_the_list_of_forgotten_authors(unseen):
    with pytest.raises(ConfigError, match="topic forgotten does not exist"):
        read_erased_authors(unseen, Redactor(load_settings(None, {}).redaction))


def test_dead_letters(unseen):
    with pytest.raises(ConfigError, match="topic dead-letter does not exist"):
        read_letters(unseen, DeadLetterFilter())
