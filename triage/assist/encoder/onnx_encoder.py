"""Encodes texts with the built encoder by ONNX Runtime on the CPU."""

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from triage.assist.encoder.base import EncodedText, SentenceEncoder
from triage.assist.encoder.build import encoder_folder, encoder_version
from triage.assist.encoder.manifest import FIX, PASSAGES, QUESTIONS, TOKENIZER, read_encoder_manifest, verify_encoder
from triage.config import Settings
from triage.errors import MissingExtraError, ModelError
from triage.inference.tokenization import TextTokenizer
from triage.runtime.memory import return_freed_memory
from triage.schemas.knowledge import unpack_vector

_BATCH_TOKENS = 4_096


def open_encoder(settings: Settings) -> SentenceEncoder | None:
    """The encoder in the model cache; None if none was built, or if vectors are switched off by `assist.vectors`.

    Raises ModelError for one that is damaged or was built by another version of triage, MissingExtraError without ONNX
    Runtime.
    """
    folder = encoder_folder(settings.model)
    if not settings.assist.vectors or (manifest := read_encoder_manifest(folder)) is None:
        return None
    if manifest.version != encoder_version():
        raise ModelError(f"{folder} holds {manifest.version}, this version of triage needs {encoder_version()}; {FIX}")
    return OnnxEncoder(folder, settings.assist.encoder_threads)


class OnnxEncoder:
    """A sentence encoder that `triage knowledge encoder build` made. Thread-safe.

    Tokenizer and graphs are loaded when they are used first.
    """

    def __init__(self, folder: Path, threads: int = 1) -> None:
        """Raises ModelError if the folder is damaged."""
        manifest = read_encoder_manifest(folder)
        if manifest is None:
            raise ModelError(f"no encoder in {folder}; {FIX}")
        verify_encoder(folder, manifest)
        self.version, self.dimensions = manifest.version, manifest.dimensions
        self._folder, self._manifest, self._threads = folder, manifest, threads
        self._loaded_tokenizer: TextTokenizer | None = None
        self._sessions: dict[str, Any] = {}
        self._lock = threading.Lock()

    def encode_questions(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return self._encode(QUESTIONS, self._manifest.question_prefix, texts)

    def encode_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return self._encode(PASSAGES, self._manifest.passage_prefix, texts)

    def read_question(self, text: str, language: str = "") -> EncodedText:
        manifest = self._manifest
        mean = manifest.question_means.get(language) or manifest.question_means.get("")
        return next(self._read(QUESTIONS, manifest.question_prefix, [text], mean))

    def read_passages(self, texts: Sequence[str]) -> list[EncodedText]:
        manifest = self._manifest
        return list(self._read(PASSAGES, manifest.passage_prefix, texts, manifest.passage_mean))

    def _encode(self, graph: str, prefix: str, texts: Sequence[str]) -> NDArray[np.float32]:
        vectors = np.zeros((len(texts), self.dimensions), np.float32)
        for rows, _, (found,) in self._run(graph, prefix, texts, ["embedding"]):
            vectors[rows] = found
        return vectors

    def _read(self, graph: str, prefix: str, texts: Sequence[str], mean: str | None) -> Iterator[EncodedText]:
        # The first special token, and those of the prefix, whose own last special token does not count.
        before = int(self._tokenizer.encode([prefix.strip()]).lengths[0]) - 1
        shared = unpack_vector(mean) if mean else np.zeros(self.dimensions, np.float32)
        read: dict[int, EncodedText] = {}
        for rows, lengths, (vectors, tokens) in self._run(graph, prefix, texts, ["embedding", "tokens"]):
            for at, (row, length) in enumerate(zip(rows, lengths, strict=True)):
                read[int(row)] = EncodedText(vectors[at], tokens[at, before : length - 1] - shared)
        return (read[row] for row in range(len(texts)))

    def _run(
        self, graph: str, prefix: str, texts: Sequence[str], outputs: list[str]
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], list[NDArray[np.float32]]]]:
        """(rows, numbers of tokens, outputs) of each batch."""
        if not texts:
            return
        session, tokenizer = self._session(graph), self._tokenizer
        tokenized = tokenizer.encode([prefix + text for text in texts])
        for rows in _batches(tokenized.lengths):
            input_ids, attention_mask = tokenizer.pad(tokenized, rows)
            try:
                found = session.run(outputs, {"input_ids": input_ids, "attention_mask": attention_mask})
            except Exception as error:  # the runtime's errors share no base class
                raise ModelError(f"the encoder failed on a batch of shape {input_ids.shape}: {error}") from error
            yield rows, tokenized.lengths[rows], found

    def _session(self, graph: str) -> Any:
        with self._lock:
            if graph not in self._sessions:
                self._sessions[graph] = _load(self._folder / graph, self._threads)
                return_freed_memory()
            return self._sessions[graph]

    @property
    def _tokenizer(self) -> TextTokenizer:
        with self._lock:
            if self._loaded_tokenizer is None:
                path = self._folder / TOKENIZER
                self._loaded_tokenizer = TextTokenizer(path, max_tokens=self._manifest.max_tokens, pad_id=1)
            return self._loaded_tokenizer


def _batches(lengths: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Rows of each batch: texts of similar length, at most 4,096 tokens with padding."""
    order = np.argsort(lengths, kind="stable")
    start = 0
    for end in range(1, len(order) + 1):
        if end == len(order) or (end + 1 - start) * int(lengths[order[end]]) > _BATCH_TOKENS:
            yield order[start:end]
            start = end


def _load(path: Path, threads: int) -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingExtraError("the sentence encoder", "cpu") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Every batch has its own shape: a memory plan per shape would only take memory.
    options.enable_mem_pattern = False
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the runtime's errors share no base class
        raise ModelError(f"{path} cannot be loaded: {error}; {FIX}") from error
