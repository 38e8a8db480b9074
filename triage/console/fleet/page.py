"""*Fleet*: what needs attention first, then processes, partitions, stages and dead letters."""

from collections.abc import Awaitable, Callable
from html import escape

from fastapi import Request
from nicegui import ui

from triage.console.data.dead_letters import DeadLetters
from triage.console.dependencies import Dependencies
from triage.console.fleet.html import (
    attention,
    dead_letters_html,
    figures_html,
    partitions_html,
    processes_html,
    stages_html,
)
from triage.console.translations import Translations
from triage.console.web import fragments
from triage.console.web.layout import page_layout, section
from triage.fleet import FleetView

_REFRESH_S = 3.0
_FIRST_PAINT_S = 4.0


def fleet_page(site: Dependencies) -> Callable[..., Awaitable[None]]:
    async def page(request: Request) -> None:
        await site.fleet.within(_FIRST_PAINT_S)
        with page_layout(request, "fleet") as visit:
            view = _View(visit.words, site.dead_letters)
        view.show(site.fleet.value, site.fleet.error)

        async def refresh() -> None:
            reading = await site.fleet.current()
            view.show(reading.value, reading.error)

        ui.timer(_REFRESH_S, refresh)

    return page


class _View:
    def __init__(self, words: Translations, dead_letters: DeadLetters) -> None:
        self._words, self._dead_letters = words, dead_letters
        self._banner = ui.html("", sanitize=False).classes("whole").props('aria-live="assertive"')
        with section("figures", words("now.figures"), "whole bare", hidden=True):
            self._figures = ui.html("", sanitize=False)
        with section("attention", words("fleet.attention"), "whole"):
            self._attention = ui.html("", sanitize=False).props('aria-live="polite"')
        with section("processes", words("fleet.processes"), "whole"):
            self._processes = ui.html("", sanitize=False).classes("scroll-table")
        with section("partitions", words("fleet.partitions"), "wide"):
            self._partitions = ui.html("", sanitize=False).classes("scroll-table")
        with section("stages", words("fleet.stages"), "narrow follows"):
            self._stages = ui.html("", sanitize=False)
        with section("dead-letters", words("now.dead_letters"), "whole"):
            self._letters = ui.html("", sanitize=False)

    def show(self, view: FleetView | None, error: str | None) -> None:
        words = self._words
        self._banner.content = fragments.banner(error, words, known=view is not None)
        self._letters.content = dead_letters_html(self._dead_letters, words)
        if view is None:
            self._attention.content = fragments.not_read(error, words)
            return
        self._figures.content = figures_html(view, self._dead_letters.total, words)
        needs = "".join(f'<li class="{kind}">{escape(said)}</li>' for kind, said in attention(view, words))
        self._attention.content = f'<ul class="needs">{needs}</ul>' if needs else f"<p>{words('fleet.all_well')}</p>"
        self._processes.content = processes_html(view, words)
        self._partitions.content = partitions_html(view, words)
        self._stages.content = stages_html(view, words)
