"""The routes of version 1 of the HTTP API."""

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import JSONResponse

from triage import tracing
from triage.assist.cases.sender import ResolutionSender
from triage.clock import Clock
from triage.config import ApiSettings
from triage.metrics import Metrics
from triage.serving.allowance import Allowance
from triage.serving.auth import require_role
from triage.serving.body import decoded_json, json_body, json_bytes, records_of
from triage.serving.idempotency import IdempotencyKeys
from triage.serving.mapping import mapped
from triage.serving.openapi import CORRECTION_EXAMPLE, RECORDS_EXAMPLE, operation
from triage.serving.resolution_routes import send_resolutions
from triage.serving.service import Service
from triage.serving.signatures import verify
from triage.web.problem import Problem

# One record: strangers could send as much before the signature is verified.
_MAX_WEBHOOK_BYTES = 256 * 1024
_USUAL = ("400", "401", "413", "415", "422", "429", "503")
_KEY = Header(
    None,
    max_length=200,
    description="Identifies this request: its records get the same ids when it is sent again",
)


def build_routes(
    service: Service,
    settings: ApiSettings,
    allowance: Allowance,
    metrics: Metrics,
    clock: Clock,
    resolutions: ResolutionSender | None = None,
) -> APIRouter:
    router, keys, grant = APIRouter(prefix="/v1"), IdempotencyKeys(clock), allowance.grant

    def count(route: str, results: Sequence[dict[str, Any]]) -> None:
        for result in results:
            outcome = "refused" if "error" in result else "repeated" if result.get("repeated") else "accepted"
            metrics.api_records.labels(route, outcome).inc()

    @router.post(
        "/enrich",
        tags=["enrich"],
        openapi_extra=operation("Records", "Enriched", 200, RECORDS_EXAMPLE, statuses=_USUAL),
    )
    async def enrich(request: Request) -> Response:
        """Redact, classify and route records exactly as the workers do; nothing is stored.

        A refused record has an `error` in place of its result; the other records are not affected.
        """
        records = records_of(await json_body(request, settings.max_body_bytes), settings.max_records)
        grant(request, len(records))
        body, refused = await service.enrich(records)
        count("enrich", [{}] * (len(records) - refused) + [{"error": {}}] * refused)
        return Response(body, media_type="application/json")

    @router.post(
        "/feedback",
        status_code=202,
        tags=["feedback"],
        openapi_extra=operation("Records", "Sent", 202, RECORDS_EXAMPLE, statuses=(*_USUAL, "403")),
    )
    async def feedback(request: Request, idempotency_key: str | None = _KEY) -> JSONResponse:
        """Send records to the raw topics, for the workers. Needs the role operator.

        The answer comes once Kafka has acknowledged them. After a 503 or a broken connection send the same request
        again: records with an `id`, or with the same `Idempotency-Key`, replace themselves.
        """
        user = require_role(request, "operator")
        records = records_of(await json_body(request, settings.max_body_bytes), settings.max_records)
        grant(request, len(records))
        keys.check(user.name, "feedback", idempotency_key, records)
        results = await service.send(records, user.name, idempotency_key, tracing.headers())
        count("feedback", results)
        return JSONResponse({"results": results}, 202)

    @router.post(
        "/hooks/{name}",
        status_code=202,
        tags=["feedback"],
        openapi_extra=operation("Anything", "SentOne", 202, {"detail": {"id": "1"}}, statuses=(*_USUAL, "403", "404")),
    )
    async def hook(name: str, request: Request, idempotency_key: str | None = _KEY) -> JSONResponse:
        """Send one record from a help desk's webhook, converted by the paths in `api.mappings`.

        One of `api.resolution_mappings` sends how a record was answered.

        Needs the role operator or webhook, or a signature if `api.webhook_signatures` has an entry for this webhook.
        """
        user = require_role(request, "operator", "webhook")
        body = await _webhook_body(request, settings, name, clock)
        # After the signature: strangers must not use up what the desk may send.
        grant(request, 1)
        keys.check(user.name, f"hooks/{name}", idempotency_key, body)
        if (mapping := settings.resolution_mappings.get(name)) is not None:
            return await _resolution(mapping, body, resolutions, user.name, clock)
        fields = service.mapped(name, body)
        (result,) = results = await service.send([fields], user.name, idempotency_key, tracing.headers())
        count("hooks", results)
        return JSONResponse(result, 422 if "error" in result else 202)

    @router.post(
        "/corrections",
        tags=["corrections"],
        openapi_extra=operation("Correction", "Corrected", 200, CORRECTION_EXAMPLE, statuses=(*_USUAL, "403", "404")),
    )
    async def corrections(request: Request) -> JSONResponse:
        """Correct the labels of an indexed record; `triage train --with-corrections` uses corrections.

        The last correction of a record counts. Needs the role operator.
        """
        user = require_role(request, "operator")
        grant(request, 1)
        return JSONResponse(await service.correct(await json_body(request, settings.max_body_bytes), user.name))

    @router.get("/about", tags=["enrich"])
    async def about() -> JSONResponse:
        """Return the current versions, labels, limits and webhooks."""
        return JSONResponse(service.about())

    return router


async def _resolution(
    mapping: dict[str, str], body: Any, sender: ResolutionSender | None, actor: str, clock: Clock
) -> JSONResponse:
    """Send the resolution in the body of a webhook. Raises Problem 422 for a body that is not a JSON object."""
    if not isinstance(body, dict):
        raise Problem(422, "not_an_object", "a webhook's body is a JSON object")
    (result,) = await send_resolutions(sender, [mapped(mapping, body)], actor, clock)
    return JSONResponse(result, 422 if "error" in result else 202)


async def _webhook_body(request: Request, settings: ApiSettings, name: str, clock: Clock) -> Any:
    """Return the decoded JSON of a webhook.

    Raises Problem for a body that is too large or not JSON, and 401 if the settings require a signature and it is
    missing or wrong.
    """
    limit = min(settings.max_body_bytes, _MAX_WEBHOOK_BYTES)
    body = await json_bytes(request, limit)
    signature = settings.webhook_signatures.get(name)
    if signature is not None:
        verify(signature, request.headers, body, clock.now_ms() / 1000)
    return decoded_json(body)
