"""`triage corrections`: what people said, as a file that training takes."""

import pytest
from cli import run
from elastic_fixtures import client, settings  # noqa: F401 - fixtures
from records import enriched

from triage.elastic import corrections as store
from triage.elastic.plan import apply, plan_index
from triage.schemas.correction import correction_of
from triage.training.data.corrections import read_corrections

pytestmark = pytest.mark.stack


def test_the_file_and_the_index_give_the_same(client, settings, clock, capfd, tmp_path):  # noqa: F811
    apply(client, plan_index(client, settings, clock))
    for number, intent in enumerate(("billing", "delivery")):
        at = f"2026-11-22T09:0{number}:00.000Z"
        record = enriched(f"text {number}", intent="delivery")
        made = correction_of(f"r{number}", record, actor="ann", corrected_at=at, intent=intent, sentiment="negative")
        store.correct(client, settings, made)
    names = ("url", "index_prefix", "alerts_index")
    options = [f"--set=elasticsearch.{name}={getattr(settings, name)}" for name in names]
    everything = run(capfd, "corrections", *options)
    assert everything.code == 0, everything.err
    assert "2 corrections" in everything.err
    path = tmp_path / "corrections.jsonl"
    path.write_text(everything.out)
    from_file = read_corrections(str(path), lambda: settings)
    assert from_file == read_corrections("index", lambda: settings)
    assert [each.intent for each in from_file] == ["billing", "delivery"]
    changed = run(capfd, "corrections", "--changed", *options)
    assert changed.out.count("\n") == 1
    assert "1 of 2 corrections" in changed.err
    assert run(capfd, "corrections", "--since", "2026-11-22T09:01Z", *options).out.count("\n") == 1
