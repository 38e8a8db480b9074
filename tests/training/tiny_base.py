"""A tiny encoder without pretraining, for tests: WordPiece from the project's own texts, two layers of 64.

python tests/training/tiny_base.py FOLDER      # the base that `triage train --base FOLDER` takes
"""

import bz2
import json
import sys
from pathlib import Path

from checkout import ROOT

RESOURCES = ROOT / "triage" / "training" / "resources"
SPECIAL = ("[UNK]", "[PAD]", "[CLS]", "[SEP]", "[MASK]")
PAD_ID = 1


def build(folder: Path, *, vocabulary: int = 3_500, hidden: int = 64, layers: int = 2) -> Path:
    import torch
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
    from transformers import BertConfig, BertModel

    folder.mkdir(parents=True, exist_ok=True)
    texts = [
        json.loads(line)["text"]
        for name in ("own_train.jsonl.bz2", "own_validation.jsonl.bz2")
        for line in bz2.decompress((RESOURCES / name).read_bytes()).decode("utf-8").splitlines()
    ]
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.train_from_iterator(
        texts, trainers.WordPieceTrainer(vocab_size=vocabulary, special_tokens=list(SPECIAL), show_progress=False)
    )
    start, end = tokenizer.token_to_id("[CLS]"), tokenizer.token_to_id("[SEP]")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", start), ("[SEP]", end)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=4,
        intermediate_size=2 * hidden,
        max_position_embeddings=512,
        type_vocab_size=1,
        pad_token_id=PAD_ID,
    )
    BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    return folder


if __name__ == "__main__":
    build(Path(sys.argv[1]))
