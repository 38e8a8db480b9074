import numpy as np
import pytest

from triage.errors import ModelError
from triage.inference.tokenization import TextTokenizer


@pytest.fixture
def tokenizer(tokenizer_file):
    return TextTokenizer(tokenizer_file, max_tokens=8, pad_id=1)


def tokens_of(tokenized, index, text):
    return [text[start:end] for start, end in tokenized.offsets(index).tolist()]


def test_offsets_are_code_points_of_the_text(tokenizer):
    text = "𠀀 late from Amazon"
    shown = tokens_of(tokenizer.encode([text]), 0, text)
    assert [token.strip() for token in shown if token.strip()] == ["𠀀", "late", "from", "Amaz", "on"]


def test_lone_word_mark_before_chinese_covers_no_character(tokenizer):
    text = "张三在"
    assert tokens_of(tokenizer.encode([text]), 0, text) == ["", "", "张", "三", "在", ""]


def test_normalization_keeps_the_offsets_of_the_original_text(tokenizer):
    text = "ﬁne"
    assert tokens_of(tokenizer.encode([text]), 0, text) == ["", "ﬁne", ""]


def test_a_misspelt_word_is_read_as_the_one_meant_with_its_own_offsets(tokenizer_file):
    tokenizer = TextTokenizer(tokenizer_file, max_tokens=64, pad_id=1, prefix="query: ")
    text, meant = "late from my custmer account", "late from my customer account"
    texts = tokenizer.encode([meant, text])
    assert texts.encodings[0].ids == texts.encodings[1].ids
    shown = [token.strip() for token in tokens_of(texts, 1, text)]
    assert "".join(shown) == "latefrommycustmeraccount"
    assert texts.edits.keys() == {1}


@pytest.mark.parametrize("text", ["张三在推款", "張三在，推款😀推款 Amazon", "推款张三"])
def test_a_character_of_the_same_sound_keeps_all_offsets(tokenizer_file, text):
    tokenizer = TextTokenizer(tokenizer_file, max_tokens=64, pad_id=1, prefix="query: ")
    texts = tokenizer.encode([text.replace("推款", "退款"), text, "张三在"])
    assert texts.encodings[0].ids == texts.encodings[1].ids
    assert texts.offsets(0).tolist() == texts.offsets(1).tolist()
    assert texts.edits.keys() == {1}


def test_prefix_is_encoded_but_has_no_offsets(tokenizer_file):
    tokenizer = TextTokenizer(tokenizer_file, max_tokens=8, pad_id=1, prefix="query: ")
    text = "late from"
    tokenized = tokenizer.encode([text])
    assert tokenized.lengths.tolist() == [5]
    assert [token.strip() for token in tokens_of(tokenized, 0, text)] == ["", "", "late", "from", ""]


def test_truncation_is_flagged_only_when_something_was_cut(tokenizer):
    tokenized = tokenizer.encode([" ".join(["x"] * count) for count in (5, 6, 7, 500)])
    assert tokenized.lengths.tolist() == [7, 8, 8, 8]
    assert tokenized.truncated.tolist() == [False, False, True, True]


def test_padding_goes_to_the_longest_of_the_batch(tokenizer):
    tokenized = tokenizer.encode(["x x x", "x", "x x x x x"])
    input_ids, attention_mask = tokenizer.pad(tokenized, np.array([1, 0]))
    x = input_ids[0, 1]
    assert input_ids.tolist() == [[0, x, 2, 1, 1], [0, x, x, x, 2]]
    assert attention_mask.tolist() == [[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]]
    assert input_ids.dtype == attention_mask.dtype == np.int64


def test_empty_list_and_empty_text(tokenizer):
    assert tokenizer.encode([]).lengths.tolist() == []
    assert tokenizer.encode(["", "   "]).lengths.min() == 2


def test_lone_surrogates_are_accepted_and_keep_the_offsets(tokenizer):
    text = "\ud800 late"
    assert tokens_of(tokenizer.encode([text]), 0, text)[-2].strip() == "late"


def test_a_file_that_is_not_a_tokenizer(tmp_path):
    path = tmp_path / "tokenizer.json"
    path.write_text("{}")
    with pytest.raises(ModelError, match=r"tokenizer\.json is not a readable tokenizer"):
        TextTokenizer(path, max_tokens=8, pad_id=1)
