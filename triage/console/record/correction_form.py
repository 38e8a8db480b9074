"""The form to correct a record's labels; corrections are training data."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from nicegui import ui

from triage.clock import rfc3339
from triage.console.dependencies import Dependencies
from triage.console.web.charts import SENTIMENTS
from triage.console.web.elements import text
from triage.elastic import corrections as store
from triage.elastic.search import Hit
from triage.errors import TriageError
from triage.logging import get_logger
from triage.schemas.correction import Correction, correction_of
from triage.translations import Translations

log = get_logger("triage.console")

_MAX_CHARS = 200
Saved = Callable[[Correction], Awaitable[None]]


def intents_of(dependencies: Dependencies, hits: Sequence[Hit]) -> list[str]:
    """Return the intents that a correction can choose: the model's, if its folder can be read, and those of `hits`."""
    try:
        known = dependencies.explainer.intents()
    except TriageError:
        known = []
    seen = [score.label for hit in hits for score in hit.record.intent.top]
    return list(dict.fromkeys([*known, *seen]))


class CorrectionForm:
    """The form that corrects intent and sentiment of one record, initially with the model's labels.

    `intents` are the choices, `actor` is the name of the user, `submit` the label of the button. `saved` is called with
    the correction once it is stored.
    """

    def __init__(
        self,
        dependencies: Dependencies,
        hit: Hit,
        intents: Sequence[str],
        translations: Translations,
        actor: str,
        saved: Saved,
        submit: str,
    ) -> None:
        self._dependencies, self._hit, self._translations = dependencies, hit, translations
        self._actor, self._saved = actor, saved
        record = hit.record
        shares = {score.label: f" ({translations.percent(score.confidence)})" for score in record.intent.top}
        names = {name: translations.intent(name) + shares.get(name, "") for name in dict.fromkeys([*shares, *intents])}
        with ui.element("form").classes("correct").on("submit.prevent", self.save):
            label = translations("column.intent")
            self.intent = ui.select(names, value=record.intent.label, label=label, with_input=True)
            self.intent.props("outlined dense options-dense").classes("grow")
            with ui.element("fieldset"):
                text(translations("column.sentiment"), "legend")
                options = {name: translations.term("sentiment", name) for name in SENTIMENTS}
                self.sentiment = ui.radio(options, value=record.sentiment.label).props("inline dense")
                self.sentiment.props["aria-label"] = translations("column.sentiment")
            self.comment = ui.input(translations("correct.comment")).props(f"outlined dense maxlength={_MAX_CHARS}")
            self._button = ui.button(submit).props("type=submit unelevated no-caps").classes("primary")
        self._saving = False

    async def save(self) -> None:
        """Store the correction; calls while one is being stored do nothing.

        A failure is shown, and the form keeps its values.
        """
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
            corrected_at=rfc3339(self._dependencies.clock.now_ms()),
            intent=str(self.intent.value),
            sentiment=str(self.sentiment.value),
            comment=str(self.comment.value or "").strip()[:_MAX_CHARS],
        )
        self._button.disable()
        try:
            await asyncio.to_thread(
                store.correct, self._dependencies.client, self._dependencies.settings.elasticsearch, correction
            )
        except TriageError as error:
            ui.notify(self._translations("correct.failed", why=str(error)), type="negative", close_button=True)
            return
        finally:
            self._button.enable()
        log.info("record_corrected", record=self._hit.id, by=self._actor, changed=correction.changed)
        await self._saved(correction)
