"""The routes that take how records were answered: for programs, and for webhooks of help desks."""

import asyncio
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from triage.assist.cases.reading import resolution_of
from triage.assist.cases.sender import ResolutionSender
from triage.clock import Clock
from triage.config import ApiSettings
from triage.errors import InvalidRecord
from triage.schemas.resolution import Resolution
from triage.serving.allowance import Allowance
from triage.serving.answers_openapi import RESOLUTIONS_EXAMPLE
from triage.serving.auth import require_role
from triage.serving.body import json_body
from triage.serving.openapi import operation
from triage.serving.problem import refused
from triage.web.problem import Problem

_STATUSES = ("400", "401", "403", "413", "415", "422", "429", "503")


def build_resolution_routes(
    sender: ResolutionSender | None, settings: ApiSettings, allowance: Allowance, clock: Clock
) -> APIRouter:
    """Build the routes that take resolutions as JSON and from webhooks; without a sender they refuse them."""
    router = APIRouter(prefix="/v1")

    @router.post(
        "/resolutions",
        status_code=202,
        tags=["answers"],
        openapi_extra=operation("Resolutions", "Accepted", 202, RESOLUTIONS_EXAMPLE, statuses=_STATUSES),
    )
    async def resolutions(request: Request) -> JSONResponse:
        """Take how records were answered and how that ended; similar cases show it. Needs the role operator.

        Answers are redacted before they are sent to the topic `resolutions`. The last one of a record counts.
        """
        user = require_role(request, "operator")
        body = await json_body(request, settings.max_body_bytes)
        rows = body.get("resolutions") if isinstance(body, dict) else None
        if not isinstance(rows, list) or not rows:
            raise Problem(422, "no_resolutions", 'the body is an object with a list: {"resolutions": [{"id": "..."}]}')
        if len(rows) > settings.max_records:
            raise Problem(413, "too_many_records", f"{len(rows)} resolutions; at most {settings.max_records} at once")
        allowance.grant(request, len(rows))
        return JSONResponse({"results": await send_resolutions(sender, rows, user.name, clock)}, 202)

    return router


async def send_resolutions(
    sender: ResolutionSender | None, rows: list[Any], actor: str, clock: Clock
) -> list[dict[str, Any]]:
    """Send those of `rows` that are valid resolutions; returns for each row its record's id, or an `error`.

    `actor` is the default of the field of that name. Raises Problem 404 without a sender, Unavailable if Kafka does not
    acknowledge them.
    """
    if sender is None:
        raise Problem(404, "no_resolutions", "this process takes no resolutions")
    results: list[dict[str, Any]] = []
    valid: list[Resolution] = []
    for row in rows:
        try:
            if not isinstance(row, dict):
                raise InvalidRecord("not_an_object", "a resolution is a JSON object", stage="decode")
            found = resolution_of({"actor": actor, **row}, clock.now_ms(), sender.zone_of)
        except InvalidRecord as invalid:
            results.append(refused(invalid))
            continue
        valid.append(found)
        results.append({"record": found.record})
    await asyncio.to_thread(sender.send, valid)
    return results
