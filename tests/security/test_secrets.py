"""Secrets: from files or the environment, and never in a message, a log line or a dump, whatever goes wrong."""

import json
import logging

import pytest
from cli import run
from pydantic import BaseModel, SecretStr

from triage.config import Settings, load_settings, secret_fields
from triage.errors import ConfigError
from triage.logging import configure_logging, get_logger

SECTIONS = {name: field.annotation for name, field in Settings.model_fields.items()}
SECRETS = [(section, name) for section, model in SECTIONS.items() for name in secret_fields(model)]
HARMLESS = {"author_key_version", "oauth_token_url", "batch_tokens", "max_tokens", "passage_tokens"}
TOKENS = '[{"name": "ann", "role": "operator", "token": "SEEDED-token-of-ann"}]'


def _value(section, name):
    """A value that the setting takes and that can be told again wherever it shows up."""
    special = {
        ("console", "tokens"): TOKENS,
        ("api", "tokens"): TOKENS,
        ("api", "webhook_signatures"): '{"desk": {"scheme": "github", "secret": "SEEDED-secret-of-the-desk"}}',
        ("conversations", "webhooks"): '{"refunds": {"url": "https://refunds.example", "token": "SEEDED-of-refunds"}}',
        ("assist", "endpoint"): '{"url": "https://model.example/v1", "token": "SEEDED-of-assist"}',
        ("redaction", "old_author_keys"): '{"0": "SEEDED-old-key"}',
    }
    return special.get((section, name), f"https://SEEDED-{section}-{name}.example")


def _beside(section, name):
    """What else has to be set for the secret to be a valid one."""
    return {
        ("elasticsearch", "password"): {"elasticsearch.username": "u"},
        ("api", "webhook_signatures"): {"api.mappings": {"desk": {"text": "text"}}},
        ("alerting", "smtp_password"): {"alerting.smtp_username": "u"},
        ("alerting", "dingtalk_secret"): {"alerting.dingtalk_url": "https://robot.example/SEEDED-too"},
    }.get((section, name), {})


def test_there_are_the_secrets_that_we_know_of():
    assert {
        ("kafka", "sasl_password"), ("kafka", "oauth_client_secret"), ("kafka", "ssl_password"),
        ("elasticsearch", "password"), ("elasticsearch", "api_key"), ("redaction", "author_key"),
        ("redaction", "old_author_keys"), ("alerting", "webhook_url"), ("alerting", "slack_url"),
        ("console", "tokens"), ("console", "session_key"),
    } <= set(SECRETS)  # fmt: skip


def test_a_setting_whose_name_sounds_secret_is_one():
    for section, model in SECTIONS.items():
        for name in model.model_fields:
            sounds = any(word in name for word in ("password", "secret", "token", "api_key", "author_key"))
            if sounds and name not in HARMLESS:
                assert (section, name) in SECRETS, f"{section}.{name}"


@pytest.mark.parametrize(("section", "name"), SECRETS)
def test_every_secret_can_come_from_a_file(section, name, tmp_path, monkeypatch):
    path = tmp_path / "secret"
    path.write_text(_value(section, name) + "\n")
    monkeypatch.setenv(f"TRIAGE_{section}__{name}_FILE".upper(), str(path))
    from_file = getattr(getattr(load_settings(None, _beside(section, name)), section), name)
    monkeypatch.delenv(f"TRIAGE_{section}__{name}_FILE".upper())
    monkeypatch.setenv(f"TRIAGE_{section}__{name}".upper(), _value(section, name))
    from_environment = getattr(getattr(load_settings(None, _beside(section, name)), section), name)
    assert from_file == from_environment
    assert "SEEDED" in str(_shown(from_file))


def _shown(value):
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, BaseModel):
        return {name: _shown(getattr(value, name)) for name in type(value).model_fields}
    if isinstance(value, dict):
        return {name: _shown(each) for name, each in value.items()}
    return [_shown(each) for each in value] if isinstance(value, list) else value


