"""`triage index plan` and `apply` as a person runs them."""

import pytest
from indices import own_settings, remove

from triage.cli.main import main
from triage.elastic.client import connect


@pytest.fixture
def run(stack, prefix, capsys):
    """`run("plan")` gives (exit code, standard output)."""
    settings = own_settings(stack.elasticsearch_url, prefix)

    def call(verb, *more):
        names = (f"elasticsearch.index_prefix={prefix}", f"elasticsearch.alerts_index={settings.alerts_index}")
        with pytest.raises(SystemExit) as ended:
            main(["index", verb, "--elasticsearch", settings.url, "--set", names[0], "--set", names[1], *more])
        return ended.value.code, capsys.readouterr().out

    yield call
    remove(settings)


@pytest.mark.stack
def test_plan_shows_apply_makes_and_then_there_is_nothing_to_do(run, stack, prefix):
    code, shown = run("plan")
    assert code == 0
    assert f"+ create index template triage.feedback.{prefix}\n" in shown
    assert shown.endswith("17 changes to apply\n")
    with connect(own_settings(stack.elasticsearch_url, prefix)) as client:
        assert not client.indices.exists(index=f"{prefix}_alerts")
        code, made = run("apply")
        assert code == 0
        assert made == shown.replace("to apply", "applied")
        assert client.indices.exists(index=f"{prefix}_alerts")
    for verb in ("plan", "apply"):
        code, shown = run(verb)
        assert code == 0
        assert shown.endswith("nothing to do\n")
        assert "+" not in shown


@pytest.mark.stack
def test_incompatible_mappings_are_reported(run, stack, prefix):
    index = f"{prefix}-2026.11.01"
    with connect(own_settings(stack.elasticsearch_url, prefix)) as client:
        client.indices.create(index=index, mappings={"properties": {"channel": {"type": "text"}}})
    run("apply")
    code, shown = run("apply")
    assert code == 0
    assert f"! not changed, needs a reindex: index {index}: channel.type: text -> keyword\n" in shown
    assert shown.endswith("nothing to do\n")


def test_an_unavailable_elasticsearch_exits_with_1(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["index", "plan", "--elasticsearch", "http://127.0.0.1:9", "--set", "elasticsearch.start_timeout_s=0.1"])
    assert ended.value.code == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "http://127.0.0.1:9 not ready within 0.1 s" in captured.err


def test_settings_that_do_not_fit_end_with_2(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["index", "plan", "--elasticsearch", "localhost:9200"])
    assert ended.value.code == 2
    assert "http(s)://host:port" in capsys.readouterr().err
