"""`POST /v1/answers`: questions of every form, and dependencies that fail."""

import pytest
from small_encoder import SmallEncoder

from triage.assist.answers.model import Answer
from triage.clock import ManualClock
from triage.config import RedactionSettings
from triage.errors import Unavailable
from triage.metrics import Metrics
from triage.redaction import Redactor
from triage.schemas.knowledge import pack_vector
from triage.serving import answers
from triage.serving.answers import AnswerService

pytestmark = pytest.mark.asyncio
ENCODER = SmallEncoder()


class Answerer:
    """Keeps what it is asked."""

    def __init__(self, error=None):
        self.asked, self.error = [], error

    def answer(self, question, text, intent=None):
        if self.error:
            raise self.error
        self.asked.append((question, text))
        return Answer(
            answered=False, confidence=0.1, language="en", answer=[], ranking=[], cases=[], why_not="not_sure"
        )  # fmt: skip


@pytest.fixture
def noted(monkeypatch):
    found = []
    monkeypatch.setattr(answers, "store_unanswered", lambda client, settings, question: found.append(question))
    return found


@pytest.fixture
def answering(api, noted):
    def build(error=None, **conversations):
        answerer = Answerer(error)
        service = AnswerService(
            answerer, None, None, Metrics(), Redactor(RedactionSettings()), ManualClock(0), conversations.get, ENCODER
        )
        made = api(answers=service)
        made.answerer = answerer
        return made

    return build


@pytest.mark.parametrize("token", ["the-token-of-olga-0123", "the-token-of-vera-0123"])
async def test_a_question_is_answered_for_viewers_and_operators(answering, token):
    async with answering() as api:
        response = await api.post("/v1/answers", {"question": "Where is my parcel?", "k": 1}, token)
        assert (response.status_code, response.json()["why_not"]) == (200, "not_sure")
        ((question, text),) = api.answerer.asked
        assert (text, question.audience, question.k) == ("Where is my parcel?", "public", 1)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ([], "the body is an object"),
        ({}, "it has none of them"),
        ({"question": "a", "record": "b"}, "it has question and record"),
        ({"question": 7}, "Expected `str"),
        ({"question": "a", "audience": "all"}, "audience"),
        ({"question": "a", "k": 0}, "k is 0; it is 1 to 50"),
        ({"question": "a", "kk": 1}, "kk"),
        ({"question": "a" * 20_001}, "20001 characters; 20000 at most"),
    ],
)
async def test_questions_of_another_form_are_refused(answering, body, said):
    async with answering() as api:
        response = await api.post("/v1/answers", body)
        assert response.status_code == 422
        assert said in response.json()["error"]["message"]


async def test_conversations(answering):
    async with answering(c1="and where is it now?") as api:
        assert (await api.post("/v1/answers", {"conversation": "c2"})).status_code == 404
        assert (await api.post("/v1/answers", {"conversation": "c1"})).status_code == 200
        assert api.answerer.asked[0][1] == "and where is it now?"


async def test_without_elasticsearch_the_caller_may_try_again(answering):
    async with answering(Unavailable("elasticsearch", "no node at secret-host:9200")) as api:
        response = await api.post("/v1/answers", {"question": "Where?"})
        assert (response.status_code, response.headers["retry-after"]) == (503, "5")
        assert "secret-host" not in response.text


async def test_others_may_not_ask_and_a_process_without_knowledge_says_so(api):
    async with api() as made:
        assert (await made.post("/v1/answers", {"question": "a"}, "the-token-of-desk-0123")).status_code == 403
        response = await made.post("/v1/answers", {"question": "a"})
        assert (response.status_code, response.json()["error"]["code"]) == (404, "no_answers")


async def test_what_is_not_found_is_kept_redacted(answering, noted):
    async with answering() as api:
        await api.post("/v1/answers", {"question": "Is jane.miller@example.com a customer?"})
        (question,) = noted
        assert (question.text, question.why_not) == ("Is [EMAIL] a customer?", "not_sure")
        # The vector is made of what was kept: nothing of the address may be in it.
        assert (question.encoder, question.exact) == (
            ENCODER.version,
            pack_vector(ENCODER.encode_questions(["Is [EMAIL] a customer?"])[0]),
        )
