"""The route that answers questions with evidence."""

from fastapi import APIRouter, Request, Response

from triage.config import ApiSettings
from triage.serving.allowance import Allowance
from triage.serving.answers import AnswerService
from triage.serving.answers_openapi import QUESTION_EXAMPLE
from triage.serving.auth import require_role
from triage.serving.body import json_body
from triage.serving.openapi import operation
from triage.web.problem import Problem

_STATUSES = ("400", "401", "403", "404", "413", "415", "422", "429", "503")


def build_answer_routes(answers: AnswerService | None, settings: ApiSettings, allowance: Allowance) -> APIRouter:
    """Build the route `POST /v1/answers`; without `answers` it refuses questions."""
    router = APIRouter(prefix="/v1")

    @router.post(
        "/answers",
        tags=["answers"],
        openapi_extra=operation("Question", "Evidence", 200, QUESTION_EXAMPLE, statuses=_STATUSES),
    )
    async def answer(request: Request) -> Response:
        """Find evidence for a question, a record or a conversation: parts of articles, word for word, with source.

        `answered` is false, with `why_not`, where the best article is probably not the answer. With `audience` public,
        no internal article and no resolved case is ever returned. Needs the role viewer or operator.
        """
        require_role(request, "viewer", "operator")
        body = await json_body(request, settings.max_body_bytes)
        allowance.grant(request, 1)
        if answers is None:
            raise Problem(404, "no_answers", "this process has no knowledge to answer from")
        return Response(await answers.answer(body), media_type="application/json")

    return router
