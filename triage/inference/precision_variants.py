"""Other forms of a model's graph, made from the one that ships: fp32, and fp16 for GPUs.

What ships holds its weights as int8 behind DequantizeLinear. fp32 has them dequantized; fp16 has weights and
computation in half precision, inputs int64 and outputs float32 as before. Opset, names and shapes stay: `input_ids` and
`attention_mask` [batch, seq] in, logits out, batch and seq free.
"""

import hashlib
import shutil
import warnings
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from triage.errors import MissingExtraError, ModelError
from triage.inference.manifest import MANIFEST_FILE, MODEL_FILE, TOKENIZER_FILE, read_manifest
from triage.inference.registry import verify_files
from triage.logging import get_logger
from triage.paths import replace_file

_log = get_logger(__name__)
Form = Literal["fp16", "fp32"]
_RECIPE = 1
"""Part of the cached file's name: raise it when `derive` makes another graph."""
# Mean pooling adds up to 512 tokens: in half precision the sum loses what the mean is made of.
_KEPT_FP32 = ("ReduceSum",)


def graph_in(form: Form, model: Path, cache: Path) -> Path | bytes:
    """The graph `model` in another form: its file in the cache, made when it is not there yet.

    The name holds the SHA-256 of `model`, so that no other model's is ever taken; processes that start at once each
    write their own and rename it. Where the cache cannot be written, the graph itself (bytes), made anew at each
    start. Raises ModelError if `model` cannot be read, MissingExtraError without the package onnx.
    """
    try:
        content = model.read_bytes()
    except OSError as error:
        raise ModelError(f"{model} cannot be read: {error.strerror}") from error
    path = cache / f"{hashlib.sha256(content).hexdigest()[:32]}-{form}-{_RECIPE}.onnx"
    if path.is_file():
        return path
    derived = derive(form, content, model)
    try:
        cache.mkdir(parents=True, exist_ok=True)
        replace_file(path, derived)
    except OSError as error:
        _log.warning("model_form_not_kept", form=form, path=str(path), reason=str(error), fix="set model.cache_dir")
        return derived
    _log.info("model_form_made", form=form, path=str(path), mib=round(len(derived) / 2**20, 1))
    return path


def derive(form: Form, content: bytes, name: Path) -> bytes:
    """The ONNX file `content` in another form; `name` is for messages. Raises ModelError, MissingExtraError."""
    try:
        import onnx
    except ImportError as error:
        raise MissingExtraError(f"the {form} form of a model", "gpu") from error
    try:
        graph = onnx.load_from_string(content)
    except Exception as error:  # protobuf's errors share no base class over its versions
        raise ModelError(f"{name} is no ONNX file: {error}") from error
    if _is_halved(graph):
        if form == "fp16":
            return content
        raise ModelError(f"{name} is fp16: what was rounded does not come back; export fp32 from the checkpoint")
    _dequantize(graph)
    if form == "fp16":
        graph = _halved(graph)
    onnx.checker.check_model(graph)
    return bytes(graph.SerializeToString())


def write_form(form: Form, folder: Path, output: Path) -> str:
    """Write a model folder `output` with the model of `folder` in another form, whole or not at all.

    Card and figures are left behind: they are about the other file. Returns name@version. Raises ModelError.
    """
    manifest = read_manifest(folder)
    verify_files(folder, manifest)
    if output.exists():
        raise ModelError(f"{output} exists; give another --output or remove it")
    parts = output.with_name(f".{output.name}.partial")
    try:
        shutil.rmtree(parts, ignore_errors=True)
        parts.mkdir(parents=True)
        graph = derive(form, (folder / MODEL_FILE).read_bytes(), folder / MODEL_FILE)
        (parts / MODEL_FILE).write_bytes(graph)
        shutil.copyfile(folder / TOKENIZER_FILE, parts / TOKENIZER_FILE)
        raw = msgspec.json.decode((folder / MANIFEST_FILE).read_bytes())
        digest = {"sha256": hashlib.sha256(graph).hexdigest(), "bytes": len(graph)}
        raw |= {"name": output.name, "form": form, "files": raw["files"] | {MODEL_FILE: digest}}
        (parts / MANIFEST_FILE).write_bytes(msgspec.json.format(msgspec.json.encode(raw)))
        written = read_manifest(parts)
        parts.replace(output)
    except OSError as error:
        raise ModelError(f"{output} cannot be written: {error.strerror or error}; nothing is left of it") from error
    finally:
        shutil.rmtree(parts, ignore_errors=True)
    return written.label


def _is_halved(model: Any) -> bool:
    from onnx import TensorProto

    return any(tensor.data_type == TensorProto.FLOAT16 for tensor in model.graph.initializer)


def _dequantize(model: Any) -> None:
    """Replace DequantizeLinear of stored weights by fp32 weights, in place."""
    from onnx import numpy_helper

    graph = model.graph
    stored = {tensor.name: tensor for tensor in graph.initializer}
    folded = [node for node in graph.node if node.op_type == "DequantizeLinear" and node.input[0] in stored]
    used = {name for node in folded for name in node.input}
    others = [node for node in graph.node if node not in folded]
    weights = []
    for node in folded:
        axis = next((attribute.i for attribute in node.attribute if attribute.name == "axis"), 1)
        values, scale, *zero = (numpy_helper.to_array(stored[name]) for name in node.input)
        weights.append(numpy_helper.from_array(_floats(values, scale, zero[0] if zero else None, axis), node.output[0]))
    kept = [tensor for tensor in graph.initializer if tensor.name not in used]
    del graph.initializer[:]
    graph.initializer.extend([*kept, *weights])
    del graph.node[:]
    graph.node.extend(others)


def _floats(values: NDArray[Any], scale: NDArray[Any], zero: NDArray[Any] | None, axis: int) -> NDArray[np.float32]:
    """(values - zero) * scale, one scale a channel along `axis`."""
    shape = [1] * values.ndim
    if scale.ndim:
        shape[axis] = -1
    shifted = values.astype(np.float32)
    if zero is not None:
        shifted -= zero.astype(np.float32).reshape(shape)
    return shifted * scale.astype(np.float32).reshape(shape)


def _halved(model: Any) -> Any:
    from onnxruntime.transformers.float16 import DEFAULT_OP_BLOCK_LIST, convert_float_to_float16
    from onnxruntime.transformers.onnx_model import OnnxModel

    with warnings.catch_warnings():
        # It warns of each constant that half precision cannot hold; the attention mask's is meant to be the least.
        warnings.simplefilter("ignore")
        halved = convert_float_to_float16(
            model, keep_io_types=True, op_block_list=[*DEFAULT_OP_BLOCK_LIST, *_KEPT_FP32]
        )
    OnnxModel.graph_topological_sort(halved.graph)
    return halved
