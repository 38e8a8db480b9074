import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from triage.errors import TrainingError
from triage.training.data.encode import align_tags, encode, load_tokenizer
from triage.training.data.examples import Entity, Example
from triage.training.data.labels import IGNORED, load_taxonomy
from triage.training.loop.tokenizer import split_function_words

TAXONOMY = load_taxonomy()
TAG = {tag: index for index, tag in enumerate(TAXONOMY.entity_tags)}


@pytest.fixture
def tokenizer_file(tmp_path):
    words = ["[UNK]", "[PAD]", "[CLS]", "[SEP]", "my", "i", "##phone", "from", "paris", "broke"]
    tokenizer = Tokenizer(models.WordPiece({word: index for index, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    path = tmp_path / "tokenizer.json"
    tokenizer.save(str(path))
    return str(path)


def test_labels_become_ids_and_unknown_ones_are_ignored(tokenizer_file):
    tokenizer = load_tokenizer(tokenizer_file, 16)
    entities = (Entity(3, 9, "product"), Entity(15, 20, "location"))
    first, second = encode(
        [
            Example(
                "my iphone from paris broke", "s", intent="product_fault", entities=entities, known_types=("product",)
            ),
            Example("my phone", "s", sentiment="negative"),
        ],
        tokenizer,
        TAXONOMY,
    )
    assert first.intent == TAXONOMY.intents.index("product_fault")
    assert first.sentiment == IGNORED
    expected = [IGNORED, 0, TAG["B-product"], TAG["I-product"], 0, TAG["B-location"], 0, IGNORED]
    assert first.tags == expected
    assert first.allowed_tags[TAG["B-product"]]
    assert not first.allowed_tags[TAG["B-person"]]
    assert (second.intent, second.sentiment, second.tags) == (IGNORED, 0, None)


def test_long_texts_are_cut_with_their_tags(tokenizer_file):
    (row,) = encode(
        [Example("my " * 50, "s", entities=(), known_types=("person",))], load_tokenizer(tokenizer_file, 8), TAXONOMY
    )
    assert len(row.ids) == len(row.tags) == 8


def test_a_token_belongs_to_the_entity_that_covers_half_of_it():
    text = "我在北京 Boston"
    offsets = [(0, 0), (0, 1), (0, 2), (1, 4), (4, 11), (0, 0)]
    textless = [True, True, False, False, False, True]
    entities = [Entity(2, 4, "location"), Entity(5, 11, "location")]
    assert align_tags(text, offsets, textless, entities) == [None, None, "O", "B-location", "B-location", None]


def test_a_broken_tokenizer_is_named(tmp_path):
    path = tmp_path / "tokenizer.json"
    path.write_text("{}", encoding="utf-8")
    with pytest.raises(TrainingError, match=r"tokenizer\.json is not a Hugging Face tokenizer"):
        load_tokenizer(str(path), 8)


def test_tokens_with_function_words_are_disabled_and_keep_their_ids():
    vocabulary = [["<unk>", 0.0], ["北京", -5.0], ["在北京", -6.0], ["公司", -5.0], ["公司的", -6.0], ["在家乡", -6.0]]
    tokenizer = {"model": {"type": "Unigram", "vocab": vocabulary}}
    assert split_function_words(tokenizer) == 2
    assert [token for token, _ in vocabulary] == ["<unk>", "北京", "在北京", "公司", "公司的", "在家乡"]
    assert [token for token, score in vocabulary if score == -100.0] == ["在北京", "公司的"]
    assert split_function_words({"model": {"type": "WordPiece"}}) == 0
