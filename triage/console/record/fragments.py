"""Parts of *Record* as HTML; *Review* uses some of them, too."""

from collections.abc import Sequence

from markupsafe import Markup

from triage.assist.answers.model import Answer, AnswerSpan, SimilarCase
from triage.clock import parse_rfc3339
from triage.console.filters import Filters
from triage.console.web.fragments import isolated
from triage.console.web.highlighting import highlighted, weighed
from triage.console.web.templates import render
from triage.elastic.search import Hit
from triage.schemas.correction import Correction
from triage.schemas.enriched import EnrichedRecord, OwnIntent
from triage.schemas.evidence import Verdict
from triage.schemas.explanation import HeadExplanation, RiskExplanation, RuleExplanation
from triage.translations import Translations

_ALL_TIME = Filters(range="all")
_ALL_CHARS = 10**9
# Entities by which two records are about the same thing.
_LINKING = ("order_id", "tracking_id")


def text_html(record: EnrichedRecord, translations: Translations) -> Markup:
    """Render a record's text with its entities highlighted, its flags, and a table of the entities."""
    text = highlighted(record.text, record.entities, translations, _ALL_CHARS)
    return render("record/text.html", translations, record=record, text=text)


def labels_html(record: EnrichedRecord, translations: Translations) -> Markup:
    """Render sentiment, intents and aspects with the model's confidence."""
    return render("record/labels.html", translations, record=record)


def word_weights_html(
    record: EnrichedRecord,
    intent: HeadExplanation,
    sentiment: HeadExplanation,
    version: str,
    translations: Translations,
) -> Markup:
    """Render the words that influenced intent and sentiment, with their weights.

    `version` is the model that computed the weights; a note names it if another model labelled the record.
    """
    parts = [
        _word_weights(record, translations("column.intent"), translations.intent(intent.label), intent, translations),
        _word_weights(
            record,
            translations("column.sentiment"),
            translations.term("sentiment", sentiment.label),
            sentiment,
            translations,
        ),
    ]
    note = "" if version == record.versions.model else translations("record.other_model", version=version)
    return render("record/answer.html", translations, parts=parts, note=note)


def own_labels_html(
    risks: Sequence[RiskExplanation], own_intents: Sequence[OwnIntent], translations: Translations
) -> Markup:
    """Render the reasons of risk scores, with the notice that they never decide about a person, and the own intents."""
    return render("record/own_labels.html", translations, risks=risks, own_intents=own_intents)


def no_word_weights_html(why: str, translations: Translations) -> Markup:
    """Render the reason, `why`, for which the model could not explain the labels."""
    return render("record/answer.html", translations, parts=(), note=translations("record.no_model", why=why))


def rules_html(
    record: EnrichedRecord, explained: Sequence[RuleExplanation], version: str, problem: str, translations: Translations
) -> Markup:
    """Render severity and queue with the rules that fired, and the evidence for each condition.

    `problem` is the reason if the rules could not be evaluated, else empty.
    """
    known = {(explanation.part, explanation.rule): explanation for explanation in explained}
    fired = [
        (rule, known.get((part, rule)))
        for part, rules in (("severity", record.severity.rules), ("routing", record.route.rules))
        for rule in rules
    ]
    return render("record/rules.html", translations, record=record, fired=fired, version=version, problem=problem)


def facts_html(hit: Hit, translations: Translations) -> Markup:
    """Render a record's source, times and other fields, and the versions of the model and rules that processed it."""
    record = hit.record
    facts = {
        "time": translations.moment(parse_rfc3339(record.timestamp)),
        "ingested": translations.moment(parse_rfc3339(record.event.ingested)),
        "channel": translations.term("channel", record.channel.value),
        "language": translations.term("language", record.language),
        "source": record.source,
        "product": record.product,
        "brand": record.brand,
        "region": record.region,
        "rating": None if record.rating is None else f"{record.rating:g}",
        "event": record.event.id,
        "id": hit.id,
        "model": record.versions.model,
        "rules_version": record.versions.rules,
        "taxonomy": record.versions.taxonomy,
        "pipeline": record.versions.pipeline,
    }
    return render("record/facts.html", translations, facts=facts, attributes=record.attributes)


