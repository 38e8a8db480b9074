"""Settings: precedence, all problems in one message, secrets masked."""

import json
from datetime import UTC, datetime

import pytest

from triage.clock import ScaledClock, SystemClock
from triage.config import load_settings
from triage.errors import ConfigError

TOKEN = {"name": "ann", "token": "a-token-of-enough-letters"}


def _sasl(mechanism):
    login = {"sasl_mechanism": mechanism, "sasl_username": "u", "sasl_password": "p"}
    return {f"kafka.{name}": value for name, value in {"security_protocol": "SASL_PLAINTEXT", **login}.items()}


def _oauth(url):
    client = {"oauth_token_url": url, "oauth_client_id": "c", "oauth_client_secret": "s"}
    given = {"security_protocol": "SASL_PLAINTEXT", "sasl_mechanism": "OAUTHBEARER", **client}
    return {f"kafka.{name}": value for name, value in given.items()}


def test_file_then_environment_then_flags(tmp_path, monkeypatch):
    path = tmp_path / "triage.toml"
    path.write_text('[kafka]\nbootstrap_servers = "file:1"\ntopic_prefix = "file"\nrequest_timeout_ms = 1500\n')
    monkeypatch.setenv("TRIAGE_KAFKA__BOOTSTRAP_SERVERS", "env:1")
    monkeypatch.setenv("TRIAGE_KAFKA__TOPIC_PREFIX", "env")
    settings = load_settings(path, {"kafka.bootstrap_servers": "flag:1", "kafka.topic_prefix": None})
    assert settings.kafka.bootstrap_servers == "flag:1"
    assert settings.kafka.topic_prefix == "env"
    assert settings.kafka.request_timeout_ms == 1500


def test_every_problem_is_in_one_message(monkeypatch):
    monkeypatch.setenv("TRIAGE_CONSOLE__PORTS", "typo")
    monkeypatch.setenv("TRIAGE_WORKER__MAX_BATCH_RECORDS", "0")
    with pytest.raises(ConfigError) as caught:
        load_settings(None, {"console.port": -1, "kafka.security_protocol": "SASL_SSL"})
    message = str(caught.value)
    assert (
        message.count("TRIAGE_CONSOLE__PORTS: no such setting in the environment; did you mean TRIAGE_CONSOLE__PORT?")
        == 1
    )
    assert message.startswith("settings: 4 problems:")
    assert "worker.max_batch_records" in message
    assert "console.port: Input should be greater than or equal to 0 (got -1)" in message
    assert "SASL_SSL needs sasl_mechanism" in message


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[kafka", "not valid TOML"),
        ("a = " + "9" * 5_000, "not valid TOML"),
        ("a = " + "[" * 5_000, "not valid TOML"),
        ("[kafka]\nbrokers = 1\n", "kafka.brokers: no such setting"),
        ("[kafka]\nbootstrap_server = 'a'\n", r"no such setting; did you mean kafka\.bootstrap_servers\?"),
        ("[elastic]\nurl = 'a'\n", "elastic: no such setting; did you mean elasticsearch?"),
        ("[worker]\nzzz = 1\n", "worker.zzz: no such setting$"),
        ("[elasticsearch]\nurls = 'a'\n", r"did you mean elasticsearch\.url\?"),
    ],
)
def test_a_bad_file_is_named(tmp_path, text, says):
    path = tmp_path / "triage.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=says):
        load_settings(path)


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(ConfigError, match="no such file"):
        load_settings(tmp_path / "absent.toml")


def test_a_secret_never_shows_in_a_problem():
    with pytest.raises(ConfigError) as caught:
        load_settings(None, {"kafka.sasl_password": ["hunter2"]})
    assert "hunter2" not in str(caught.value)


def test_lists_come_from_the_environment_as_json(monkeypatch):
    monkeypatch.setenv("TRIAGE_ALERTING__DIMENSIONS", json.dumps([[], ["brand", "intent"]]))
    assert load_settings().alerting.dimensions == [[], ["brand", "intent"]]


def test_the_clock_is_simulated_only_when_asked():
    assert isinstance(load_settings().clock.build(), SystemClock)
    when = datetime(2026, 1, 1, tzinfo=UTC)
    settings = load_settings(None, {"clock.origin": when, "clock.anchor": when, "clock.speed": 60})
    assert isinstance(settings.clock.build(), ScaledClock)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("heartbeat_interval_ms", 4_000, "heartbeat_interval_ms must be at most a third of session_timeout_ms"),
        ("offset_patience_s", 9.9, "offset_patience_s must be 0 or at least transaction_timeout_ms, here 10"),
    ],
)
def test_times_of_a_worker_that_do_not_fit_each_other_are_refused(name, value, says):
    with pytest.raises(ConfigError, match=says):
        load_settings(None, {f"worker.{name}": value})


