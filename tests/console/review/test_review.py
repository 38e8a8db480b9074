"""The queue, key by key: what is pressed while a record is stored does not cost the next one."""

import asyncio
import threading
from types import SimpleNamespace

import pytest
from nicegui import ui
from nicegui.client import Client
from nicegui.page import page
from records import enriched

from triage.clock import ManualClock
from triage.config import load_settings
from triage.console.filters import Filters
from triage.console.record import correction_form as correct
from triage.console.review.page import ReviewQueue, _Review
from triage.console.web.layout import PageContext
from triage.elastic.search import Hit
from triage.errors import Unavailable
from triage.translations import Translations
from triage.web.identity import User

pytestmark = pytest.mark.asyncio


class Desk:
    """A queue of three records on a page; storing waits for `go`, and `failure` is what comes of it."""

    def __init__(self, monkeypatch):
        self.stored, self.go, self.failure = [], threading.Event(), None
        self.go.set()
        monkeypatch.setattr(correct.store, "correct", self._store)
        monkeypatch.setattr(ui, "notify", lambda *_, **__: None)
        dependencies = SimpleNamespace(
            settings=load_settings(None, {}), client=None, clock=ManualClock(1_795_339_800_000),
            explainer=SimpleNamespace(intents=lambda: ["delivery", "billing"]),
        )  # fmt: skip
        hits = [Hit(f"r{number}", enriched()) for number in range(3)]
        context = PageContext(Translations("en"), User("kim", "operator"), "./", "review")
        with Client(page("/review"), request=None):
            self.review = _Review(dependencies, context, Filters(), "new", ReviewQueue(hits, 3, 0, 0, []))

    def _store(self, _, __, correction):
        self.go.wait(10)
        self.stored.append(correction.record)
        if self.failure is not None:
            raise self.failure

    async def press(self, *keys):
        """One after the other, none waits for what the one before does."""
        presses = []
        for key in keys:
            event = SimpleNamespace(
                action=SimpleNamespace(keydown=True),
                modifiers=SimpleNamespace(ctrl=False, alt=False, meta=False),
                key=SimpleNamespace(name=key),
            )
            presses.append(asyncio.create_task(self.review._key(event)))
            await asyncio.sleep(0)
        self.go.set()
        await asyncio.gather(*presses)

    @property
    def left(self):
        return [hit.id for hit in self.review._left]


@pytest.fixture
def desk(monkeypatch):
    return Desk(monkeypatch)


async def test_enter_twice_stores_once_and_goes_on_by_one(desk):
    desk.go.clear()
    await desk.press("Enter", "Enter")
    assert (desk.stored, desk.left) == (["r0"], ["r1", "r2"])
    await desk.press("Enter")
    assert (desk.stored, desk.left) == (["r0", "r1"], ["r2"])


async def test_skipping_while_it_is_stored_goes_on_by_one(desk):
    desk.go.clear()
    await desk.press("Enter", "s")
    assert (desk.stored, desk.left) == (["r0"], ["r1", "r2"])


async def test_what_could_not_be_stored_can_be_tried_again(desk):
    desk.failure = Unavailable("elasticsearch", "away")
    await desk.press("Enter")
    assert desk.left == ["r0", "r1", "r2"]
    desk.failure = None
    await desk.press("Enter")
    assert (desk.stored, desk.left) == (["r0", "r0"], ["r1", "r2"])


async def test_keys_that_are_no_digit_of_ours_do_nothing(desk):
    await desk.press("²", "٣", "F12", "9")
    assert (desk.stored, desk.left) == ([], ["r0", "r1", "r2"])
