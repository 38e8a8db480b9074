"""The form that corrects a record's labels; what it stores is training data."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from html import escape

from nicegui import ui

from triage.clock import parse_rfc3339, rfc3339
from triage.console.dependencies import Dependencies
from triage.console.translations import Translations
from triage.console.web.charts import SENTIMENTS
from triage.elastic import corrections as store
from triage.elastic.search import Hit
from triage.errors import TriageError
from triage.logging import get_logger
from triage.schemas.correction import Correction, correction_of

log = get_logger("triage.console")

_MOST_CHARS = 200
Saved = Callable[[Correction], Awaitable[None]]


def intents_of(site: Dependencies, hits: Sequence[Hit]) -> list[str]:
    """The model's labels, as the folder says; without a folder those that these records have."""
    try:
        known = site.explainer.intents()
    except TriageError:
        known = []
    seen = [score.label for hit in hits for score in hit.record.intent.top]
    return list(dict.fromkeys([*known, *seen]))


class CorrectionForm:
    """Choices for one record, filled with the model's labels; `saved` is called when the index has it."""

    def __init__(
        self,
        site: Dependencies,
        hit: Hit,
        intents: Sequence[str],
        words: Translations,
        actor: str,
        saved: Saved,
        submit: str,
    ) -> None:
        self._site, self._hit, self._words, self._actor, self._saved = site, hit, words, actor, saved
        record = hit.record
        sure = {score.label: score.confidence for score in record.intent.top}
        names = {
            name: words.intent(name) + (f" ({words.percent(sure[name])})" if name in sure else "")
            for name in dict.fromkeys([*sure, *intents])
        }
        with ui.element("form").classes("correct").on("submit.prevent", self.save):
            self.intent = ui.select(names, value=record.intent.label, label=words("column.intent"), with_input=True)
            self.intent.props("outlined dense options-dense").classes("grow")
            with ui.element("fieldset"):
                ui.html(words("column.sentiment"), tag="legend", sanitize=False)
                options = {name: words.term("sentiment", name) for name in SENTIMENTS}
                self.sentiment = ui.radio(options, value=record.sentiment.label).props(
                    f'inline dense aria-label="{escape(words("column.sentiment"))}"'
                )
            self.comment = ui.input(words("correct.comment")).props(f"outlined dense maxlength={_MOST_CHARS}")
            self._button = ui.button(submit).props("type=submit unelevated no-caps").classes("primary")
        self._saving = False

    async def save(self) -> None:
        """Store the choice, once however often it is asked for meanwhile; on a failure say why and keep the form."""
        if self._saving:
            return
        self._saving = True
        try:
            await self._save()
        finally:
            self._saving = False

    async def _save(self) -> None:
        correction = correction_of(
            self._hit.id,
            self._hit.record,
            actor=self._actor,
            corrected_at=rfc3339(self._site.clock.now_ms()),
            intent=str(self.intent.value),
            sentiment=str(self.sentiment.value),
            comment=str(self.comment.value or "").strip()[:_MOST_CHARS],
        )
        self._button.disable()
        try:
            await asyncio.to_thread(store.correct, self._site.client, self._site.settings.elasticsearch, correction)
        except TriageError as error:
            ui.notify(self._words("correct.failed", why=str(error)), type="negative", close_button=True)
            return
        finally:
            self._button.enable()
        log.info("record_corrected", record=self._hit.id, by=self._actor, changed=correction.changed)
        await self._saved(correction)


def correction_html(correction: Correction, words: Translations) -> str:
    """Who judged the record, when, and how."""
    labels = [
        words.intent(correction.intent) if correction.intent else None,
        words.term("sentiment", correction.sentiment) if correction.sentiment else None,
    ]
    said = words(
        "correct.changed" if correction.changed else "correct.confirmed",
        by=correction.actor,
        when=words.moment(parse_rfc3339(correction.corrected_at)),
        labels=" · ".join(label for label in labels if label),
    )
    comment = f"<blockquote>{escape(correction.comment)}</blockquote>" if correction.comment else ""
    return f'<p class="corrected">{escape(said)}</p>{comment}'
