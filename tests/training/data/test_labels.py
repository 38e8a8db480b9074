import pytest
import yaml

from triage.errors import ConfigError
from triage.training.data.labels import default_taxonomy_text, load_taxonomy

TAXONOMY = load_taxonomy()


def test_default_taxonomy_is_version_1_of_the_contract():
    assert TAXONOMY.version == "1"
    assert TAXONOMY.intents == (
        "delivery", "product_fault", "wrong_item", "return_refund", "billing", "payment", "order_change",
        "account_access", "fraud_security", "technical_issue", "staff_service", "price_promotion",
        "product_question", "praise", "other",
    )  # fmt: skip
    assert TAXONOMY.sentiments == ("negative", "neutral", "positive")
    assert TAXONOMY.entity_tags[:3] == ("O", "B-person", "I-person")
    assert len(TAXONOMY.entity_tags) == 9


def test_allowed_tags_keep_o_and_the_types_that_annotators_looked_for():
    allowed = dict(zip(TAXONOMY.entity_tags, TAXONOMY.allowed_tags(["person", "location"]), strict=True))
    assert allowed["O"]
    assert allowed["B-person"]
    assert allowed["I-location"]
    assert not allowed["B-product"]
    assert not allowed["I-organization"]


def test_a_custom_taxonomy_is_read(tmp_path):
    path = tmp_path / "mine.yaml"
    data = yaml.safe_load(default_taxonomy_text()) | {"version": "shop-7", "intents": ["lost", "late", "other"]}
    path.write_text(yaml.safe_dump(data), encoding="utf-8")
    assert load_taxonomy(path).intents == ("lost", "late", "other")


def test_every_problem_of_a_taxonomy_is_named_at_once(tmp_path):
    path = tmp_path / "bad.yaml"
    path.write_text(
        "version: 1\nintents: [a, a]\nsentiments: [good, bad, ugly]\nentity_types: person\ncolour: red\n",
        encoding="utf-8",
    )
    with pytest.raises(ConfigError) as caught:
        load_taxonomy(path)
    message = str(caught.value)
    for part in (
        "version must be",
        "intents names a more than once",
        "sentiments must be",
        "entity_types must be",
        "colour",
    ):
        assert part in message


def test_a_taxonomy_that_is_not_a_mapping_and_a_missing_file(tmp_path):
    path = tmp_path / "list.yaml"
    path.write_text("- a\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="must be a mapping"):
        load_taxonomy(path)
    with pytest.raises(ConfigError, match="cannot be read"):
        load_taxonomy(tmp_path / "absent.yaml")
