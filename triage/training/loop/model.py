"""Defines the model: one encoder with three or four heads."""

import json
from typing import Any

import torch
from torch import Tensor, nn

from triage.training.data.labels import ASPECT_STATES, Taxonomy
from triage.training.loop.encoders import build_encoder


class AspectHead(nn.Module):
    """For each aspect, an attention over the tokens and a classifier of its state: absent, or one of three polarities.

    Label-wise attention (Mullenbach et al. 2018, Explainable Prediction of Medical Codes, section 2.2): a single mean
    over all tokens cannot represent that the screen is good and the delivery was bad. The classifier has weights
    shared by all aspects, plus weights of each aspect.
    """

    def __init__(self, hidden: int, aspects: int) -> None:
        super().__init__()
        states = len(ASPECT_STATES)
        self.attention = nn.Linear(hidden, aspects, bias=False)
        self.shared = nn.Linear(hidden, states)
        self.own = nn.Parameter(torch.zeros(aspects, hidden, states))
        self.bias = nn.Parameter(torch.zeros(aspects, states))
        nn.init.normal_(self.attention.weight, std=0.02)
        nn.init.normal_(self.shared.weight, std=0.02)
        nn.init.zeros_(self.shared.bias)

    def forward(self, tokens: Tensor, attention_mask: Tensor) -> Tensor:
        """Logits [batch, n_aspects, 4] from token vectors [batch, seq, hidden].

        `attention_mask` [batch, seq] is 1 for tokens, 0 for padding.
        """
        padding = (attention_mask == 0).unsqueeze(-1)
        weights = self.attention(tokens).masked_fill(padding, -1e4).softmax(dim=1)
        vectors = torch.matmul(weights.transpose(1, 2), tokens)
        return self.shared(vectors) + torch.matmul(vectors.unsqueeze(2), self.own).squeeze(2) + self.bias


class MultiHeadModel(nn.Module):
    """Encoder and heads: intent and sentiment on the mean token vector, entity tags on each, aspects by attention.

    A taxonomy without aspects gives a model without the aspect head.
    """

    def __init__(self, encoder: nn.Module, taxonomy: Taxonomy, dropout: float = 0.1) -> None:
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
        self.aspects = AspectHead(hidden, len(taxonomy.aspects)) if taxonomy.aspects else None

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> tuple[Tensor, ...]:
        """Logits of intent [batch, n_intents], sentiment [batch, 3], entities [batch, seq, n_tags], and of aspects
        [batch, n_aspects, 4] if the taxonomy has any.

        `input_ids` and `attention_mask` are [batch, seq] int64; the mask holds 1 for tokens and 0 for padding.
        """
        tokens = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        kept = attention_mask.unsqueeze(-1).to(tokens.dtype)
        pooled = self.dropout((tokens * kept).sum(dim=1) / kept.sum(dim=1).clamp(min=1.0))
        dropped = self.dropout(tokens)
        logits = (self.intent(pooled), self.sentiment(pooled), self.entities(dropped))
        return logits if self.aspects is None else (*logits, self.aspects(dropped, attention_mask))

    def heads(self) -> list[nn.Module]:
        """The modules that read the encoder's output: intent, sentiment, entities and, if there is one, aspects."""
        return [head for head in (self.intent, self.sentiment, self.entities, self.aspects) if head is not None]

    def head_parameters(self) -> list[nn.Parameter]:
        """Parameters of all heads, without those of the encoder."""
        return [parameter for head in self.heads() for parameter in head.parameters()]


def build_from_config(config: dict[str, Any], taxonomy: Taxonomy) -> MultiHeadModel:
    """An untrained model with the configuration of a checkpoint's encoder_config.json."""
    return MultiHeadModel(build_encoder(config), taxonomy)


def encoder_config(model: MultiHeadModel) -> dict[str, Any]:
    """Configuration of the encoder as JSON, defaults included."""
    return json.loads(model.encoder.config.to_json_string(use_diff=False))  # type: ignore[no-any-return]
