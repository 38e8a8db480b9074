"""One encoder, three heads. Needs torch and transformers (the `train` extra)."""

import json
from pathlib import Path
from typing import Any

from torch import Tensor, nn
from transformers import AutoModel, BertConfig, BertModel

from triage.errors import TrainingError
from triage.training.labels import Taxonomy

ENCODER_FILES = ("config.json", "tokenizer.json")


class MultiHeadModel(nn.Module):
    """Intent and sentiment from the mean of the token vectors, entity tags from each token vector."""

    def __init__(self, encoder: BertModel, taxonomy: Taxonomy, dropout: float = 0.1) -> None:
        super().__init__()
        hidden = encoder.config.hidden_size
        self.encoder = encoder
        self.dropout = nn.Dropout(dropout)
        self.intent = nn.Linear(hidden, len(taxonomy.intents))
        self.sentiment = nn.Linear(hidden, len(taxonomy.sentiments))
        self.entities = nn.Linear(hidden, len(taxonomy.entity_tags))
        for head in (self.intent, self.sentiment, self.entities):
            nn.init.normal_(head.weight, std=0.02)
            nn.init.zeros_(head.bias)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits of intent [batch, n_intents], sentiment [batch, 3] and entities [batch, seq, n_tags].

        `input_ids` and `attention_mask` are [batch, seq] int64; the mask holds 1 for tokens and 0 for padding.
        """
        tokens = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        kept = attention_mask.unsqueeze(-1).to(tokens.dtype)
        pooled = self.dropout((tokens * kept).sum(dim=1) / kept.sum(dim=1).clamp(min=1.0))
        return self.intent(pooled), self.sentiment(pooled), self.entities(self.dropout(tokens))

    def head_parameters(self) -> list[nn.Parameter]:
        return [parameter for head in (self.intent, self.sentiment, self.entities) for parameter in head.parameters()]


def load_encoder(base: str | Path, layers: int | None = None) -> BertModel:
    """A pretrained BertModel from a folder or a hub name, cut to its first `layers` layers.

    Raises TrainingError if the folder is incomplete, is no Bert, or has fewer layers than asked for.
    """
    folder = Path(base)
    if folder.is_dir():
        missing = [name for name in ENCODER_FILES if not (folder / name).exists()]
        if missing:
            raise TrainingError(f"{folder} is no encoder: {' and '.join(missing)} missing")
    try:
        encoder = AutoModel.from_pretrained(str(base), add_pooling_layer=False)
    except (OSError, ValueError, TypeError) as error:
        raise TrainingError(f"the encoder {base} cannot be loaded: {error}") from error
    if not isinstance(encoder, BertModel):
        raise TrainingError(f"{base} is a {type(encoder).__name__}; the heads are built for a BertModel")
    if layers is not None:
        available = len(encoder.encoder.layer)
        if not 1 <= layers <= available:
            raise TrainingError(f"--layers {layers} is not between 1 and the {available} layers of {base}")
        encoder.encoder.layer = encoder.encoder.layer[:layers]
        encoder.config.num_hidden_layers = layers
    return encoder.float()


def build_from_config(config: dict[str, Any], taxonomy: Taxonomy) -> MultiHeadModel:
    """An untrained model of the shape of a checkpoint's encoder_config.json, to load its weights into."""
    return MultiHeadModel(BertModel(BertConfig(**config), add_pooling_layer=False), taxonomy)


def encoder_config(model: MultiHeadModel) -> dict[str, Any]:
    return json.loads(model.encoder.config.to_json_string(use_diff=False))  # type: ignore[no-any-return]
