"""Reads the hidden states of texts from the graph of a finished model."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from triage.errors import TrainingError
from triage.inference.manifest import MODEL_FILE, TOKENIZER_FILE, read_manifest
from triage.inference.tokenization import TextTokenizer

LAYERS = (6, 12)
"""Layers that the head reads. The last one learned for the other heads, and lacks much that a middle one has."""
_MOST_TOKENS = 128
_BATCH_TOKENS = 1_024


@dataclass(frozen=True)
class TokenStates:
    """States of the tokens of texts, one text after the other.

    `values` are [tokens, hidden * layers] float16, `starts` [texts + 1] the first token of each text and the end.
    """

    values: NDArray[np.float16]
    starts: NDArray[np.int64]

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Number of tokens of each text, [texts]."""
        return np.diff(self.starts)


def layer_outputs(graph: Any) -> list[str]:
    """Names of the hidden states in an ONNX graph: of the embeddings, then of each layer.

    An encoder of BERT's kind normalizes the embeddings once and each layer twice. Raises TrainingError for another one.
    """
    names = [node.output[0] for node in graph.node if node.op_type == "LayerNormalization"]
    if len(names) < 3 or len(names) % 2 == 0:
        raise TrainingError(f"the encoder has {len(names)} layer normalizations: only encoders like BERT are known")
    return names[::2]


def chosen_layers(count: int) -> list[int]:
    """The layers that the head reads of an encoder with `count` of them: one in the middle, and the last."""
    return list(LAYERS) if count == LAYERS[-1] else sorted({max(count // 2, 1), count})


def read_states(folder: Path, texts: Sequence[str], threads: int = 1) -> TokenStates:
    """Run the model of `folder` on the texts, each cut at 128 tokens, and return its hidden states."""
    import onnx
    import onnxruntime as ort

    manifest = read_manifest(folder)
    model = onnx.load(str(folder / MODEL_FILE))
    outputs = layer_outputs(model.graph)
    names = [outputs[layer] for layer in chosen_layers(len(outputs) - 1)]
    for name in names:
        model.graph.output.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.disable_quant_qdq", "1")
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    tokenizer = TextTokenizer(
        folder / TOKENIZER_FILE, max_tokens=_MOST_TOKENS, pad_id=manifest.pad_id, prefix=manifest.prefix
    )
    tokenized = tokenizer.encode(texts)
    starts = np.concatenate([[0], np.cumsum(tokenized.lengths)])
    order = np.argsort(tokenized.lengths, kind="stable")
    values: NDArray[np.float16] | None = None
    first = 0
    while first < len(order):
        rows = order[first : first + max(1, _BATCH_TOKENS // int(tokenized.lengths[order[first]]))]
        ids, mask = tokenizer.pad(tokenized, rows)
        states = np.concatenate(session.run(names, {"input_ids": ids, "attention_mask": mask}), axis=-1)
        if values is None:
            values = np.zeros((int(starts[-1]), states.shape[-1]), np.float16)
        for row, text in enumerate(rows.tolist()):
            values[starts[text] : starts[text + 1]] = states[row, : tokenized.lengths[text]]
        first += len(rows)
    assert values is not None
    return TokenStates(values, starts)
