"""Hugging Face pipelines with the same weights, one model per task, with torch and with optimum on ONNX Runtime."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.inference_labels import HEADS, Contender, Labels
from triage.inference.manifest import MODEL_FILE, TOKENIZER_FILE, Manifest, read_manifest
from triage.inference.precision_variants import convert_precision

_TASKS = {"intent": "text-classification", "sentiment": "text-classification", "entities": "token-classification"}
_OUTPUTS = {"intent": "intent_logits", "sentiment": "sentiment_logits", "entities": "entity_logits"}
_COUNTS = {3: "three pipelines", 2: "two pipelines", 1: "one pipeline"}
_BATCH = 32
_MAX_TOKENS = 256


def contenders(folder: Path, network: Any, threads: int) -> Iterator[Contender]:
    """Pipelines with torch, one text at a time (three, two or one of them) and in batches of 32, and with optimum."""
    manifest, tokenizer = read_manifest(folder), _tokenizer(folder)
    pipes = {head: _pipeline(_TASKS[head], _torch_model(network, manifest, head), tokenizer) for head in HEADS}
    for count in (3, 2, 1):
        yield _contender(f"Hugging Face, {_COUNTS[count]}, one text at a time", pipes, count, 1)
    yield _contender(f"Hugging Face, three pipelines, batches of {_BATCH}", pipes, 3, _BATCH)
    try:
        import optimum.onnxruntime  # noqa: F401
    except ImportError:
        return
    fast = {
        head: _pipeline(_TASKS[head], _optimum_model(folder, network, manifest, head, threads), tokenizer)
        for head in HEADS
    }
    yield _contender("optimum on ONNX Runtime, three pipelines, one text at a time", fast, 3, 1)
    yield _contender(f"optimum on ONNX Runtime, three pipelines, batches of {_BATCH}", fast, 3, _BATCH)


def _contender(name: str, pipes: dict[str, Callable[..., Any]], count: int, batch: int) -> Contender:
    heads = HEADS[:count]

    def classify(texts: Sequence[str]) -> list[Labels]:
        if batch == 1:
            answers = {head: [pipes[head](text) for text in texts] for head in heads}
        else:
            answers = {head: pipes[head](list(texts), batch_size=batch) for head in heads}
        return [_labels({head: answers[head][index] for head in heads}) for index in range(len(texts))]

    return Contender(name, classify, raw=True, slow=True, heads=heads)


def _labels(answer: dict[str, Any]) -> Labels:
    def label(head: str) -> str:
        found = answer.get(head, {})
        return str((found[0] if isinstance(found, list) else found).get("label", ""))

    tags = frozenset((tag["start"], tag["end"], tag["entity"]) for tag in answer.get("entities", ()))
    return Labels(label("intent"), label("sentiment"), tags)


def _pipeline(task: str, model: Any, tokenizer: Any) -> Callable[..., Any]:
    from transformers import pipeline

    options = {"truncation": True, "max_length": _MAX_TOKENS} if task == "text-classification" else {}
    return pipeline(task, model=model, tokenizer=tokenizer, device="cpu", **options)  # type: ignore[no-any-return]


def _tokenizer(folder: Path) -> Any:
    from transformers import PreTrainedTokenizerFast

    return PreTrainedTokenizerFast(
        tokenizer_file=str(folder / TOKENIZER_FILE),
        model_max_length=_MAX_TOKENS,
        pad_token="<pad>",
        unk_token="<unk>",
        model_input_names=["input_ids", "attention_mask"],
    )


def _config(network: Any, manifest: Manifest, head: str) -> Any:
    from transformers import BertConfig

    labels = {"intent": manifest.intents, "sentiment": manifest.sentiments, "entities": manifest.entity_tags}[head]
    values = network.encoder.config.to_dict() | {"id2label": dict(enumerate(labels))}
    return BertConfig(**values | {"label2id": {label: index for index, label in enumerate(labels)}})


def _torch_model(network: Any, manifest: Manifest, head: str) -> Any:
    """One task of the network as a Hugging Face model: a copy of the encoder, and one head."""
    import copy

    from torch import nn
    from transformers import BertPreTrainedModel
    from transformers.modeling_outputs import SequenceClassifierOutput, TokenClassifierOutput

    class OneHead(BertPreTrainedModel):  # type: ignore[misc]
        def __init__(self, config: Any) -> None:
            super().__init__(config)
            self.encoder = copy.deepcopy(network.encoder)
            self.head: nn.Module = copy.deepcopy(getattr(network, head))

        def forward(self, input_ids: Any, attention_mask: Any, **_: Any) -> Any:
            tokens = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
            if head == "entities":
                return TokenClassifierOutput(logits=self.head(tokens))
            kept = attention_mask.unsqueeze(-1).to(tokens.dtype)
            return SequenceClassifierOutput(logits=self.head((tokens * kept).sum(1) / kept.sum(1).clamp(min=1)))

    # Pipelines recognize models by the names of their classes, and warn about others.
    OneHead.__name__ = "BertForTokenClassification" if head == "entities" else "BertForSequenceClassification"
    return OneHead(_config(network, manifest, head)).eval()


def _optimum_model(folder: Path, network: Any, manifest: Manifest, head: str, threads: int) -> Any:
    """One task of the ONNX file as a separate ONNX file, loaded by optimum."""
    import onnx
    import onnxruntime
    from optimum.onnxruntime import ORTModelForSequenceClassification, ORTModelForTokenClassification

    with tempfile.TemporaryDirectory() as place:
        whole, alone = Path(place) / "whole.onnx", Path(place) / "model.onnx"
        whole.write_bytes(convert_precision("fp32", (folder / MODEL_FILE).read_bytes(), folder / MODEL_FILE))
        onnx.utils.extract_model(str(whole), str(alone), ["input_ids", "attention_mask"], [_OUTPUTS[head]])
        graph = onnx.load(str(alone))
        for node in graph.graph.node:
            node.output[:] = ["logits" if name == _OUTPUTS[head] else name for name in node.output]
        graph.graph.output[0].name = "logits"
        onnx.save(graph, str(alone))
        _config(network, manifest, head).save_pretrained(place)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        kind = ORTModelForTokenClassification if head == "entities" else ORTModelForSequenceClassification
        return kind.from_pretrained(place, file_name=alone.name, session_options=options)
