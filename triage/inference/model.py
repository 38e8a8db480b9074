"""Loads a model folder and classifies texts: combines tokenizer, batches, runtime and heads."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from triage.config import ModelSettings
from triage.errors import ModelError
from triage.inference.batching import Batch, fill_ratio, plan_batches
from triage.inference.heads import Heads, concatenate
from triage.inference.manifest import MODEL_FILE, TOKENIZER_FILE, Manifest, read_manifest
from triage.inference.model_files import verify_files
from triage.inference.registry import find_folder
from triage.inference.runtime import Logits, Session
from triage.inference.session import open_session
from triage.inference.tokenization import TextTokenizer, Tokenized
from triage.inference.windows import join_windows, joined_offsets
from triage.inference.word_segments import Segment, word_segments
from triage.logging import get_logger
from triage.metrics import Metrics
from triage.types import Prediction, SentimentLabel

_log = get_logger(__name__)
_WARM_UP = ["The parcel is three days late. 快递三天还没到。 " * times for times in (1, 2, 4)]


class OnnxModel:
    """One ONNX model folder, loaded on a device. Implements `triage.types.Model`; thread-safe."""

    def __init__(
        self,
        folder: Path,
        manifest: Manifest,
        tokenizer: TextTokenizer,
        session: Session,
        batch_tokens: int,
        metrics: Metrics | None = None,
    ) -> None:
        self.folder = folder
        self.manifest = manifest
        self._tokenizer = tokenizer
        self._session = session
        self._heads = Heads(manifest)
        self._batch_tokens = batch_tokens or session.batch_tokens
        self._metrics = metrics
        # The threads end with the last reference to the pool, so a model that was replaced needs no close().
        self._pool = ThreadPoolExecutor(session.streams, "model") if session.streams > 1 else None

    @classmethod
    def load(cls, settings: ModelSettings, metrics: Metrics | None = None) -> "OnnxModel":
        """Find, verify, load and warm up the model of the settings.

        Raises ModelError for a folder that is missing, damaged or does not run on the requested device, and ConfigError
        (MissingExtraError) for a runtime that is missing or installed twice.
        """
        folder = find_folder(settings)
        manifest = read_manifest(folder)
        verify_files(folder, manifest)
        tokenizer = TextTokenizer(
            folder / TOKENIZER_FILE,
            max_tokens=min(settings.max_tokens, manifest.max_tokens),
            pad_id=manifest.pad_id,
            prefix=manifest.prefix,
            max_windows=settings.max_windows,
        )
        _check_vocabulary(folder, manifest, tokenizer)
        session = open_session(folder / MODEL_FILE, settings)
        model = cls(folder, manifest, tokenizer, session, settings.batch_tokens, metrics)
        try:
            model.predict(_WARM_UP * 2 * session.streams)
        except ModelError as error:
            raise ModelError(f"{folder} does not run: {error}") from error
        _log.info("model_loaded", **model.describe())
        return model

    @property
    def version(self) -> str:
        return self.manifest.label

    @property
    def taxonomy(self) -> str:
        return self.manifest.taxonomy

    @property
    def languages(self) -> frozenset[str]:
        """Languages that the model was trained for; records in other languages are flagged `unknown_language`."""
        return frozenset(self.manifest.languages)

    def describe(self) -> dict[str, Any]:
        """Model, device, runtime, precision and threads in use, by name, for the start log and the health page."""
        return {
            "model": self.version,
            "taxonomy": self.taxonomy,
            "folder": str(self.folder),
            "device": self._session.device,
            "runtime": self._session.runtime,
            "precision": self._session.precision,
            "threads": self._session.threads,
            "streams": self._session.streams,
            "batch_tokens": self._batch_tokens,
            "max_tokens": self._tokenizer.max_tokens,
            "max_windows": self._tokenizer.max_windows,
        }

    def word_segments(self, text: str) -> list[Segment]:
        """Words of the part of a text that the model reads (see `triage.inference.word_segments`)."""
        return word_segments(text, joined_offsets(self._tokenizer.encode([text])).tolist())

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """Classify texts; returns one prediction per text, in order.

        Long texts are read in windows (`triage.inference.windows`). Windows of similar length share a batch, and as
        many batches as there are streams are computed at the same time. Blocks until all are done. Raises ModelError if
        the runtime fails.
        """
        tokenized = self._tokenizer.encode(texts)
        batches = plan_batches(
            tokenized.lengths, self._batch_tokens, widths=self._session.widths, streams=self._session.streams
        )

        def run(batch: Batch) -> Logits:
            return self._run(tokenized, batch)

        if not batches:
            return []
        with self._metrics.model_seconds.time() if self._metrics is not None else nullcontext():
            logits = concatenate(list((self._pool.map if self._pool else map)(run, batches)))
        if self._metrics is not None:
            self._metrics.batch_fill_ratio.set(fill_ratio(tokenized.lengths, batches))
        order = np.concatenate([batch.indices for batch in batches])
        if len(tokenized.lengths) > len(texts):
            return self._decode_windows(logits, order, tokenized, texts)
        indices = order.tolist()
        predictions = self._heads.decode(
            logits,
            tokenized.lengths[order],
            [texts[index] for index in indices],
            tokenized.truncated[order].tolist(),
            lambda row: tokenized.offsets(indices[row]),
        )
        return [predictions[place] for place in np.argsort(order).tolist()]

    def _decode_windows(
        self, logits: Logits, order: NDArray[np.int64], tokenized: Tokenized, texts: Sequence[str]
    ) -> list[Prediction]:
        negative, positive = map(self.manifest.sentiments.index, (SentimentLabel.NEGATIVE, SentimentLabel.POSITIVE))
        joined = join_windows(logits, order, tokenized, (negative, positive))
        return self._heads.decode(
            joined.logits, joined.tokens, texts, joined.truncated.tolist(), joined.offsets, joined.scale_tokens
        )

    def _run(self, tokenized: Tokenized, batch: Batch) -> Logits:
        input_ids, attention_mask = self._tokenizer.pad(tokenized, *batch)
        texts = len(batch.indices)
        logits = self._session.run(input_ids, attention_mask).first(texts)
        return self._heads.without_padding(logits, attention_mask[:texts])


def _check_vocabulary(folder: Path, manifest: Manifest, tokenizer: TextTokenizer) -> None:
    """Raise ModelError if a text can have token ids that the model does not know.

    ONNX Runtime fails on such a text; OpenVINO takes a zero vector for the token and says nothing.
    """
    known = manifest.encoder.get("vocabulary")
    if isinstance(known, int) and (highest := max(tokenizer.highest_id, manifest.pad_id)) >= known:
        raise ModelError(
            f"{folder / TOKENIZER_FILE} has token ids up to {highest:,}, but the model knows {known:,} tokens, 0 to "
            f"{known - 1:,} (encoder.vocabulary of its manifest): the tokenizer belongs to another model; export both "
            "together again with `triage export`"
        )
