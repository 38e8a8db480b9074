"""The routes of conversations: turns, and what a person does with a conversation."""

import asyncio
import time
from typing import Any

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from triage.assist.conversations.errors import TurnRefused
from triage.assist.conversations.service import ACTS
from triage.assist.conversations.turns import TurnRequest
from triage.config import ApiSettings
from triage.metrics import Metrics
from triage.runtime.rate_limiter import RateLimiter
from triage.serving.auth import caller_of, require_role
from triage.serving.body import json_body
from triage.serving.conversations import ConversationService
from triage.serving.openapi import operation, reading
from triage.web.problem import Problem

_USUAL = ("400", "401", "403", "404", "409", "413", "415", "422", "429", "503")
_READING = ("401", "403", "404", "422", "503")
_TURN_EXAMPLE = {"turn": 1, "from": "customer", "text": "My parcel has not arrived", "language": "en"}


def build_conversation_routes(
    service: ConversationService, settings: ApiSettings, limiter: RateLimiter, metrics: Metrics
) -> APIRouter:
    router = APIRouter(prefix="/v1", tags=["conversations"])

    def grant(request: Request) -> None:
        wait_s = limiter.take(caller_of(request), 1)
        if wait_s > 0:
            metrics.api_limited.inc()
            limit = settings.records_per_minute
            raise Problem(429, "too_many_a_minute", f"at most {limit} turns per minute; wait", retry_s=wait_s)

    @router.post(
        "/conversations/{identity}/turns",
        openapi_extra=operation("Turn", "Answer", 200, _TURN_EXAMPLE, statuses=_USUAL),
    )
    async def turns(identity: str, request: Request) -> JSONResponse:
        """Take the next turn of a conversation, and answer it. Needs the role operator.

        Turns are numbered from 1, those of customers and agents together. A turn that is sent again has the same
        answer; another text under its number is refused with 409.
        """
        user = require_role(request, "operator")
        began = time.perf_counter()
        turn = _turn_of(await json_body(request, settings.max_body_bytes))
        grant(request)
        with _refusals():
            answer = await service.take(identity, turn, user.name)
        metrics.conversation_turn_seconds.observe(time.perf_counter() - began)
        return JSONResponse(msgspec.to_builtins(answer))

    @router.get("/conversations/{identity}", openapi_extra=reading("Conversation", statuses=_READING))
    async def conversation(identity: str, request: Request) -> JSONResponse:
        """Return a conversation as it is stored, redacted. Needs the role operator."""
        require_role(request, "operator")
        with _refusals():
            found = await asyncio.to_thread(service.read, identity)
        return JSONResponse(found)

    @router.post(
        "/conversations/{identity}/{act}",
        openapi_extra=operation("Act", "ConversationState", 200, {"outcome": "refunded"}, statuses=_USUAL),
    )
    async def act(identity: str, act: str, request: Request) -> JSONResponse:
        """Take over, give back to the bot, or close: `take_over`, `give_back`, `close`. Needs the role operator.

        An act that has been done already changes nothing.
        """
        user = require_role(request, "operator")
        if act not in ACTS:
            raise Problem(404, "no_such_path", f"an act is one of {', '.join(ACTS)}")
        body = await json_body(request, settings.max_body_bytes)
        outcome = body.get("outcome", "closed_by_agent") if isinstance(body, dict) else None
        if not isinstance(outcome, str) or not 0 < len(outcome) <= 80:
            raise Problem(
                422, "bad_act", 'the body is an object: {"outcome": "refunded"}, outcome of 1 to 80 characters'
            )
        grant(request)
        with _refusals():
            found = await asyncio.to_thread(service.conversations.act, identity, act, user.name, outcome)
        return JSONResponse({"id": found.id, "state": found.state, "outcome": found.outcome})

    return router


class _refusals:  # noqa: N801 - reads as a statement
    """Context manager that raises refusals of turns and acts as responses."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        del kind, trace
        if isinstance(error, TurnRefused):
            raise Problem(error.status, error.code, str(error)) from error


def _turn_of(body: Any) -> TurnRequest:
    try:
        return msgspec.convert(body, TurnRequest)
    except msgspec.ValidationError as error:
        raise Problem(422, "bad_turn", str(error)) from error
