"""The route of the product guide."""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response

from triage.assist.guide.model import MOST_RESULTS, Advice, GuideRequest
from triage.assist.guide.words import LANGUAGES
from triage.config import ApiSettings
from triage.serving.allowance import Allowance
from triage.serving.answers_openapi import GUIDE_EXAMPLE
from triage.serving.auth import require_role
from triage.serving.body import json_body
from triage.serving.openapi import operation
from triage.web.problem import Problem

MOST_CHARS = 20_000
_MOST_STATE = 50
_STATUSES = ("400", "401", "403", "404", "413", "415", "422", "429", "503")

Advise = Callable[[GuideRequest], Advice]
"""Advises after a turn; may block, and raise a TriageError."""


def build_guide_routes(advise: Advise | None, settings: ApiSettings, allowance: Allowance) -> APIRouter:
    """Build the route `POST /v1/guide`; without `advise` it refuses requests."""
    router = APIRouter(prefix="/v1")

    @router.post(
        "/guide",
        tags=["guide"],
        openapi_extra=operation("GuideRequest", "Advice", 200, GUIDE_EXAMPLE, statuses=_STATUSES),
    )
    async def guide(request: Request) -> Response:
        """Recommend items of the catalogue for a customer's words, with what reviews say for and against each.

        `ask` is the question that splits the candidates best; send the customer's answer with the returned `state`.
        Where nothing fits, `drop` names the wishes to give up. Nothing is stored. Needs the role viewer or operator.
        """
        require_role(request, "viewer", "operator")
        body = await json_body(request, settings.max_body_bytes)
        allowance.grant(request, 1)
        if advise is None:
            raise Problem(404, "no_guide", "this process has no guide: set guide.words")
        advice = await asyncio.to_thread(advise, guide_request_of(body))
        return Response(msgspec.json.encode(advice), media_type="application/json")

    return router


def guide_request_of(body: Any) -> GuideRequest:
    """Decode a request from decoded JSON. Raises Problem 422 naming the field that is not valid."""
    if not isinstance(body, dict):
        raise Problem(422, "bad_request", 'the body is an object: {"text": "..."}')
    try:
        found = msgspec.convert(body, GuideRequest)
    except msgspec.ValidationError as error:
        raise Problem(422, "bad_request", str(error)) from error
    if len(found.text) > MOST_CHARS:
        raise Problem(422, "bad_request", f"text has {len(found.text)} characters; {MOST_CHARS} at most")
    if not 1 <= found.k <= MOST_RESULTS:
        raise Problem(422, "bad_request", f"k is {found.k}; it is 1 to {MOST_RESULTS}")
    if found.language is not None and found.language not in LANGUAGES:
        raise Problem(422, "bad_request", f"language is {found.language[:40]!r}; it is one of {', '.join(LANGUAGES)}")
    state = found.state
    if state is not None and max(len(state.constraints), len(state.asked)) > _MOST_STATE:
        raise Problem(422, "bad_request", f"state has more than {_MOST_STATE} constraints or questions")
    return found
