"""Explains a record's labels on request, with the console's own copies of the model and the rules."""

import threading

from triage.assist.own_intents.matching import Matcher, build_matcher
from triage.config import Settings
from triage.errors import ConfigError
from triage.inference.explain import explain_record
from triage.inference.manifest import read_manifest
from triage.inference.model import OnnxModel
from triage.inference.registry import find_folder
from triage.risk.model import read_models
from triage.rules import RuleSet, load_rules
from triage.rules.evidence import explain_rules
from triage.schemas.enriched import EnrichedRecord, OwnIntent
from triage.schemas.explanation import HeadExplanation, RiskExplanation, RuleExplanation

_THREADS = 2


class LocalExplainer:
    """Explains records with a model in this process.

    The model is loaded at the first request for word weights, on the CPU and independently of the workers; the rules
    are loaded when first used.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._model: OnnxModel | None = None
        self._rules: RuleSet | None = None
        self._match: Matcher | None = None

    def word_weights(self, record: EnrichedRecord) -> tuple[HeadExplanation, HeadExplanation, str]:
        """Return the weights of words for intent and for sentiment, and the version of the model that computed them.

        Blocks. Raises ConfigError if `console.explain` is off, ModelError if the model is missing or does not run.
        """
        if not self._settings.console.explain:
            raise ConfigError("console.explain is off")
        with self._lock:
            if self._model is None:
                options = {"device": "cpu", "precision": "auto", "threads": _THREADS, "shadow": None}
                self._model = OnnxModel.load(self._settings.model.model_copy(update=options))
            explained = explain_record(self._model, record)
            return explained.intent, explained.sentiment, self._model.version

    def own_labels(self, record: EnrichedRecord) -> tuple[list[RiskExplanation], list[OwnIntent]]:
        """Return the reasons of the risk scores, and the operator's own intents that the text resembles.

        By the files that the settings name now; the record may have been enriched without them. Blocks. Raises
        ConfigError for a file that cannot be read, ModelError for a damaged encoder.
        """
        if not record.written:
            return [], []
        with self._lock:
            if self._match is None:
                self._match = build_matcher(self._settings) or (lambda texts: [[] for _ in texts])
            models = read_models(self._settings.risk.models)
            (own,) = self._match([record.parts.joined(record.text)])
        return [model.explain(record) for model in models if not model.needs_history], own

    def rules(self, record: EnrichedRecord) -> tuple[list[RuleExplanation], str]:
        """Return the rules that fired, with their evidence, and the version of the rules.

        Raises ConfigError if the rules cannot be read.
        """
        with self._lock:
            if self._rules is None:
                self._rules = load_rules(self._settings.rules.path)
            return explain_rules(self._rules, record), self._rules.version

    def intents(self) -> list[str]:
        """Return the intents that a correction can choose, from the model's manifest.

        Raises ModelError if the model's folder is missing.
        """
        return list(read_manifest(find_folder(self._settings.model)).intents)
