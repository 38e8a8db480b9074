"""The recipes of deploy/connect are complete, and a worker accepts what they send."""

import json
import re

import pytest
from checkout import ROOT
from connect_records import CASES, FAILURES, PITFALLS, RECIPES, TOPIC
from worker_rig import NOW, Rig

from triage.clock import rfc3339
from triage.schemas.version import named_version, timed_version

PAGE = (ROOT / "docs" / "connect.md").read_text("utf-8")
FILES = sorted(RECIPES.glob("*.json"))
# Those that make a new row copy its columns, and put a column's default where it is NULL unless told otherwise.
NOT_COPYING = ("HoistField", "RegexRouter")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_recipe_is_complete(path):
    recipe = json.loads(path.read_text("utf-8"))
    config = recipe["config"]
    assert set(recipe) == {"name", "config"}
    assert all(isinstance(value, str) for value in config.values())
    named = config["transforms"].split(",")
    assert {name.split(".")[1] for name in config if name.startswith("transforms.")} == set(named)
    for name in named:
        if not any(kind in config[f"transforms.{name}.type"] for kind in NOT_COPYING):
            assert config[f"transforms.{name}.replace.null.with.default"] == "false"
    for side in ("key", "value"):
        if config[f"{side}.converter"].endswith("JsonConverter"):
            assert config[f"{side}.converter.schemas.enable"] == "false"
    assert TOPIC in config.values()
    assert "password" not in re.sub(r"\$\{file:[^}]*\}", "", " ".join(config.values()))


def test_each_recipe_is_described_and_tried():
    described = set(re.findall(r"\.\./deploy/connect/([\w-]+)\.json", PAGE))
    assert described == {path.stem for path in FILES} == {case.recipe for case in CASES}


def test_the_page_says_what_ends_a_task():
    for _, said in FAILURES:
        assert said in PAGE


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_worker_accepts_what_arrives(case):
    rig = Rig()
    rig.send(*(json.dumps(value).encode() for _, value in case.arrives))
    rig.run()
    assert rig.produced("dead-letter") == []
    found = [(json.loads(stored.body), stored.version) for stored in rig.sink.documents.values()]
    assert len(found) == len(case.accepted)
    for offset, ((document, version), (record_id, time, named), (_, sent)) in enumerate(
        zip(found, case.accepted, case.arrives, strict=True)
    ):
        if record_id is not None:
            assert document["event"]["id"] == record_id
        assert document["@timestamp"] == (time or rfc3339(NOW))
        assert document["source"] == sent["source"]
        assert version == (timed_version(NOW, offset) if named is None else named_version(named))


def test_what_a_missing_setting_loses_is_not_silent():
    """A column's default of 1970 is refused; of an id in base64 nobody can tell that it is none."""
    by_name = {case.name: case for case in PITFALLS}
    for name in ("null-becomes-the-default", "converter-writes-the-default"):
        rig = Rig()
        rig.send(*(json.dumps(value).encode() for _, value in by_name[name].arrives))
        rig.run()
        assert [letter["reason"] for letter in rig.produced("dead-letter")] == ["bad_created_at"]
