import json

import pytest

from triage.errors import TrainingError
from triage.training.risks.texts import own_texts, split_groups
from triage.types import RiskLabel


def test_own_texts_have_every_risk_and_harmless_texts_in_both_languages():
    texts = own_texts()
    for label in RiskLabel:
        assert any(label in text.risks and text.text.isascii() for text in texts)
        assert any(label in text.risks and not text.text.isascii() for text in texts)
    assert sum(not text.risks for text in texts) > len(texts) / 3


@pytest.mark.parametrize("row", [{"text": "x"}, {"text": " ", "risks": []}, {"text": "x", "risks": ["theft"]}])
def test_a_row_without_known_risks_is_refused_with_its_line(tmp_path, row):
    path = tmp_path / "texts.jsonl"
    path.write_text(json.dumps({"text": "x", "risks": []}) + "\n" + json.dumps(row))
    with pytest.raises(TrainingError, match="line 2: needs `text` and `risks`"):
        own_texts(path)


def test_texts_of_one_pattern_stay_together():
    train, held = split_groups(own_texts(), 0.2)
    assert not {text.group for text in train} & {text.group for text in held}
    assert 0.1 < len(held) / (len(held) + len(train)) < 0.3
