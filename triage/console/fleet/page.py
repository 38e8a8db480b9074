"""*Fleet*: problems that need attention first, then processes, partitions, stages and dead letters."""

from collections.abc import Awaitable, Callable

from fastapi import Request
from nicegui import ui

from triage.console.dependencies import Dependencies
from triage.console.fleet import fragments
from triage.console.web.elements import Html, section
from triage.console.web.fragments import banner, not_read
from triage.console.web.layout import page_layout
from triage.fleet import FleetView
from triage.translations import Translations

_REFRESH_S = 3.0
_FIRST_PAINT_S = 4.0


def fleet_page(dependencies: Dependencies) -> Callable[..., Awaitable[None]]:
    async def page(request: Request) -> None:
        await dependencies.fleet.within(_FIRST_PAINT_S)
        with page_layout(request, "fleet") as context:
            view = _View(context.translations, dependencies)
        view.show(dependencies.fleet.value, dependencies.fleet.error)

        async def refresh() -> None:
            reading = await dependencies.fleet.current()
            view.show(reading.value, reading.error)

        ui.timer(_REFRESH_S, refresh)

    return page


class _View:
    """The elements of one open *Fleet* page that are updated while it is open."""

    def __init__(self, translations: Translations, dependencies: Dependencies) -> None:
        self._translations, self._clock = translations, dependencies.clock
        self._dead_letters = dependencies.dead_letters
        self._banner = Html().classes("whole").props('aria-live="assertive"')
        with section("figures", translations("now.figures"), "whole bare", hidden=True):
            self._tiles = Html()
        with section("attention", translations("fleet.attention"), "whole"):
            self._attention = Html().props('aria-live="polite"')
        with section("processes", translations("fleet.processes"), "whole"):
            self._processes = Html().classes("scroll-table")
        with section("partitions", translations("fleet.partitions"), "wide"):
            self._partitions = Html().classes("scroll-table")
        with section("stages", translations("fleet.stages"), "narrow follows"):
            self._stages = Html()
        with section("dead-letters", translations("now.dead_letters"), "whole"):
            self._letters = Html()

    def show(self, view: FleetView | None, error: str | None) -> None:
        translations = self._translations
        self._banner.show(banner(error, translations, known=view is not None))
        self._letters.show(fragments.dead_letters_html(self._dead_letters, self._clock.now_ms(), translations))
        if view is None:
            self._attention.show(not_read(error, translations))
            return
        self._tiles.show(fragments.tiles(view, self._dead_letters.total, translations))
        self._attention.show(fragments.attention_html(view, translations))
        self._processes.show(fragments.processes_html(view, translations))
        self._partitions.show(fragments.partitions_html(view, translations))
        self._stages.show(fragments.stages_html(view, translations))
