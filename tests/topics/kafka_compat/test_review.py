"""Workarounds for kafka-python: a test called `test_the_library_...` fails once the library is fixed."""

import kafka

from triage.topics.kafka_compat import REVIEWED


def test_the_workarounds_were_reviewed_for_the_installed_version():
    assert kafka.__version__.startswith(f"{REVIEWED}."), "review triage/topics/kafka_compat, then change REVIEWED"
