"""The committed tiny model, a copy to damage, and a tokenizer small enough to know by heart."""

import json
import shutil
from pathlib import Path

import pytest
from checkout import TINY_MODEL
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors


@pytest.fixture(scope="session")
def tiny_folder():
    return TINY_MODEL


@pytest.fixture
def folder(tmp_path):
    """A copy of the tiny model."""
    return Path(shutil.copytree(TINY_MODEL, tmp_path / "models" / "tiny-model"))


@pytest.fixture
def edit_manifest(folder):
    """Change fields of the copy's manifest; None removes one."""

    def edit(**changes):
        path = folder / "manifest.json"
        manifest = json.loads(path.read_text("utf-8"))
        for name, value in changes.items():
            if value is None:
                manifest.pop(name)
            else:
                manifest[name] = value
        path.write_text(json.dumps(manifest), "utf-8")

    return edit


@pytest.fixture
def tokenizer_file(tmp_path):
    """SentencePiece style, as the encoders have it: <s>=0 <pad>=1 </s>=2, and one piece a word or Chinese character."""
    words = ["▁", "▁late", "▁Amaz", "on", "▁from", "▁fine", "张", "三", "在", "▁query:", "▁x"]
    vocabulary = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", -20.0), *((word, -2.0) for word in words)]
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=3))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    tokenizer.add_special_tokens(["<s>", "<pad>", "</s>", "<unk>"])
    path = tmp_path / "tokenizer.json"
    tokenizer.save(str(path))
    return path
