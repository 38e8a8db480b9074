"""Checks the files that the settings name: model, rules, topics and keys. Contacts no other machine."""

from collections.abc import Iterator

from triage.alerting.rules.loader import check as check_alert_rules
from triage.config import Settings
from triage.errors import ConfigError, TriageError
from triage.inference.manifest import read_manifest
from triage.inference.model_files import verify_files
from triage.inference.registry import find_folder
from triage.redaction import Redactor
from triage.risk.model import read_models
from triage.rules import check as check_rules
from triage.topics import load_definitions


def problems(settings: Settings) -> list[str]:
    """List everything that is wrong with the configured files and keys, one message each; empty if all are valid."""
    found: list[str] = []
    intents = risk_scores = None
    try:
        folder = find_folder(settings.model)
        manifest = read_manifest(folder)
        intents = manifest.intents
        verify_files(folder, manifest)
    except TriageError as error:
        found.append(str(error))
    if settings.model.shadow is not None:
        try:
            verify_files(settings.model.shadow, read_manifest(settings.model.shadow))
        except TriageError as error:
            found.append(f"model.shadow: {error}")
    try:
        Redactor(settings.redaction)
        settings.require_own_author_key()
    except ConfigError as error:
        found += error.problems
    try:
        risk_scores = [model.name for model in read_models(settings.risk.models, with_history=False)]
    except ConfigError as error:
        found += [f"risk.models: {problem}" for problem in error.problems]
    try:
        load_definitions(settings.kafka)
    except ConfigError as error:
        found += [f"{error.where}: {problem}" for problem in error.problems]
    return [*found, *check_rules(settings, intents, risk_scores=risk_scores), *check_alert_rules(settings)]


def risks(settings: Settings) -> Iterator[str]:
    """Yield risks of settings that are valid, as lines of text, each with a remedy."""
    if settings.redaction.uses_demo_key:
        yield "warning: redaction.author_key is the demo key: anyone can compute its hashes"
    for section in ("console", "api"):
        for remark in getattr(settings, section).remarks(section):
            yield f"note: {remark}"
    console = settings.console
    https = settings.alerting.console_url.startswith("https:")
    if https and console.login and not console.tls_certfile and not console.trusted_proxies:
        yield (
            "warning: alerting.console_url is https, but console.trusted_proxies names no proxy: the console takes "
            "requests for http, so its cookies are not Secure and no HSTS is sent"
        )
    for exposure in settings.in_clear_text():
        yield f"warning: {exposure}"
