"""The column of *Explore* with each field's values as filters, and a search for values that are not listed."""

import asyncio
from collections.abc import Callable, Mapping

from nicegui import ui
from nicegui.events import GenericEventArguments, ValueChangeEventArguments

from triage.console.dependencies import Dependencies
from triage.console.explore.fragments import apply_html, facet_values_html, narrow_button, term
from triage.console.filters import FIELDS, Filters
from triage.console.web.elements import Html, text
from triage.console.web.fragments import banner, incomplete
from triage.elastic.completeness import noting
from triage.elastic.explore import FieldValues, field_values, with_words
from triage.errors import TriageError
from triage.translations import Translations

VALUES = 8
_OPEN_FACETS = 8
_MOST_LISTED = 100
_MOST_READ = 1_000
_MAX_CHARS = 100
# Fields whose values have names in the catalogue: a search finds them by the name that the reader sees.
_NAMED = frozenset({"channel", "sentiment", "severity", "intent", "aspect", "risk", "own_intent", "language", "flag"})
_TYPING_MS = 300


def read_facets(
    dependencies: Dependencies, filters: Filters, counted: Mapping[str, FieldValues], now_ms: int
) -> dict[str, FieldValues]:
    """Read the values of each field, by parameter name; `counted` has the values in the view, by field of the index.

    If a field has a filter, its values are counted again without this filter, so that others can be added. Blocks;
    raises a TriageError if a request fails.
    """
    client, settings = dependencies.client, dependencies.settings.elasticsearch
    found = {name: counted[field] for name, field in FIELDS.items() if field in counted}
    for name in found:
        if chosen := filters.chosen(name):
            query = filters.without_field(name).query(now_ms)
            found[name] = field_values(client, settings, query, FIELDS[name], VALUES, also=chosen)
    return {name: values for name, values in found.items() if values.shares}


def facets(
    dependencies: Dependencies, filters: Filters, found: Mapping[str, FieldValues], translations: Translations
) -> None:
    """Build the column of filters with the values `found`, by field; each links to the page with it as a filter."""
    Html(narrow_button(translations)).classes("narrow-down")
    with ui.element("nav").classes("card facets").props(f'id="facets" aria-label="{translations("explore.filters")}"'):
        if not found:
            text(translations("explore.no_facets")).classes("caption below")
            return
        text(translations("explore.filters"), "h2")
        for number, (name, values) in enumerate(found.items()):
            is_open = number < _OPEN_FACETS or filters.chosen(name)
            with ui.element("details").props("open" if is_open else ""):
                text(translations(f"column.{name}"), "summary")
                _Facet(dependencies, filters, name, values, translations)


class _Facet:
    """The values of one field in the column; if not all are listed, a button shows all of them with a search field.

    There several values can be ticked and applied together.
    """

    def __init__(
        self,
        dependencies: Dependencies,
        filters: Filters,
        name: str,
        values: FieldValues,
        translations: Translations,
    ) -> None:
        self._dependencies, self._filters, self._name, self._translations = dependencies, filters, name, translations
        self._list = Html(facet_values_html(filters, name, values.shares, translations))
        self._ticked = filters.values.get(name, ())
        self._searches = 0
        if values.more:
            label = translations("explore.more", field=translations(f"column.{name}"))
            self._button = ui.button(label, on_click=self._open).props("flat dense no-caps").classes("more")

    async def _open(self) -> None:
        """Replace the button by a search field above the list, and list all values."""
        self._button.delete()
        label = self._translations("explore.find", field=self._translations(f"column.{self._name}"))
        field = ui.input(label, on_change=self._search).props(f"outlined dense clearable debounce={_TYPING_MS}")
        # The text as it stands: what was typed last may not have been sent yet.
        field.on("keydown.enter", self._enter, js_handler="(event) => emit(event.target.value)")
        field.move(target_index=1)
        self._list.classes("found").props('aria-live="polite" tabindex="0"')
        self._list.on("change", self._tick, js_handler="(event) => emit([event.target.value, event.target.checked])")
        self._apply = Html()
        field.run_method("focus")
        await self._find("")

    async def _search(self, event: ValueChangeEventArguments[str | None]) -> None:
        await self._find(event.value or "")

    async def _enter(self, event: GenericEventArguments) -> None:
        """Go to the page with the ticked values, or without any to that with the first value that has the words."""
        if self._ticked != self._filters.values.get(self._name, ()):
            ui.navigate.to(self._filters.accepting(self._name, self._ticked).address("explore"))
        elif (words := str(event.args)) and (found := await self._find(words)) is not None and found.shares:
            ui.navigate.to(self._filters.with_value(self._name, found.shares[0].value).address("explore"))

    def _tick(self, event: GenericEventArguments) -> None:
        value, ticked = event.args
        others = tuple(other for other in self._ticked if other != value)
        self._ticked = (*others, value) if ticked else others
        changed = self._ticked != self._filters.values.get(self._name, ())
        self._apply.show(apply_html(self._filters, self._name, self._ticked if changed else (), self._translations))

    async def _find(self, words: str) -> FieldValues | None:
        """List the values that have these words; None if they can't be read."""
        self._searches += 1
        number = self._searches
        with noting() as gaps:
            try:
                found = await asyncio.to_thread(
                    find_values, self._dependencies, self._filters, self._name, words, self._term
                )
            except TriageError as error:
                self._list.show(banner(str(error), self._translations, known=True))
                return None
        # An answer that an earlier word gets late is not shown.
        if number == self._searches:
            values = facet_values_html(
                self._filters, self._name, found.shares, self._translations, more=found.more, ticked=self._ticked
            )
            self._list.show(incomplete(gaps, self._translations) + values)
        return found

    def _term(self, value: str) -> str:
        return term(self._name, value, self._translations)


def find_values(
    dependencies: Dependencies, filters: Filters, name: str, text: str, shown: Callable[[str], str]
) -> FieldValues:
    """Find values of a field that contain the words of `text` in order, ignoring case, among the filtered records.

    The filter on this field is ignored. Values that contain the complete `text` come first. `shown(value)` returns the
    name displayed to the reader, which is searched, too. Blocks; raises a TriageError if the search fails.
    """
    words, field = text[:_MAX_CHARS].split(), FIELDS[name]
    query = filters.without_field(name).query(dependencies.clock.now_ms())
    if words and name not in _NAMED:
        query = {"bool": {"filter": [query, with_words(field, words)]}}
    found = field_values(dependencies.client, dependencies.settings.elasticsearch, query, field, _MOST_READ)
    # A record may have several values, of which others contain the words.
    kept = [share for share in found.shares if _contains(share.value, words) or _contains(shown(share.value), words)]
    whole = " ".join(words).casefold()
    kept.sort(key=lambda share: whole not in share.value.casefold())
    return FieldValues(kept[:_MOST_LISTED], more=found.more or len(kept) > _MOST_LISTED)


def _contains(text: str, words: list[str]) -> bool:
    rest = text.casefold()
    for word in words:
        _, found, rest = rest.partition(word.casefold())
        if not found:
            return False
    return True
