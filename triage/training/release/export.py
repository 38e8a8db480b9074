"""Exports a checkpoint to a model folder that can be served: ONNX file, tokenizer, manifest."""

import io
import shutil
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import onnx
import torch

from triage.errors import TrainingError
from triage.inference.model_files import record_files
from triage.inference.precision_variants import convert_precision
from triage.training.data.files import atomic_folder, write_json
from triage.training.loop.checkpoint import Checkpoint
from triage.training.loop.encoders import longest_input
from triage.training.loop.model import MultiHeadModel, build_from_config, encoder_config
from triage.training.release.compact import compact_graph
from triage.training.release.quantize import quantize_weights

OPSET = 18
MANIFEST_FORMAT = 1
INPUTS = ("input_ids", "attention_mask")
TRAINED_FIELDS = (
    "commit",
    "seed",
    "texts",
    "steps",
    "minutes",
    "options",
    "mix",
    "averaged_with",
    "earlier_stages",
    "corpus",
    "dropped_as_leaks",
    "validation",
)
"""Fields of a checkpoint's info.json that the manifest contains under `trained`."""
OUTPUTS = ("intent_logits", "sentiment_logits", "entity_logits")
ASPECT_OUTPUT = "aspect_logits"


@dataclass(frozen=True)
class Calibration:
    """Calibration of the heads, as in the manifest.

    `temperature` and `scaling` are described in `triage.inference.calibration`. A label with a probability below
    `low_confidence` is flagged; an aspect is present from the probability `aspect_threshold`.
    """

    temperature: Mapping[str, float] = field(default_factory=lambda: {"intent": 1.0, "sentiment": 1.0, "entities": 1.0})
    low_confidence: Mapping[str, float] = field(default_factory=lambda: {"intent": 0.5, "sentiment": 0.5})
    scaling: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    aspect_threshold: float = 0.5


def export_model(
    checkpoint: Checkpoint, output: Path, calibration: Calibration, version: str, precision: str = "int8"
) -> dict[str, Any]:
    """Write the model folder `output` atomically (model.onnx, tokenizer.json, manifest.json); returns the manifest.

    `precision` is that of the stored weights: int8, fp32 (the reference), or fp16 (for GPUs, also computed in fp16). An
    existing model folder is replaced and keeps its card and metrics. Raises TrainingError if `output` exists and is not
    a model folder.
    """
    if output.exists() and any(output.iterdir()) and not (output / "manifest.json").exists():
        raise TrainingError(f"{output} exists and is not a model folder; give another --output or remove it")
    with atomic_folder(output) as staging:
        graph = to_onnx(checkpoint)
        if precision == "int8":
            graph = quantize_weights(graph)
        elif precision == "fp16":
            graph = onnx.load_from_string(convert_precision("fp16", graph.SerializeToString(), output))
        compact_graph(graph)
        onnx.checker.check_model(graph)
        onnx.save(graph, staging / "model.onnx")
        shutil.copyfile(checkpoint.tokenizer, staging / "tokenizer.json")
        manifest = _manifest(checkpoint, output.name, calibration, version) | {"form": precision}
        write_json(staging / "manifest.json", manifest)
        for kept in ("CARD.md", "metrics.json"):
            if (output / kept).exists():
                shutil.copyfile(output / kept, staging / kept)
        return record_files(staging)


def to_onnx(checkpoint: Checkpoint) -> onnx.ModelProto:
    """The fp32 graph: int64 inputs [batch, seq], three or four float32 logits; batch and seq are free."""
    model = _eager_copy(checkpoint)
    outputs = (*OUTPUTS, ASPECT_OUTPUT) if checkpoint.taxonomy.aspects else OUTPUTS
    ids = torch.tensor([[0, 5, 6, 7, 2], [0, 9, 2, 1, 1]])
    buffer = io.BytesIO()
    free = {0: "batch", 1: "seq"}
    with warnings.catch_warnings():
        # The tracing exporter is deprecated, but needs no onnxscript and makes the graph that ONNX Runtime fuses best.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model,
            (ids, (ids != 1).long()),
            buffer,
            input_names=list(INPUTS),
            output_names=list(outputs),
            dynamic_axes={
                **dict.fromkeys(INPUTS, free),
                **{name: {0: "batch"} for name in outputs},
                OUTPUTS[2]: free,
            },
            opset_version=OPSET,
            dynamo=False,
        )
    return onnx.load_from_string(buffer.getvalue())


def _eager_copy(checkpoint: Checkpoint) -> MultiHeadModel:
    """A copy with eager attention, which is traced to a graph without shape-dependent branches."""
    config = encoder_config(checkpoint.model) | {"attn_implementation": "eager"}
    model = build_from_config(config, checkpoint.taxonomy)
    model.load_state_dict(checkpoint.model.state_dict())
    model.eval()
    return model


def _manifest(checkpoint: Checkpoint, name: str, calibration: Calibration, version: str) -> dict[str, Any]:
    taxonomy, info = checkpoint.taxonomy, checkpoint.info
    config = checkpoint.model.encoder.config
    return {
        "format": MANIFEST_FORMAT,
        "name": name,
        "version": version,
        "taxonomy": taxonomy.version,
        "languages": ["en", "zh"],
        "prefix": "",
        "max_tokens": longest_input(checkpoint.model.encoder),
        "pad_id": config.pad_token_id,
        "intents": list(taxonomy.intents),
        "sentiments": list(taxonomy.sentiments),
        "entity_tags": list(taxonomy.entity_tags),
        "temperature": dict(calibration.temperature),
        "low_confidence": dict(calibration.low_confidence),
        "scaling": {head: dict(scaling) for head, scaling in calibration.scaling.items()},
        "aspects": list(taxonomy.aspects),
        "aspect_threshold": calibration.aspect_threshold,
        "opset": OPSET,
        "encoder": {
            "base": info.get("base", ""),
            "layers": config.num_hidden_layers,
            "hidden": config.hidden_size,
            "heads": config.num_attention_heads,
            "vocabulary": config.vocab_size,
        },
        "trained": {key: info.get(key) for key in TRAINED_FIELDS},
    }
