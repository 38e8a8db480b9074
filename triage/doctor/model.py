"""Loads the model that would be served, and runs it on a few texts."""

from collections.abc import Iterator

from triage.config import Settings
from triage.doctor.finding import Finding, ok, warning
from triage.inference.model import OnnxModel
from triage.inference.promotion_checks import smoke_test


def examine_model(settings: Settings) -> Iterator[Finding]:
    """Load the model that the settings name, run it on a few texts, and yield the findings.

    Raises ModelError or ConfigError if it does not load or run.
    """
    model = OnnxModel.load(settings.model)
    smoke_test(model)
    about = model.describe()
    text = f"{model.version} runs on {about['device']} ({about['runtime']}, {about['precision']})"
    if settings.model.device == "cuda" and about["device"] != "cuda":
        yield warning("model", f"{text}, not on the device that model.device asks for", "see the log of the worker")
    else:
        yield ok("model", text)
