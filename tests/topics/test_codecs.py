"""Codecs that producers may use are checked before anything is read."""

import pytest
from kafka import codec

from triage.config import KafkaSettings
from triage.errors import ConfigError
from triage.topics import wait_for_kafka
from triage.topics.codecs import require_codecs


def test_all_are_installed():
    require_codecs()


def test_a_missing_one_is_named_with_its_package_before_the_brokers_are_asked(monkeypatch):
    monkeypatch.setattr(codec, "zstd", None)
    monkeypatch.setattr(codec, "snappy", None)
    with pytest.raises(ConfigError, match="compressed with snappy, zstd can't be read; pip install python-snappy zst"):
        wait_for_kafka(KafkaSettings(bootstrap_servers="127.0.0.1:1"))
