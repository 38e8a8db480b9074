"""Runs Presidio's analyzers for benchmarks/redaction.py, in the environment where they are installed.

Reads JSON lines `{"text", "language"}` from standard input. Prints a line that names what runs, then for each text a
JSON list of `{"start", "end", "score"}` in code points. Languages that begin with zh are Chinese, all others English.
Only entities that have a kind in the texts count (`ENTITIES`), any of them for any kind; times, names, places and
organizations are left out.
"""

import argparse
import json
import logging
import sys
from importlib.metadata import version

ENTITIES = {
    "email": ["EMAIL_ADDRESS"],
    "phone": ["PHONE_NUMBER"],
    "card": ["CREDIT_CARD"],
    "iban": ["IBAN_CODE"],
    "bank_account": ["US_BANK_NUMBER"],
    "national_id": ["US_SSN", "US_ITIN", "UK_NHS", "UK_NINO"],
    "passport_or_permit": ["US_PASSPORT", "US_DRIVER_LICENSE", "UK_PASSPORT", "MEDICAL_LICENSE"],
    "plate": ["UK_VEHICLE_REGISTRATION"],
    "ip": ["IP_ADDRESS"],
    "secret": ["CRYPTO"],
    "url_with_personal": ["URL"],
}


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    try:
        import spacy
        from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
        from presidio_analyzer.nlp_engine import SpacyNlpEngine
    except ImportError as missing:
        raise SystemExit(f"{missing}: pip install presidio-analyzer there") from missing
    logging.disable(logging.WARNING)
    installed = spacy.util.get_installed_models()
    models = {
        language: [name for name in installed if name.startswith(f"{language}_core")] for language in ("en", "zh")
    }
    pipelines = {
        language: spacy.load(names[0]) if names else spacy.blank(language) for language, names in models.items()
    }
    analyzers = {}
    for language, pipeline in pipelines.items():
        engine = SpacyNlpEngine(models=[{"lang_code": language, "model_name": "given"}])
        engine.nlp = {language: pipeline}
        registry = RecognizerRegistry(supported_languages=[language])
        registry.load_predefined_recognizers(languages=[language])
        analyzers[language] = AnalyzerEngine(registry=registry, nlp_engine=engine, supported_languages=[language])
    names = ", ".join(f"{language} with {(found or ['a blank pipeline'])[0]}" for language, found in models.items())
    print(f"Presidio {version('presidio-analyzer')}: {names}")
    counted = {name for entities in ENTITIES.values() for name in entities}
    for line in sys.stdin:
        row = json.loads(line)
        language = "zh" if row["language"].startswith("zh") else "en"
        # Presidio asks for a top-level domain that exists; the reserved one of the texts must not count against it.
        text = row["text"].replace(".example", "-own.com")
        results = analyzers[language].analyze(text=text, language=language)
        found = [
            {"start": one.start, "end": one.end, "score": one.score} for one in results if one.entity_type in counted
        ]
        print(json.dumps(found))


if __name__ == "__main__":
    main()
