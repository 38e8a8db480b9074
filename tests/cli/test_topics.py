"""`triage topics` as a user runs it."""

import subprocess
import sys

import pytest
import yaml

from triage.config import KafkaSettings
from triage.topics import admin_client


def _triage(*arguments, cwd=None):
    return subprocess.run(
        [sys.executable, "-m", "triage", "topics", *arguments],
        check=False,
        capture_output=True,
        text=True,
        cwd=cwd,
        timeout=60,
    )


@pytest.fixture
def flags(stack, prefix):
    yield ["--bootstrap-servers", stack.bootstrap_servers, "--set", f"kafka.topic_prefix={prefix}"]
    with admin_client(KafkaSettings(bootstrap_servers=stack.bootstrap_servers)) as admin:
        if names := [name for name in admin.list_topics() if name.startswith(f"{prefix}.")]:
            admin.delete_topics(names)


@pytest.mark.stack
def test_plan_then_apply_then_nothing_to_do(flags, prefix):
    plan = _triage("plan", *flags)
    assert plan.returncode == 0
    assert f"+ {prefix}.complaints\n" in plan.stdout
    assert "    retention.ms             259200000 (3d)\n" in plan.stdout
    assert plan.stdout.endswith("12 to create, 0 to change, 0 unchanged\n")
    assert "triage topics apply" in plan.stderr

    applied = _triage("apply", *flags)
    assert applied.returncode == 0
    assert applied.stdout == plan.stdout
    assert f"{prefix}.dead-letter created" in applied.stderr

    again = _triage("apply", *flags)
    assert again.returncode == 0
    assert again.stdout.endswith("0 to create, 0 to change, 12 unchanged\n")
    assert again.stderr.strip() == "nothing to do"


@pytest.mark.stack
def test_production_on_one_broker_is_warned_about_and_fails_clearly(flags, prefix):
    plan = _triage("plan", *flags, "--environment", "production")
    assert plan.returncode == 0
    applied = _triage("apply", *flags, "--environment", "production")
    assert applied.returncode == 2
    assert f"creating {prefix}.complaints" in applied.stderr
    assert "lower replication_factor" in applied.stderr
    assert "Traceback" not in applied.stderr


def test_no_broker_ends_with_address_and_exit_1():
    ended = _triage("plan", "--bootstrap-servers", "127.0.0.1:1", "--set", "kafka.start_timeout_s=0.5")
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert "triage: kafka: no broker answered within 0.5 s: 127.0.0.1:1" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_an_unknown_environment_and_a_broken_file_exit_2(tmp_path):
    ended = _triage("plan", "--environment", "moon")
    assert ended.returncode == 2
    assert "kafka.environment is 'moon', the file has local, production" in ended.stderr

    folder = tmp_path / "topics"
    folder.mkdir()
    (folder / "topics.yaml").write_text(yaml.safe_dump({"version": 1, "defaults": {}, "topics": {}, "x": 1}))
    ended = _triage("plan", cwd=tmp_path)
    assert ended.returncode == 2
    assert "x: no such key" in ended.stderr
    assert "environments: Field required" in ended.stderr
