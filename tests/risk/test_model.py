"""A fitted risk model: its file, its scores, and their reasons."""

import msgspec
import numpy as np
import pytest
from records import enriched
from risks import write_fitted

from triage.errors import ConfigError
from triage.risk.features import History, bucket_of, label_features, terms_of
from triage.risk.model import NOTICE, read_model, read_models, write_model


@pytest.fixture
def model(tmp_path):
    return write_fitted(tmp_path / "relief.npz")


def test_words_pairs_and_han_characters_are_terms():
    assert terms_of("Don't pay 25 €") == ["don't", "pay", "#", "don't pay", "pay #"]
    assert terms_of("退款 退費") == ["退", "款", "退", "费", "退款", "款退", "退费"]


def test_buckets_are_the_same_in_every_process():
    assert [bucket_of("refund"), bucket_of("退款")] == [5208, 142396]


def test_bad_words_raise_the_score_and_the_level(model):
    high = model.score(enriched("refund broken lawyer never ignored refund", attributes={"issue": "fee"}))
    low = model.score(enriched("thanks quick friendly"))
    assert high.probability > 0.6
    assert low.probability < 0.3
    assert (low.level, low.pair) == ("low", "relief:low")
    assert high.version == model.version


def test_reasons_are_words_of_the_text(model):
    first = model.reasons(enriched("a lawyer about a broken kettle"))[0]
    assert first.what in {"“lawyer”", "“broken”"}
    assert first.weight > 0


def test_a_probability_is_the_sum_of_its_parts(model):
    record = enriched("thanks for the refund")
    whole = model.header.bias + sum(weight for _, weight in model._parts(record, History()))
    assert model.probability(record) == model.calibrated(whole)


def test_a_text_of_unknown_words_has_a_score(model):
    assert 0 < model.score(enriched("zyx")).probability < 1


def test_the_file_has_no_text_and_no_author(model, tmp_path):
    content = msgspec.json.encode(model.header).decode()
    assert "lawyer" not in content
    assert "v1:" not in content


def test_the_explanation_says_that_it_is_no_decision(model):
    assert model.explain(enriched("refund")).notice == NOTICE


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"{}"])
def test_a_damaged_file_is_refused_by_name(tmp_path, content):
    path = tmp_path / "bad.npz"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"bad\.npz: is not a fitted risk model.*triage risk fit"):
        read_model(path)


def test_all_problems_of_several_files_are_named(model, tmp_path):
    write_model(model, tmp_path / "again.npz")
    paths = [tmp_path / "relief.npz", tmp_path / "again.npz", tmp_path / "none.npz"]
    with pytest.raises(ConfigError) as caught:
        read_models(paths)
    assert "another file has the name 'relief'" in str(caught.value)
    assert "none.npz" in str(caught.value)


def test_a_worker_refuses_a_model_that_needs_the_index(model, tmp_path):
    header = msgspec.structs.replace(model.header, features=[*model.header.features, "author_history"])
    arrays = {name: getattr(model, name) for name in ("buckets", "idf", "weights", "labels", "means", "xs", "ys")}
    write_model(type(model)(header, **arrays), tmp_path / "history.npz")
    assert read_models([tmp_path / "history.npz"])[0].needs_history
    with pytest.raises(ConfigError, match="past records, which only the index has"):
        read_models([tmp_path / "history.npz"], with_history=False)


def test_history_is_a_feature_only_where_it_is_asked_for():
    found = label_features(enriched(), ["author_history"], [], History(3, 2, 5.0))
    assert found.keys() == {"author wrote before", "author was negative before", "author wrote days ago"}
    assert not label_features(enriched(), ["text"], [], History(3, 2, 5.0))


def test_labels_and_attributes_are_features():
    record = enriched(product="card", rating=1.0, attributes={"issue": "late  fee"})
    found = label_features(record, ["intent", "product", "rating"], ["issue", "absent"])
    assert found == {"intent=delivery": 1.0, "product=card": 1.0, "rating": 0.2, "attributes.issue=late fee": 1.0}
    assert all(np.isfinite(value) for value in found.values())
