"""Converts the graph of a model to another precision: fp32, or fp16 for GPUs.

The shipped graph stores its weights as int8, followed by DequantizeLinear. The fp32 variant has them dequantized. The
fp16 variant has weights and computation in half precision, with int64 inputs and float32 outputs as before. Opset,
names and shapes do not change: inputs `input_ids` and `attention_mask` [batch, seq], outputs the logits, batch and seq
free.
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
from triage.inference.external_weights import external_locations
from triage.inference.manifest import MANIFEST_FILE, MODEL_FILE, TOKENIZER_FILE, read_manifest
from triage.inference.model_files import record_files, verify_files
from triage.logging import get_logger
from triage.paths import replace_file

_log = get_logger(__name__)
Precision = Literal["fp16", "fp32"]
_RECIPE = 1
"""Part of the cached file's name: increase it when `convert_precision` changes its result."""
# Mean pooling sums up to 512 tokens, which half precision cannot represent exactly enough.
_KEPT_FP32 = ("ReduceSum",)


def cached_variant(precision: Precision, model: Path, cache: Path) -> Path | bytes:
    """The graph `model` in another precision: a file in `cache`, which is created if it does not exist.

    The file name contains the SHA-256 of `model` and its external weights, so the variant of another model is never
    used. Processes that start at the same time each write a temporary file and rename it. If the cache cannot be
    written, the graph itself is returned (bytes) and converted again at each start. Raises ModelError if `model` cannot
    be read, MissingExtraError without the package onnx.
    """
    try:
        content = model.read_bytes()
    except OSError as error:
        raise ModelError(f"{model} cannot be read: {error.strerror}") from error
    path = cache / f"{_digest_of_weights(content, model)[:32]}-{precision}-{_RECIPE}.onnx"
    if path.is_file():
        return path
    variant = convert_precision(precision, content, model)
    try:
        cache.mkdir(parents=True, exist_ok=True)
        replace_file(path, variant)
    except OSError as error:
        _log.warning(
            "model_form_not_kept", form=precision, path=str(path), reason=str(error), fix="set model.cache_dir"
        )
        return variant
    _log.info("model_form_made", form=precision, path=str(path), mib=round(len(variant) / 2**20, 1))
    return path


def _digest_of_weights(content: bytes, model: Path) -> str:
    digest = hashlib.sha256(content)
    for name in sorted(_external(content, model)):
        try:
            digest.update((model.parent / name).read_bytes())
        except OSError as error:
            raise ModelError(f"{model.parent / name} cannot be read: {error.strerror}") from error
    return digest.hexdigest()


def _external(content: bytes, model: Path) -> set[str]:
    try:
        return external_locations(content)
    except ValueError as error:
        raise ModelError(f"{model} is not an ONNX file: {error}") from error


def convert_precision(precision: Precision, content: bytes, name: Path) -> bytes:
    """Convert the content of an ONNX file to another precision.

    `name` is its path; its external weights are in the same folder. Raises ModelError for content that is not ONNX, or
    is already fp16 when fp32 is requested, MissingExtraError without the package onnx.
    """
    try:
        import onnx
    except ImportError as error:
        raise MissingExtraError(f"the {precision} variant of a model", "gpu") from error
    try:
        graph = onnx.load_from_string(content)
        if _external(content, name):
            onnx.load_external_data_for_model(graph, str(name.parent))
    except Exception as error:  # protobuf's errors share no base class over its versions
        raise ModelError(f"{name} is not an ONNX file: {error}") from error
    if _is_fp16(graph):
        if precision == "fp16":
            return content
        raise ModelError(f"{name} is fp16: rounded weights cannot be restored; export fp32 from the checkpoint")
    _dequantize(graph)
    if precision == "fp16":
        graph = _to_fp16(graph)
    onnx.checker.check_model(graph)
    return bytes(graph.SerializeToString())


def write_variant(precision: Precision, folder: Path, output: Path) -> str:
    """Write a model folder `output` with the model of `folder` in another precision, atomically.

    Card and metrics are not copied, because they describe the original file. Returns name@version. Raises ModelError.
    """
    manifest = read_manifest(folder)
    verify_files(folder, manifest)
    if output.exists():
        raise ModelError(f"{output} exists; give another --output or remove it")
    staging = output.with_name(f".{output.name}.partial")
    try:
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir(parents=True)
        graph = convert_precision(precision, (folder / MODEL_FILE).read_bytes(), folder / MODEL_FILE)
        (staging / MODEL_FILE).write_bytes(graph)
        shutil.copyfile(folder / TOKENIZER_FILE, staging / TOKENIZER_FILE)
        raw = msgspec.json.decode((folder / MANIFEST_FILE).read_bytes())
        raw |= {"name": output.name, "form": precision}
        (staging / MANIFEST_FILE).write_bytes(msgspec.json.encode(raw))
        record_files(staging)
        written = read_manifest(staging)
        staging.replace(output)
    except OSError as error:
        raise ModelError(f"{output} cannot be written: {error.strerror or error}; nothing was left there") from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return written.label


def _is_fp16(model: Any) -> bool:
    from onnx import TensorProto

    return any(tensor.data_type == TensorProto.FLOAT16 for tensor in model.graph.initializer)


def _dequantize(model: Any) -> None:
    """Replace the int8 weights and their DequantizeLinear nodes by fp32 weights, in place."""
    from onnx import numpy_helper

    graph = model.graph
    stored = {tensor.name: tensor for tensor in graph.initializer}
    replaced = [node for node in graph.node if node.op_type == "DequantizeLinear" and node.input[0] in stored]
    used = {name for node in replaced for name in node.input}
    others = [node for node in graph.node if node not in replaced]
    weights = []
    for node in replaced:
        axis = next((attribute.i for attribute in node.attribute if attribute.name == "axis"), 1)
        values, scale, *zero = (numpy_helper.to_array(stored[name]) for name in node.input)
        weights.append(
            numpy_helper.from_array(_dequantized(values, scale, zero[0] if zero else None, axis), node.output[0])
        )
    kept = [tensor for tensor in graph.initializer if tensor.name not in used]
    del graph.initializer[:]
    graph.initializer.extend([*kept, *weights])
    del graph.node[:]
    graph.node.extend(others)


def _dequantized(
    values: NDArray[Any], scale: NDArray[Any], zero: NDArray[Any] | None, axis: int
) -> NDArray[np.float32]:
    """Weights in fp32: (values - zero) * scale, with one scale per channel along `axis`."""
    shape = [1] * values.ndim
    if scale.ndim:
        shape[axis] = -1
    shifted = values.astype(np.float32)
    if zero is not None:
        shifted -= zero.astype(np.float32).reshape(shape)
    return shifted * scale.astype(np.float32).reshape(shape)


def _to_fp16(model: Any) -> Any:
    from onnxruntime.transformers.float16 import DEFAULT_OP_BLOCK_LIST, convert_float_to_float16
    from onnxruntime.transformers.onnx_model import OnnxModel

    with warnings.catch_warnings():
        # The converter warns of each constant beyond the range of fp16, such as the lowest float of the attention mask.
        warnings.simplefilter("ignore")
        converted = convert_float_to_float16(
            model, keep_io_types=True, op_block_list=[*DEFAULT_OP_BLOCK_LIST, *_KEPT_FP32]
        )
    OnnxModel.graph_topological_sort(converted.graph)
    return converted