def test_a_file_named_in_the_settings_file(tmp_path):
    (tmp_path / "pw").write_text("from-a-file\r\n")
    config = tmp_path / "t.toml"
    config.write_text(f'[elasticsearch]\nusername = "u"\npassword_file = "{tmp_path / "pw"}"\n')
    assert load_settings(config).elasticsearch.password.get_secret_value() == "from-a-file"


@pytest.mark.parametrize(
    ("content", "says"),
    [(None, "cannot be read: No such file"), (b"\n", "is empty"), (b"\xff\xfe", "is not UTF-8")],
)
def test_a_file_that_holds_no_secret_is_named(content, says, tmp_path, monkeypatch):
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setenv("TRIAGE_REDACTION__AUTHOR_KEY_FILE", str(path))
    with pytest.raises(ConfigError, match=f"redaction: author_key_file: {path} {says}"):
        load_settings()


def test_both_forms_and_a_broken_list_are_refused_without_their_content(tmp_path, monkeypatch):
    path = tmp_path / "secret"
    path.write_text("SEEDED-1")
    monkeypatch.setenv("TRIAGE_REDACTION__AUTHOR_KEY", "SEEDED-2")
    monkeypatch.setenv("TRIAGE_REDACTION__AUTHOR_KEY_FILE", str(path))
    monkeypatch.setenv("TRIAGE_CONSOLE__TOKENS_FILE", str(path))
    with pytest.raises(ConfigError) as caught:
        load_settings()
    assert "author_key and author_key_file are both set" in str(caught.value)
    assert f"console: tokens_file: {path} is not valid JSON" in str(caught.value)
    assert "SEEDED" not in str(caught.value)


@pytest.mark.parametrize(("section", "name"), SECRETS)
def test_no_secret_is_in_a_problem_a_dump_or_a_log(section, name, capfd, tmp_path):
    flags = _beside(section, name) | {f"{section}.{name}": _json(_value(section, name))}
    settings = load_settings(None, flags)
    assert "SEEDED" not in repr(settings)
    assert "SEEDED" not in settings.model_dump_json()
    for wrong in ({"SEEDED-wrong": "SEEDED-x"}, ["SEEDED-wrong"], [{"token": "SEEDED-short", "name": "SEEDED x"}]):
        with pytest.raises(ConfigError) as caught:
            load_settings(None, {f"{section}.{name}": wrong, "console.port": -1})
        shown = str(caught.value)
        assert "SEEDED-short" not in shown
        assert "SEEDED-x" not in shown
        assert "['SEEDED-wrong']" not in shown
    configure_logging("DEBUG", "json")
    get_logger("triage.test").info("settings_in_force", settings=settings, section=getattr(settings, section))
    logging.getLogger("kafka").warning("client %r", settings)
    try:
        raise ValueError(repr(settings))
    except ValueError:
        get_logger("triage.test").exception("failed")
    logged = capfd.readouterr()
    assert "settings_in_force" in logged.err
    assert "SEEDED" not in logged.err + logged.out
    given = [f"--set={key}={value if isinstance(value, str) else json.dumps(value)}" for key, value in flags.items()]
    shown = run(capfd, "config", "show", *given)
    assert shown.code == 0, shown.err
    assert "SEEDED" not in shown.out + shown.err


URLS = [
    (section, name)
    for section, model in SECTIONS.items()
    for name, field in model.model_fields.items()
    if (name == "url" or name.endswith("_url") or name == "endpoint") and (section, name) not in SECRETS
]


def test_there_are_the_urls_that_we_know_of():
    assert {("elasticsearch", "url"), ("kafka", "oauth_token_url"), ("tracing", "endpoint")} <= set(URLS)


