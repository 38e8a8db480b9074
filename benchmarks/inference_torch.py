"""torch with the weights of the model: the reference in fp32, and a tuned contender in bf16.

Both work as the runtimes of triage do: one model with three heads, batches within a token budget over texts sorted by
length, attention by PyTorch's fused kernel, and the same decoding of the logits.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.inference_labels import Contender, Labels, labels_of, raw_labels
from benchmarks.inference_triage import decode
from triage.inference.batching import fill_ratio, plan_batches
from triage.inference.heads import Heads
from triage.inference.manifest import MODEL_FILE, TOKENIZER_FILE, Manifest, read_manifest
from triage.inference.precision_variants import convert_precision
from triage.inference.runtime import Logits
from triage.inference.tokenization import TextTokenizer


def load_torch(folder: Path, checkpoint: Path | None) -> Any:
    """The trained network of `checkpoint`, or one with the weights of the model's ONNX file."""
    from triage.training.loop.checkpoint import load_checkpoint

    return load_checkpoint(checkpoint).model if checkpoint else _from_onnx(folder)


def _from_onnx(folder: Path) -> Any:
    import onnx
    import torch
    from onnx import numpy_helper

    from triage.training.data.labels import Taxonomy
    from triage.training.loop.model import build_from_config

    manifest = read_manifest(folder)
    graph = onnx.load_from_string(
        convert_precision("fp32", (folder / MODEL_FILE).read_bytes(), folder / MODEL_FILE)
    ).graph
    stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    weights = dict(stored)
    for node in graph.node:
        # "/encoder/layer.0/output/dense/MatMul" multiplies by encoder.layer.0.output.dense.weight, transposed.
        if node.op_type == "MatMul" and node.input[1] in stored:
            weights[".".join(node.name.strip("/").split("/")[:-1]) + ".weight"] = stored[node.input[1]].T
    kinds = dict.fromkeys(tag[2:] for tag in manifest.entity_tags[1:])
    taxonomy = Taxonomy(
        manifest.taxonomy,
        tuple(manifest.intents),
        tuple(manifest.sentiments),
        tuple(kinds),
        tuple(manifest.aspects),
    )
    words = stored["encoder.embeddings.word_embeddings.weight"]
    config = {
        "model_type": "bert",
        "vocab_size": words.shape[0],
        "hidden_size": words.shape[1],
        "num_hidden_layers": manifest.encoder["layers"],
        "num_attention_heads": manifest.encoder["heads"],
        "intermediate_size": weights["encoder.encoder.layer.0.intermediate.dense.weight"].shape[0],
        "max_position_embeddings": stored["encoder.embeddings.position_embeddings.weight"].shape[0],
        "pad_token_id": manifest.pad_id,
    }
    model = build_from_config(config, taxonomy)
    model.load_state_dict({name: torch.from_numpy(np.array(weights[name])) for name in model.state_dict()})
    return model.eval()


class TorchEngine:
    """Classifies texts with the torch model, in the batches that triage would plan."""

    def __init__(self, folder: Path, model: Any, budget: int) -> None:
        self.manifest: Manifest = read_manifest(folder)
        self._model = model
        self._budget = budget
        self._heads = Heads(self.manifest)
        self._tokenizer = TextTokenizer(
            folder / TOKENIZER_FILE, max_tokens=256, pad_id=self.manifest.pad_id, prefix=self.manifest.prefix
        )
        self.fill = 0.0

    def classify(self, texts: Sequence[str]) -> list[Labels]:
        """Labels of the texts, with calibration."""
        return [one for one, _ in self.both(texts, raw=False)]

    def both(self, texts: Sequence[str], *, raw: bool = True) -> list[tuple[Labels, Labels]]:
        """Labels of each text with calibration, and directly from the logits; without `raw` the former twice."""
        import torch

        tokenized = self._tokenizer.encode(texts)
        batches = plan_batches(tokenized.lengths, self._budget)
        self.fill = fill_ratio(tokenized.lengths, batches)
        parts: list[Logits] = []
        plain: dict[int, Labels] = {}
        for batch in batches:
            ids, mask = self._tokenizer.pad(tokenized, *batch)
            with torch.inference_mode():
                outputs = self._model(torch.from_numpy(ids), torch.from_numpy(mask))
                logits = Logits(*(output.float().numpy() for output in outputs))
            parts.append(self._heads.without_padding(logits, mask))
            if raw:
                for row, index in enumerate(batch.indices.tolist()):
                    plain[index] = raw_labels(self.manifest, logits, row, tokenized.offsets(index).tolist())
        final = [labels_of(prediction) for prediction in decode(self._heads, parts, batches, tokenized, texts)]
        return [(one, plain.get(index, one)) for index, one in enumerate(final)]


def contenders(folder: Path, model: Any) -> list[Contender]:
    import copy

    import torch

    engines = {
        "torch fp32, one multi-head model, 1,024-token batches": TorchEngine(folder, model, 1024),
        "torch bf16 tuned, one multi-head model, 2,048-token batches": TorchEngine(
            folder, copy.deepcopy(model).to(torch.bfloat16), 2048
        ),
    }
    return [
        Contender(name, engine.classify, fill=lambda engine=engine: engine.fill) for name, engine in engines.items()
    ]
