"""Assembles what answers questions from the settings."""

from elasticsearch import Elasticsearch

from triage.assist.answers.answerer import Answerer, FindCases
from triage.assist.encoder.base import SentenceEncoder
from triage.assist.encoder.onnx_encoder import open_encoder
from triage.assist.retrieval.experience import Experience
from triage.assist.retrieval.parameters import Parameters, load_parameters
from triage.assist.retrieval.retriever import Retriever
from triage.clock import Clock
from triage.config import Settings
from triage.elastic.evidence import verdicts_by_article
from triage.errors import MissingExtraError, ModelError
from triage.logging import get_logger

log = get_logger("triage.assist")


def usable_encoder(settings: Settings) -> SentenceEncoder | None:
    """The built encoder, or None with a line in the log: answers are made of words alone then."""
    try:
        encoder = open_encoder(settings)
    except (ModelError, MissingExtraError) as error:
        log.warning("encoder_unusable", error=str(error))
        return None
    if encoder is None:
        log.info("no_encoder", fix="triage knowledge encoder build", vectors=settings.assist.vectors)
    return encoder


def parameters_of(settings: Settings) -> Parameters:
    """The fitted numbers of the settings. Raises ConfigError for a file that is not valid."""
    return load_parameters(settings.assist.parameters) if settings.assist.parameters else load_parameters()


def build_answerer(
    settings: Settings,
    client: Elasticsearch,
    clock: Clock,
    encoder: SentenceEncoder | None,
    *,
    index: str | None = None,
    min_confidence: float | None = None,
    find_cases: FindCases | None = None,
) -> Answerer:
    """Build the answerer of the settings; `index` and `min_confidence` are others than theirs."""
    experience = Experience(lambda: verdicts_by_article(client, settings.elasticsearch), clock)
    name = index or settings.elasticsearch.knowledge()
    retriever = Retriever(client, name, encoder, parameters_of(settings), experience)
    return Answerer(
        retriever,
        clock,
        min_confidence=settings.assist.min_confidence if min_confidence is None else min_confidence,
        max_question_chars=settings.assist.max_question_chars,
        find_cases=find_cases,
    )