def links_html(record: EnrichedRecord, translations: Translations, root: str) -> Markup:
    """Render links to related records: same author, entity, product or brand, and intent.

    `root` is the URL of the start page.
    """
    views: list[tuple[str, Filters]] = []
    same = translations.html
    if record.author_id:
        views.append((translations("record.same_author"), _ALL_TIME.only(author=record.author_id)))
    views += [
        (same("record.same_entity", text=isolated(entity.text)), _ALL_TIME.only(entity=entity.text))
        for entity in record.entities
        if entity.label in _LINKING and not entity.text.startswith("[")
    ]
    item = {"product": record.product} if record.product else {"brand": record.brand} if record.brand else {}
    label, intent = record.intent.label, translations.intent(record.intent.label)
    for name, value in item.items():
        views.append((same("record.same_thing", thing=isolated(value)), Filters().only(**{name: value})))
        views.append((isolated(value) + f" · {intent}", Filters().only(**{name: value, "intent": label})))
    views.append((translations("record.same_intent", intent=intent), Filters().only(intent=label)))
    links = [(text, root + view.address("explore")) for text, view in views]
    return render("record/links.html", translations, links=links)


def correction_html(correction: Correction, translations: Translations) -> Markup:
    """Render a correction: the labels that a user chose or confirmed, with name, time and comment."""
    labels = [
        translations.intent(correction.intent) if correction.intent else None,
        translations.term("sentiment", correction.sentiment) if correction.sentiment else None,
    ]
    text = translations(
        "correct.changed" if correction.changed else "correct.confirmed",
        by=correction.actor,
        when=translations.moment(parse_rfc3339(correction.corrected_at)),
        labels=" · ".join(label for label in labels if label),
    )
    return render("record/correction.html", translations, text=text, comment=correction.comment)


def _word_weights(
    record: EnrichedRecord, head: str, label: str, explanation: HeadExplanation, translations: Translations
) -> Markup:
    share = translations.percent(explanation.confidence)
    return render(
        "record/word_weights.html",
        translations,
        title=translations("record.words", kind=head, label=label, share=share),
        text=weighed(record.text, explanation.words),
        language=record.language,
        words=explanation.words,
    )


def waiting_html(translations: Translations) -> Markup:
    """Render the line that is shown while evidence is searched."""
    return render("record/evidence_note.html", translations, text=translations("evidence.searching"))


def no_evidence_html(why: str, translations: Translations) -> Markup:
    """Render the reason (`why`) for which no evidence could be searched."""
    return render("record/evidence_note.html", translations, text=translations("evidence.failed", why=why))


def cases_html(cases: Sequence[SimilarCase], root: str, translations: Translations) -> Markup:
    """Render similar resolved cases, each with the share of cases that its kind of resolution (refund, ...) ended.

    `root` is the URL of the start page.
    """
    return render("record/cases.html", translations, cases=cases, root=root)


def handbook_html(answer: Answer, translations: Translations) -> Markup:
    """Render what precedes the passages of `answer`: the confidence, or why there are none and the nearest articles."""
    return render("record/handbook.html", translations, answer=answer)


def span_html(span: AnswerSpan, answer: Answer, translations: Translations) -> Markup:
    """Render the passage `span` of an answer, word for word, with its source."""
    return render("record/span.html", translations, span=span, answer=answer)


def verdicts_html(verdicts: Sequence[Verdict], translations: Translations) -> Markup:
    """Render verdicts on one passage: who used it for the record, or found it wrong."""
    return render("record/verdicts.html", translations, verdicts=verdicts)
