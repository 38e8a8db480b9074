"""Completion of values in the shell: it knows what is here, and is silent where nothing is known."""

import os
import subprocess
import sys

from triage.cli import complete
from triage.types import SentimentLabel


def test_values():
    assert complete.tap_topics("al") == ["alerts"]
    assert complete.named(SentimentLabel)("ne") == ["negative", "neutral"]
    assert "delivery" in complete.intents("deli")
    assert complete.models("triage")
    assert complete.alert_rules("")


def test_a_broken_setting_completes_nothing(monkeypatch):
    monkeypatch.setenv("TRIAGE_MODEL__REGISTRY", "/nowhere")
    monkeypatch.setenv("TRIAGE_ALERTING__RULES", "/nowhere")
    assert complete.intents("") == complete.models("") == complete.alert_rules("") == []


def test_the_shell_gets_what_it_asks_for():
    asked = {"_TRIAGE_COMPLETE": "complete_bash", "COMP_WORDS": "triage tap de", "COMP_CWORD": "2"}
    found = subprocess.run(
        [sys.executable, "-c", "from triage.cli.main import main; main([])"],
        env={**os.environ, **asked}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "dead-letter" in found.stdout, found.stderr
