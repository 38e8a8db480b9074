"""`triage risk`, as an analyst uses it."""

import json

import msgspec
import pytest
import yaml
from cli import run
from risks import DEFINITION, records, write_fitted

from triage.risk.model import NOTICE


@pytest.fixture
def files(tmp_path):
    (tmp_path / "risk.yaml").write_text(yaml.safe_dump(DEFINITION), "utf-8")
    (tmp_path / "data.jsonl").write_bytes(b"\n".join(map(msgspec.json.encode, records())))
    return tmp_path


def test_a_dry_run_counts_and_writes_nothing(capfd, files):
    outcome = run(capfd, "risk", "fit", files / "risk.yaml", "--data", files / "data.jsonl", "--dry-run")
    assert outcome.code == 0
    assert "900 records, 900 with a known outcome" in outcome.err
    assert not list(files.glob("*.npz"))


def test_a_fit_prints_its_card_and_writes_the_file(capfd, files):
    output = files / "relief.npz"
    outcome = run(capfd, "risk", "fit", files / "risk.yaml", "--data", files / "data.jsonl", "--output", output)
    assert outcome.code == 0
    assert outcome.out.startswith("# Risk relief, version ")
    again = run(capfd, "risk", "card", output)
    assert again.out == outcome.out


def test_scores_come_with_reasons_and_the_notice(capfd, files):
    write_fitted(files / "relief.npz")
    outcome = run(
        capfd, "risk", "score", files / "relief.npz", "--data", files / "data.jsonl", "--first", "3", "--json"
    )
    found = [json.loads(line) for line in outcome.out.splitlines()]
    assert len(found) == 3
    assert found[0]["score"]["probability"] >= found[2]["score"]["probability"] > 0.5
    assert found[0]["reasons"]
    assert found[0]["notice"] == NOTICE
    assert NOTICE in run(capfd, "risk", "score", files / "relief.npz", "--data", files / "data.jsonl").err


def test_an_evaluation_on_new_records(capfd, files):
    write_fitted(files / "relief.npz")
    arguments = ("risk", "evaluate", files / "relief.npz", "--data", files / "data.jsonl")
    refused = run(capfd, *arguments)
    assert refused.code == 2
    assert "older than the end of the fit" in refused.err
    outcome = run(capfd, *arguments, "--all")
    assert outcome.code == 0
    assert "stability index" in outcome.out
    assert "fit has seen" not in outcome.out
    assert NOTICE in outcome.out


def test_a_column_without_the_value_is_shown_with_those_it_has(capfd, files):
    text = (files / "risk.yaml").read_text("utf-8")
    defined = yaml.safe_load(text)
    defined["target"] = {"column": {"attribute": "plan", "values": ["nothing like it"]}}
    defined.pop("attributes", None)
    (files / "risk.yaml").write_text(yaml.safe_dump(defined), "utf-8")
    known = [msgspec.structs.replace(each, attributes={"plan": "basic"}) for each in records()]
    (files / "data.jsonl").write_bytes(b"\n".join(map(msgspec.json.encode, known)))
    outcome = run(capfd, "risk", "fit", files / "risk.yaml", "--data", files / "data.jsonl")
    assert outcome.code == 2
    assert "the column has other values: 'basic' (900)" in outcome.err


def test_a_missing_model_is_named_without_the_number_of_the_error(capfd, files):
    outcome = run(capfd, "risk", "card", files / "none.npz")
    assert outcome.code == 2
    assert "none.npz: cannot be read: No such file or directory; make one with `triage risk fit`" in outcome.err


def test_too_few_outcomes_end_with_code_2(capfd, files):
    (files / "data.jsonl").write_bytes(b"\n".join(map(msgspec.json.encode, records(200))))
    outcome = run(capfd, "risk", "fit", files / "risk.yaml", "--data", files / "data.jsonl")
    assert outcome.code == 2
    assert "at least 200 are needed" in outcome.err


def test_a_file_of_other_lines_is_refused_with_the_line(capfd, files):
    (files / "data.jsonl").write_text('{"text": "x"}\n', "utf-8")
    outcome = run(capfd, "risk", "fit", files / "risk.yaml", "--data", files / "data.jsonl")
    assert outcome.code == 2
    assert "line 1 is not an enriched record" in outcome.err
