"""JSON that is nested too deeply is refused like any other JSON that can't be read, wherever it comes from outside."""

import pytest
from elasticsearch import Elasticsearch

from triage.cli.common import settings_from
from triage.config import load_settings
from triage.elastic.explore import records_page
from triage.errors import ConfigError
from triage.inference.history import HISTORY, read_history
from triage.sizing.costs import read_costs

DEEP = "[" * 5_000 + "]" * 5_000


def test_a_file_of_costs(tmp_path):
    (tmp_path / "costs.json").write_text(DEEP, "utf-8")
    with pytest.raises(ConfigError, match="is not a file of costs"):
        read_costs(tmp_path / "costs.json")


def test_a_setting():
    with pytest.raises(ConfigError, match="is not valid JSON"):
        settings_from(None, [f"console.trusted_proxies={DEEP}"])


def test_a_mark_of_a_page():
    with pytest.raises(ValueError, match="not a mark of a page"):
        records_page(Elasticsearch("http://127.0.0.1:9"), load_settings(None, {}).elasticsearch, {}, 10, after=DEEP)


def test_a_line_of_the_history_of_promotions(tmp_path):
    (tmp_path / HISTORY).write_text(DEEP + "\n", "utf-8")
    assert read_history(tmp_path) == []
