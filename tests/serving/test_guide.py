"""`POST /v1/guide`: advice, the state that comes back, and requests of other forms."""

import guides
import pytest

from triage.config import load_settings
from triage.serving.guide_routes import guide_request_of
from triage.web.problem import Problem

pytestmark = pytest.mark.asyncio


@pytest.fixture
def advising(api):
    def build(guide=True):
        return api(guide=guides.adviser().advise if guide else None)

    return build


async def test_advice_with_the_next_question_and_its_answer(advising):
    async with advising() as api:
        first = (await api.post("/v1/guide", {"text": "I need a phone"})).json()
        assert (first["fits"], len(first["results"])) == (10, 3)
        option = first["ask"]["options"][0]
        answer = {"text": option["label"], "language": "en", "state": first["state"], "k": 1}
        second = (await api.post("/v1/guide", answer)).json()
        assert second["fits"] == option["items"]
        assert second["results"][0]["passage"].endswith("#en")


async def test_without_a_guide_it_is_not_found(advising):
    async with advising(guide=False) as api:
        response = await api.post("/v1/guide", {"text": "a phone"})
        assert (response.status_code, response.json()["error"]["code"]) == (404, "no_guide")
        assert (await api.post("/v1/guide", {"text": "a phone"}, None)).status_code == 401


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ([], "the body is an object"),
        ({}, "text"),
        ({"text": 1}, "text"),
        ({"text": "a", "k": 0}, "k is 0"),
        ({"text": "a", "language": "fr"}, "language is 'fr'"),
        ({"text": "a", "langage": "en"}, "langage"),
        ({"text": "x" * 20_001}, "20001 characters"),
        ({"text": "a", "state": {"constraints": [{"name": "a", "op": "like"}]}}, "op"),
        ({"text": "a", "state": {"asked": ["x"] * 51}}, "more than 50"),
    ],
)
async def test_other_requests_are_refused(body, said):
    with pytest.raises(Problem) as refused:
        guide_request_of(body)
    assert said in str(refused.value)


async def test_settings_allow_at_most_three_questions():
    assert load_settings(None, {}).guide.questions == 3
