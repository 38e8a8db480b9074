"""`triage config`: what is wrong with everything that the settings name, at once."""

import json

from checkout import TINY_MODEL
from cli import run


def test_check_passes_with_the_defaults(capfd):
    own_key = ("--set", "redaction.author_key=a-secret-of-our-own")
    outcome = run(capfd, "config", "check", "--set", f"model.path={TINY_MODEL}", *own_key)
    assert (outcome.code, outcome.err) == (0, "settings, rules, topics and model are valid\n")


def test_check_warns_of_the_demo_key(capfd):
    outcome = run(capfd, "config", "check", "--set", f"model.path={TINY_MODEL}")
    assert outcome.code == 0
    assert outcome.err.startswith("warning: redaction.author_key is the demo key")


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


def test_schema_describes_every_section(capfd):
    schema = json.loads(run(capfd, "config", "schema").out)
    assert {"kafka", "elasticsearch", "model", "worker"} <= set(schema["properties"])
