"""Keeps the predictions of recent texts, so that the model reads equal texts once.

Copies are frequent where people share posts, where a shop writes "no comment" for a customer, and where a help desk
sends a record again with every change of its state. Only the exact text counts: one letter more is another text.
"""

from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock

from triage.metrics import Metrics
from triage.types import Model, Prediction

LONGEST_TEXT = 2_000
"""Code points of the longest text that is kept: a bound for the memory of each entry."""


class PredictionCache:
    """Predictions of the texts used last, of one model at a time. Thread-safe.

    Callers share the predictions, so they must not change the lists in them.
    """

    def __init__(self, size: int, metrics: Metrics | None = None) -> None:
        """Keep the predictions of at most `size` texts; with 0 none, and every text goes to the model."""
        self._size = size
        self._metrics = metrics
        self._lock = Lock()
        self._model: Model | None = None
        self._kept: OrderedDict[str, Prediction] = OrderedDict()

    def predict(self, model: Model, texts: Sequence[str]) -> list[Prediction]:
        """One prediction of `model` per text, in order; equal texts are classified once.

        Another model than in the call before empties the cache: also a model of the same version may run on another
        device or read more of a text. Raises ModelError if the runtime fails.
        """
        if not self._size:
            return model.predict(texts)
        known = self._known(model, texts)
        new = list(dict.fromkeys(text for text in texts if text not in known))
        if new:
            found = dict(zip(new, model.predict(new), strict=True))
            known |= found
            self._keep(model, found)
        if self._metrics is not None:
            self._metrics.model_texts.labels("computed").inc(len(new))
            self._metrics.model_texts.labels("cached").inc(len(texts) - len(new))
        return [known[text] for text in texts]

    def _known(self, model: Model, texts: Sequence[str]) -> dict[str, Prediction]:
        with self._lock:
            if model is not self._model:
                self._model = model
                self._kept.clear()
            known = {}
            for text in texts:
                if (prediction := self._kept.get(text)) is not None:
                    known[text] = prediction
                    self._kept.move_to_end(text)
            return known

    def _keep(self, model: Model, found: dict[str, Prediction]) -> None:
        with self._lock:
            # A batch of the model before may end after the change to a new one.
            if model is not self._model:
                return
            self._kept.update((text, prediction) for text, prediction in found.items() if len(text) <= LONGEST_TEXT)
            while len(self._kept) > self._size:
                self._kept.popitem(last=False)
