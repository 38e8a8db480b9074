"""`triage config`: what is wrong with everything that the settings name, at once."""

import json

from checkout import TINY_MODEL
from cli import run
from risks import write_fitted


def test_check_passes_with_the_defaults(capfd):
    own_key = ("--set", "redaction.author_key=a-secret-of-our-own")
    outcome = run(capfd, "config", "check", "--set", f"model.path={TINY_MODEL}", *own_key)
    assert (outcome.code, outcome.err) == (
        0,
        "settings, rules, topics and model are valid; no server was asked: triage doctor does\n",
    )


def test_check_warns_of_the_demo_key(capfd):
    outcome = run(capfd, "config", "check", "--set", f"model.path={TINY_MODEL}")
    assert outcome.code == 0
    assert outcome.err.startswith("warning: redaction.author_key is the demo key")


def test_check_explains_what_a_trusted_proxy_may_do(capfd):
    proxies = ("--set", 'console.trusted_proxies=["10.0.0.0/8"]')
    token = '[{"name": "ann", "role": "operator", "token": "a-token-of-enough-letters"}]'
    for settings, said in (
        (
            ("console.proxy_login=true",),
            "also log people in (proxy_login): whoever can send from these addresses",
        ),
        ((f"console.tokens={token}",), "describe clients (X-Forwarded-For, -Proto, -Host, -Prefix), and log nobody in"),
    ):
        outcome = run(capfd, "config", "check", "--set", f"model.path={TINY_MODEL}", *proxies, "--set", *settings)
        assert outcome.code == 0
        assert said in outcome.err


def test_check_names_credentials_in_clear_text(capfd):
    token = '[{"name": "ann", "role": "operator", "token": "a-token-of-enough-letters"}]'
    said = "warning: api.host: tokens and sessions cross the network in clear text"
    for host, clear in (("0.0.0.0", True), ("127.0.0.1", False)):
        settings = ("--set", f"api.tokens={token}", "--set", f"api.host={host}")
        outcome = run(capfd, "config", "check", "--set", f"model.path={TINY_MODEL}", *settings)
        assert outcome.code == 0
        assert (said in outcome.err) is clear
        assert "a-token-of" not in outcome.err


def test_check_warns_of_credentials_in_clear_text_of_every_section(capfd):
    for settings, said in (
        (
            ("elasticsearch.url=http://es.example:9200", "elasticsearch.api_key=SEEDED"),
            "warning: elasticsearch.url: the API key crosses the network in clear text; use https",
        ),
        (
            (
                "kafka.bootstrap_servers=k:9092", "kafka.security_protocol=SASL_PLAINTEXT",
                "kafka.sasl_mechanism=PLAIN", "kafka.sasl_username=u", "kafka.sasl_password=SEEDED",
            ),
            "warning: kafka.security_protocol: sasl_password crosses the network in clear text; use SASL_SSL",
        ),
        (
            ("alerting.webhook_url=http://bot.example", "alerting.webhook_key=SEEDED-sixteen-letters"),
            "warning: alerting.webhook_url: signatures (webhook_key)",
        ),
    ):  # fmt: skip
        given = [f"--set={each}" for each in (*settings, "redaction.author_key=a-secret-of-our-own")]
        outcome = run(capfd, "config", "check", f"--set=model.path={TINY_MODEL}", *given)
        assert outcome.code == 0, outcome.err
        assert said in outcome.err
        assert "SEEDED" not in outcome.err


def test_check_warns_of_a_console_that_does_not_know_of_its_https(capfd):
    token = '[{"name": "ann", "role": "operator", "token": "a-token-of-enough-letters"}]'
    given = ("--set", f"model.path={TINY_MODEL}", "--set", f"console.tokens={token}")
    https = ("--set", "alerting.console_url=https://triage.example")
    said = "its cookies are not Secure"
    assert said in run(capfd, "config", "check", *given, *https).err
    assert said not in run(capfd, "config", "check", *given).err
    assert (
        said not in run(capfd, "config", "check", *given, *https, "--set", 'console.trusted_proxies=["10.0.0.1"]').err
    )


def test_check_refuses_the_demo_key_beyond_this_machine(capfd):
    remote = "--set=kafka.bootstrap_servers=kafka.example:9092"
    outcome = run(capfd, "config", "check", f"--set=model.path={TINY_MODEL}", remote)
    assert outcome.code == 2
    assert "redaction.author_key is the demo key" in outcome.err
    assert "openssl rand -hex 32" in outcome.err


def test_check_names_every_problem_of_every_file(capfd, tmp_path):
    rules, alerts = tmp_path / "rules.yaml", tmp_path / "alerts.yaml"
    rules.write_text("version: '1'\nrouting:\n  - name: x\n    when: {intent: [deliveri]}\n    queue: q\n")
    alerts.write_text("rules: [\n")
    outcome = run(
        capfd, "config", "check", "--set", f"model.path={tmp_path}/none", "--set", f"rules.path={rules}",
        "--set", f"alerting.rules={alerts}", "--set", f"model.shadow={tmp_path}/other", "--set", "redaction.region=XX",
    )  # fmt: skip
    assert outcome.code == 2
    for named in ("none", "rules.yaml", "alerts.yaml", "model.shadow", "redaction.region"):
        assert named in outcome.err


def test_check_names_risk_scores_of_rules_that_no_model_gives(capfd, tmp_path):
    rules, model = tmp_path / "rules.yaml", tmp_path / "relief.npz"
    write_fitted(model)
    rules.write_text(
        "version: '1'\nrouting:\n  - name: x\n    when: {not: {risk_score_at_least: {releif: 0.4}}}\n    queue: q\n"
        "default: {severity: low, queue: q}\n"
    )
    arguments = ("config", "check", "--set", f"rules.path={rules}")
    outcome = run(capfd, *arguments)
    assert outcome.code == 2
    assert "no such risk score: releif; the files of risk.models have: none" in outcome.err
    outcome = run(capfd, *arguments, "--set", f'risk.models=["{model}"]')
    assert "no such risk score: releif; the files of risk.models have: relief" in outcome.err
    rules.write_text(rules.read_text().replace("releif", "relief"))
    assert run(capfd, *arguments, "--set", f'risk.models=["{model}"]').code == 0


def test_schema_describes_every_section(capfd):
    schema = json.loads(run(capfd, "config", "schema").out)
    assert {"kafka", "elasticsearch", "model", "worker"} <= set(schema["properties"])