@pytest.mark.parametrize(("section", "name"), URLS)
def test_no_password_of_a_url_is_in_a_problem_a_dump_or_a_log(section, name, capfd):
    url = "https://ann:SEEDED-password@host.example:9200/base"
    settings = load_settings(None, {f"{section}.{name}": url})
    assert getattr(getattr(settings, section), name) == url
    shown = run(capfd, "config", "show", f"--set={section}.{name}={url}")
    assert json.loads(shown.out)[section][name] == "https://**********@host.example:9200/base"
    configure_logging("DEBUG", "json")
    get_logger("triage.test").info("settings_in_force", settings=settings, section=getattr(settings, section))
    with pytest.raises(ConfigError) as caught:
        load_settings(None, {f"{section}.{name}": url.replace("https", "ftp"), f"{section}.{name}_": url})
    assert "SEEDED" not in repr(settings) + str(caught.value) + "".join(capfd.readouterr())


def test_nested_secrets_are_shown_as_json_with_stars(capfd):
    shown = run(
        capfd, "config", "show", f"--set=console.tokens={TOKENS}", '--set=redaction.old_author_keys={"0": "SEEDED"}',
        '--set=api.mappings={"desk": {"text": "text", "url": "\'https://ann:SEEDED@desk.example\'"}}',
        '--set=api.webhook_signatures={"desk": {"scheme": "github", "secret": "SEEDED-of-the-desk"}}',
    )  # fmt: skip
    found = json.loads(shown.out)
    stars = "*" * 10
    assert "SEEDED" not in shown.out
    assert found["console"]["tokens"] == [{"name": "ann", "role": "operator", "token": stars}]
    assert found["redaction"]["old_author_keys"] == {"0": stars}
    assert found["api"]["webhook_signatures"] == {"desk": {"scheme": "github", "secret": stars}}
    assert found["api"]["mappings"]["desk"] == {"text": "text", "url": f"'https://{stars}@desk.example'"}


def test_a_broken_list_or_assignment_is_named_without_its_content(capfd, monkeypatch):
    for assignment, says in (
        ('console.tokens=[{"token": "SEEDED', "--set console.tokens: the value is not valid JSON"),
        ("sasl_password=SEEDED", "--set takes SECTION.NAME=VALUE, not 'sasl_password=...'"),
    ):
        shown = run(capfd, "config", "show", "--set", assignment)
        assert shown.code == 2
        assert says in shown.err
        assert "SEEDED" not in shown.err
    for variable, value, says in (
        ("TRIAGE_CONSOLE__TOKENS", '[{"token": "SEEDED', "TRIAGE_CONSOLE__TOKENS is not valid JSON"),
        ("TRIAGE_CONSOLE__TOKENS", "SEEDED", "lists and tables are JSON"),
    ):
        monkeypatch.setenv(variable, value)
        shown = run(capfd, "config", "show")
        assert shown.code == 2
        assert says in shown.err
        assert "SEEDED" not in shown.err


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("console.session_key", "k" * 31, "fewer than 32 characters; make one by: openssl rand -hex 32"),
        ("alerting.webhook_key", "k", "fewer than 16 characters; make one by: openssl rand -hex 16"),
        ("redaction.author_key", "k", "fewer than 16 characters; make one by: openssl rand -hex 16"),
        ("redaction.author_key", "", "fewer than 16 characters"),
        ("console.tokens", [{"name": "ann", "token": "k"}], "the token of ann: fewer than 16 characters; make one by"),
        ("api.tokens", [{"name": "ann", "token": "k"}], "the token of ann: fewer than 16 characters; make one by"),
        ("api.webhook_signatures", {"desk": {"scheme": "github", "secret": "k"}}, "fewer than 16 characters; make one"),
    ],
)
def test_a_secret_that_can_be_guessed_is_refused_with_a_command_that_makes_one(name, value, says):
    with pytest.raises(ConfigError) as caught:
        load_settings(None, {name: value})
    assert name in str(caught.value)
    assert says in str(caught.value)


def test_former_author_keys_may_be_short_so_that_their_records_are_found():
    old = load_settings(None, {"redaction.old_author_keys": {"0": "k"}}).redaction.old_author_keys
    assert old["0"].get_secret_value() == "k"


def _json(text):
    return json.loads(text) if text[:1] in "[{" else text
