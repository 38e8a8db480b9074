"""*Conversations*: who waits for a person and why, the thread with the next steps, and a person's acts."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from fastapi import Request
from nicegui import ui
from nicegui.events import KeyEventArguments

from triage.assist.conversations.service import Act
from triage.console.conversations import fragments
from triage.console.data.conversation_desk import ConversationDesk
from triage.console.dependencies import Dependencies
from triage.console.web.elements import Html, section, text
from triage.console.web.fragments import banner, empty
from triage.console.web.layout import PageContext, page_layout
from triage.errors import TriageError
from triage.logging import get_logger
from triage.schemas.conversation import Conversation, Suggestion

log = get_logger("triage.console")

_LISTED = 50
_LATEST = 10
_LOOK_S = 5.0


@dataclass(frozen=True)
class Overview:
    """Conversations that wait for a person, longest first; those that people lead; and the open one, or None."""

    waiting: list[Conversation]
    with_people: list[Conversation]
    chosen: Conversation | None


def conversations_page(dependencies: Dependencies) -> Callable[..., Awaitable[None]]:
    async def page(request: Request, id: str = "") -> None:  # noqa: A002 - the name in the address
        desk, overview, error = dependencies.conversations, None, None
        if desk is not None:
            try:
                overview = await asyncio.to_thread(read_overview, desk, id)
            except TriageError as problem:
                error = str(problem)
        with page_layout(request, "conversations") as context:
            Html(banner(error, context.translations, known=False)).classes("whole")
            if desk is not None and overview is not None:
                _Conversations(desk, dependencies.clock.now_ms, context, id, overview)

    return page


def read_overview(desk: ConversationDesk, identity: str) -> Overview:
    """Read the waiting conversations, those that people lead, and the one with the id `identity` (empty: none).

    Blocks; raises a TriageError if Elasticsearch does not answer.
    """
    store = desk.conversations.store
    chosen = store.read(identity) if identity else None
    return Overview(store.in_state("waiting", _LISTED), store.in_state("human", _LATEST), chosen)


class _Conversations:
    """One open page. It reads again every 5 s, and after each act of its visitor."""

    def __init__(
        self,
        desk: ConversationDesk,
        now_ms: Callable[[], int],
        page: PageContext,
        identity: str,
        overview: Overview,
    ) -> None:
        translations = self._translations = page.translations
        self._desk, self._now_ms, self._page, self._identity = desk, now_ms, page, identity
        self._picked: str | None = None
        self._suggestions: list[Suggestion] = []
        self._busy = False
        self._last_turn = 0
        with section("waiting", translations("conversations.waiting"), "narrow"):
            self._waiting = Html().props('aria-live="polite"')
            text(translations("conversations.with_people"), "h3")
            self._people = Html()
        with section("thread", translations("conversations.thread"), "wide"):
            self._thread = Html().props('aria-live="polite"')
            self._next = Html()
            self._desk_parts = ui.element("div")
            with self._desk_parts:
                self._reply = ui.textarea(translations("conversations.reply")).props("outlined dense autogrow")
                self._reply.props["maxlength"] = desk.max_text_chars
                with ui.element("div").classes("buttons"):
                    ui.button(translations("conversations.send"), on_click=self.send).props(
                        "unelevated no-caps"
                    ).classes("primary")
                    for act in ("take_over", "give_back", "close"):
                        ui.button(translations(f"conversations.{act}"), on_click=self._does(act)).props("flat no-caps")
                text(translations("conversations.keys")).classes("caption below")
        ui.keyboard(self._key, repeating=False, ignore=["input", "select", "textarea"])
        self._show(overview)
        ui.timer(_LOOK_S, self._look, immediate=False)

    def _show(self, overview: Overview) -> None:
        translations, now_ms = self._translations, self._now_ms()
        nobody = empty(translations("conversations.nobody"), "")
        for element, found in ((self._waiting, overview.waiting), (self._people, overview.with_people)):
            listed = fragments.list_html(found, self._identity, now_ms, translations)
            element.show(listed if found else nobody)
        chosen = overview.chosen
        self._desk_parts.set_visibility(chosen is not None and chosen.state != "closed" and self._page.user.may_act)
        if chosen is None:
            hint = "conversations.unknown" if self._identity else "conversations.choose"
            self._thread.show(empty(translations(hint), ""))
            return
        self._last_turn = chosen.last_turn
        self._suggestions = chosen.turns[-1].answer.suggestions if chosen.turns else []
        self._thread.show(fragments.thread_html(chosen, now_ms, translations))
        self._next.show(fragments.suggestions_html(self._suggestions, translations))

    async def _look(self) -> None:
        try:
            overview = await asyncio.to_thread(read_overview, self._desk, self._identity)
        except TriageError as error:
            log.warning("conversations_not_read", error=str(error))
            return
        self._show(overview)

    def pick(self, number: int) -> None:
        """Put the text of a suggestion, counted from 1, into the reply; sending it stores the pick."""
        if 0 < number <= len(self._suggestions):
            self._picked = self._suggestions[number - 1].step
            self._reply.value = self._suggestions[number - 1].text

    async def send(self) -> None:
        """Send the reply as the next turn; the person then leads the conversation."""
        said = str(self._reply.value or "").strip()
        if not said:
            return

        turn, step = self._last_turn + 1, self._picked

        def take() -> None:
            self._desk.say(self._identity, said, self._page.user.name, turn, step)

        if await self._done(take):
            self._reply.value, self._picked = "", None

    def _does(self, act: Act) -> Callable[[], Awaitable[None]]:
        async def run() -> None:
            await self._done(lambda: self._desk.conversations.act(self._identity, act, self._page.user.name))

        return run

    async def _done(self, run: Callable[[], object]) -> bool:
        """Run an act, show why it failed, and read again; an act while another runs does nothing."""
        if self._busy or not self._page.user.may_act:
            return False
        self._busy = True
        try:
            await asyncio.to_thread(run)
        except TriageError as error:
            ui.notify(self._translations("conversations.failed", why=str(error)), type="negative", close_button=True)
            return False
        finally:
            self._busy = False
        await self._look()
        return True

    async def _key(self, event: KeyEventArguments) -> None:
        if not event.action.keydown or event.modifiers.ctrl or event.modifiers.alt or event.modifiers.meta:
            return
        if event.key.name in {"1", "2", "3"}:
            self.pick(int(event.key.name))