@pytest.mark.parametrize("patience_s", [0, 10])
def test_no_patience_at_all_is_a_choice(patience_s):
    assert load_settings(None, {"worker.offset_patience_s": patience_s}).worker.offset_patience_s == patience_s


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (
            {"kafka.request_timeout_ms": 119_996},
            "settings: kafka.request_timeout_ms = 119996: a commit takes three requests at most, 359993 ms with the "
            "wait for more records, but after worker.max_poll_interval_ms = 300000 the group gives the partitions to "
            "others; set kafka.request_timeout_ms to 99998 or less, or worker.max_poll_interval_ms to 359993 or more",
        ),
        (
            {"worker.max_poll_interval_ms": 60_000},
            "set kafka.request_timeout_ms to 19998 or less, or worker.max_poll_interval_ms to 90005 or more",
        ),
        (
            {"worker.stuck_after_s": 10, "worker.stuck_exit_s": 5},
            "worker.stuck_after_s + worker.stuck_exit_s = 15000 ms, before the request times out; set "
            "kafka.request_timeout_ms to 14995 or less, or raise worker.stuck_after_s",
        ),
    ],
)
def test_timeouts_that_contradict_one_another_are_refused_with_a_fix(flags, says):
    with pytest.raises(ConfigError) as caught:
        load_settings(None, flags)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    "flags",
    [
        {"kafka.request_timeout_ms": 99_998},
        {"kafka.request_timeout_ms": 119_996, "worker.max_poll_interval_ms": 359_993},
        {"worker.max_poll_interval_ms": 90_005},
    ],
)
def test_the_fixes_that_a_refusal_names_are_accepted(flags):
    kafka = load_settings(None, flags).kafka
    assert kafka.commit_timeout_ms == 3 * kafka.request_timeout_ms + 5


REMOTE = "http://es.example:9200"


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"elasticsearch.url": REMOTE, "elasticsearch.api_key": "k"}, "elasticsearch.url: the API key crosses"),
        (
            {"elasticsearch.url": REMOTE, "elasticsearch.username": "u", "elasticsearch.password": "p"},
            "elasticsearch.url: the password crosses the network in clear text; use https",
        ),
        ({"elasticsearch.url": "https://a,http://u:p@b:9200"}, "elasticsearch.url: its password crosses"),
        ({**_sasl("PLAIN"), "kafka.bootstrap_servers": "127.0.0.1:9092,k:9092"}, "sasl_password crosses the network"),
        ({**_sasl("SCRAM-SHA-512"), "kafka.bootstrap_servers": "k:9092"}, "can be guessed, cross the network"),
        ({**_oauth("http://idp.example/token"), "kafka.bootstrap_servers": "k:1"}, "oauth_client_secret crosses"),
        ({"alerting.slack_url": "http://slack.example/x"}, "alerting.slack_url: its address, which is its password,"),
        (
            {"alerting.webhook_url": "http://bot.example", "alerting.webhook_key": "sixteen-letters--"},
            "alerting.webhook_url: signatures (webhook_key) and alerts cross the network in clear text; use https",
        ),
        ({"alerting.webhook_url": "http://bot.example/?token=x"}, "alerting.webhook_url: its credentials"),
        (
            {"alerting.alertmanager_url": "https://a,http://b.example", "alerting.alertmanager_token": "t"},
            "alerting.alertmanager_url: alertmanager_token and alerts",
        ),
        ({"alerting.pagerduty_url": "http://pd.example", "alerting.pagerduty_key": "k"}, "pagerduty_key and alerts"),
        ({"tracing.enabled": True, "tracing.endpoint": "http://u:p@otel.example"}, "tracing.endpoint: its credentials"),
        ({"api.host": "0.0.0.0", "api.tokens": [TOKEN]}, "api.host: tokens and sessions cross the network"),
    ],
)
def test_credentials_in_clear_text_are_named_with_the_fix(settings, says):
    found = [str(each) for each in load_settings(None, settings).in_clear_text()]
    assert any(says in each for each in found), found


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"elasticsearch.url": REMOTE},
        {"elasticsearch.url": "https://es.example", "elasticsearch.api_key": "k"},
        {"elasticsearch.url": "http://localhost:9200,http://[::1]:9200", "elasticsearch.api_key": "k"},
        {**_sasl("PLAIN"), "kafka.bootstrap_servers": "localhost:9092,127.0.0.2:1,[::1]:9092"},
        {**_sasl("PLAIN"), "kafka.bootstrap_servers": "k:9092", "kafka.security_protocol": "SASL_SSL"},
        {"alerting.webhook_url": "http://bot.example"},
        {"alerting.webhook_url": "http://127.0.0.1:8000", "alerting.webhook_key": "sixteen-letters--"},
        {"alerting.alertmanager_url": "http://alertmanager:9093"},
        {"alerting.slack_url": "https://slack.example/x"},
        {"api.host": "0.0.0.0", "api.tokens": [TOKEN], "api.trusted_proxies": ["10.0.0.0/8"]},
    ],
)
def test_what_needs_no_encryption_is_not_warned_of(settings):
    assert load_settings(None, settings).in_clear_text() == []


@pytest.mark.parametrize(
    "where", [{"kafka.bootstrap_servers": "127.0.0.1:1,kafka:9092"}, {"elasticsearch.url": REMOTE}]
)
def test_the_demo_key_is_for_this_machine_only(where):
    load_settings(None).require_own_author_key()
    load_settings(None, {**where, "redaction.author_key": "a-secret-of-our-own"}).require_own_author_key()
    with pytest.raises(ConfigError, match=r"demo key.*openssl rand -hex 32"):
        load_settings(None, where).require_own_author_key()


@pytest.mark.parametrize("network", ["0.0.0.0/0", "::/0"])
def test_everybody_is_no_trusted_proxy_that_logs_people_in(network):
    given = {"console.trusted_proxies": ["10.0.0.1", network]}
    with pytest.raises(ConfigError, match="lets everybody in as any user"):
        load_settings(None, {**given, "console.proxy_login": True})
    remarks = load_settings(None, {**given, "console.tokens": [TOKEN]}).console.remarks("console")
    assert any("console.trusted_proxies holds all addresses" in each for each in remarks)
