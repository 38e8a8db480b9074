"""The API around a model that judges by words, with a sender that keeps what it is given."""

import contextlib

import httpx
import pytest
from conversing import FixedWebhooks
from doubles import WordModel

from triage.assist.conversations.assemble import build_conversations, build_taker
from triage.assist.conversations.store import MemoryStore
from triage.clock import ManualClock
from triage.config import load_settings
from triage.errors import Unavailable
from triage.metrics import Metrics
from triage.pipeline.stages.enrich import Enricher
from triage.redaction import Redactor
from triage.rules import load_rules
from triage.runtime.health import Health
from triage.serving.app import build_app
from triage.serving.batcher import MicroBatcher
from triage.serving.conversations import ConversationService
from triage.serving.service import Service

OPERATOR, VIEWER, WEBHOOK = "the-token-of-olga-0123", "the-token-of-vera-0123", "the-token-of-desk-0123"
TOKENS = [
    {"name": "olga", "role": "operator", "token": OPERATOR},
    {"name": "vera", "role": "viewer", "token": VIEWER},
    {"name": "desk", "role": "webhook", "token": WEBHOOK},
]


class KeepingSender:
    """Acknowledges everything; `away` makes Kafka absent."""

    def __init__(self):
        self.sent, self.headers, self.away = [], [], False

    def send(self, records, headers=()):
        if self.away:
            raise Unavailable("kafka", "no broker at secret-host:9092 answers")
        known = {each.digest for each in self.sent}
        self.sent += records
        self.headers.append(list(headers))
        return [each.digest not in known for each in records]


class Api:
    """A client of one API; use it as an async context manager."""

    def __init__(self, answers=None, guide=None, **flags):
        self.settings = load_settings(None, {"api.tokens": TOKENS, "api.batch_wait_ms": 0, **flags})
        self.clock, self.metrics, self.model = ManualClock(1_795_339_800_000), Metrics(), WordModel()
        settings = self.settings
        redactor = Redactor(settings.redaction)
        rules = load_rules(settings.rules.path)
        self.enricher = enricher = Enricher(self.model, redactor, rules, settings.worker, self.clock)
        self.sender = KeepingSender()
        health = Health(self.clock, {"api": "test"})
        batcher = MicroBatcher(
            enricher.enrich, self.metrics, batch_records=settings.api.batch_records, wait_s=0,
            queue_records=settings.api.queue_records, health=health,
        )  # fmt: skip
        service = Service(settings, enricher, batcher, self.sender, None, self.clock)
        self.store = MemoryStore()
        taker = build_taker(settings.conversations, FixedWebhooks())
        self.conversations = build_conversations(settings, self.store, taker, redactor, self.clock, self.metrics)
        of_api = ConversationService(self.conversations, batcher, self.clock, self.metrics, 30)
        self.app = build_app(service, settings.api, self.metrics, health, self.clock, of_api, answers, guide=guide)
        self._stack = contextlib.AsyncExitStack()

    async def __aenter__(self):
        await self._stack.enter_async_context(self.app.router.lifespan_context(self.app))
        transport = httpx.ASGITransport(self.app)
        self.client = await self._stack.enter_async_context(
            httpx.AsyncClient(transport=transport, base_url="http://api")
        )
        return self

    async def __aexit__(self, *details):
        await self._stack.aclose()

    async def post(self, path, body, token=OPERATOR, **headers):
        bearer = {"authorization": f"Bearer {token}"} if token else {}
        return await self.client.post(path, json=body, headers={**bearer, **headers})


@pytest.fixture
def api():
    return Api
