"""`triage plan`."""

import json

import pytest
from typer.testing import CliRunner

from triage.cli.main import build_app, main
from triage.cli.plan import milliseconds_of, rate_of
from triage.errors import ConfigError


def run(*arguments):
    result = CliRunner().invoke(build_app(), ["plan", *arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.stdout


def test_a_fleet_for_people_and_for_programs(tmp_path):
    shown = run("--rate", "100k", "--cost", "model_us=1000", "--cost", "pipe_us=100")
    assert "workers                    86  (1,667 records/s each, maximum)" in shown
    costs = tmp_path / "costs.json"
    costs.write_text('{"pipe_us": 100, "model_us": 1000, "source": "a test"}')
    said = json.loads(run("--rate", "100k", "--costs", str(costs), "--json"))
    assert said["fleet"]["workers"] == 86
    assert said["demand"]["rate"] == 100_000
    assert said["costs"]["source"] == "a test"


@pytest.mark.parametrize(("text", "rate"), [("800", 800), ("1k", 1_000), ("2.5K", 2_500), ("1M", 1_000_000)])
def test_rates(text, rate):
    assert rate_of("rate", text) == rate


@pytest.mark.parametrize("text", ["", "0", "-1", "1g", "k", "1e3"])
def test_what_is_not_a_rate(text):
    with pytest.raises(ConfigError, match=r"--rate .* is not a rate"):
        rate_of("rate", text)


def test_latencies():
    assert [milliseconds_of(text) for text in ("500ms", "2s", "0.5 s")] == [500, 2_000, 500]
    with pytest.raises(ConfigError, match="--latency '500' is not a duration"):
        milliseconds_of("500")


def test_wrong_costs_are_named_together():
    with pytest.raises(ConfigError) as refused:
        run("--cost", "speed=1", "--cost", "pipe_us=fast")
    assert "--cost speed: no such cost" in str(refused.value)
    assert "--cost pipe_us=fast: the value is not a number" in str(refused.value)


def test_a_file_that_holds_no_costs_and_a_latency_out_of_reach_end_with_two(tmp_path, capsys):
    (tmp_path / "costs.json").write_text('{"pipe": 1}')
    for arguments in (["--costs", str(tmp_path / "costs.json")], ["--latency", "50ms"]):
        with pytest.raises(SystemExit) as ended:
            main(["plan", *arguments])
        assert ended.value.code == 2
    said = capsys.readouterr().err
    assert "triage plan --measure" in said
    assert "latency is 50 ms" in said


def test_costs_are_measured_with_the_model_that_serves(tmp_path, monkeypatch):
    monkeypatch.setattr("triage.cli.plan._RECORDS", 60)
    file = tmp_path / "costs.json"
    run("--measure", str(file), "--set", "model.path=tests/assets/tiny-model", "--set", "model.threads=1")
    costs = json.loads(file.read_text())
    assert costs["pipe_us"] > 40
    assert costs["model_us"] > 0
    assert 50 < costs["raw_bytes"] < 5_000
    assert costs["enriched_bytes"] > costs["raw_bytes"]
    assert "tiny-model" in costs["source"]
