"""The console script: help, version, usage errors."""

import pytest
from cli import run

from triage import __version__
from triage.cli.main import COMMANDS


def test_version(capfd):
    assert run(capfd, "--version").out == f"triage {__version__}\n"


@pytest.mark.parametrize("command", [name.replace("_", "-") for name in COMMANDS])
def test_every_command_has_help(capfd, command):
    outcome = run(capfd, command, "--help")
    assert outcome.code == 0
    assert "Usage" in outcome.out


def test_bad_usage_ends_with_2(capfd):
    outcome = run(capfd, "enrich")
    assert outcome.code == 2
    assert "Missing argument" in outcome.err


def test_bad_settings_end_with_2_and_name_the_setting(capfd):
    outcome = run(capfd, "config", "show", "--set", "kafka.request_timeout_ms=soon")
    assert outcome.code == 2
    assert "kafka.request_timeout_ms" in outcome.err
    assert "(got 'soon')" in outcome.err


def test_an_assignment_without_a_section_is_explained(capfd):
    outcome = run(capfd, "config", "show", "--set", "port=1")
    assert outcome.code == 2
    assert "--set takes SECTION.NAME=VALUE, not 'port=...'" in outcome.err


def test_config_show_masks_secrets(capfd):
    outcome = run(capfd, "config", "show", "--set", "kafka.sasl_password=hunter2")
    assert outcome.code == 0
    assert "hunter2" not in outcome.out
    assert "**********" in outcome.out


@pytest.mark.parametrize(
    "command",
    [("knowledge", "search", "returns"), ("knowledge", "versions", "returns"), ("cases", "similar", "broken")],
)
def test_elasticsearch_away_is_named_with_its_address_and_the_setting(capfd, command):
    outcome = run(capfd, *command, "--elasticsearch", "http://worker:secret@127.0.0.1:9")
    assert outcome.code == 1
    expected = (
        "triage: elasticsearch: Connection refused; "
        "tried http://127.0.0.1:9: start Elasticsearch there, or check elasticsearch.url\n"
    )
    assert outcome.err.endswith(expected)
    assert "secret" not in outcome.err
