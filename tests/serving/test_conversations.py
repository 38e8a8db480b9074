"""Conversations over HTTP: turns, acts, and what is refused."""

import asyncio

import jsonschema
import pytest

from triage.errors import Unavailable

VIEWER = "the-token-of-vera-0123"
OLGA = {"authorization": "Bearer the-token-of-olga-0123"}
WHERE = "/v1/conversations/c-1/turns"


def turn(number, text, who="customer", **fields):
    return {"turn": number, "from": who, "text": text, **fields}


def test_a_conversation_from_the_first_turn_to_a_person_and_the_end(api):
    async def go():
        async with api() as one:
            first = (await one.post(WHERE, turn(1, "I want a refund", author_id="anna", source="chat"))).json()
            assert (first["turn"], first["state"], first["ask"], first["suggestions"]) == (1, "bot", "order_id", [])
            assert (await one.post(WHERE, turn(1, "I want a refund"))).json() == first
            handed = (await one.post(WHERE, turn(2, "mail me at li@example.com, a human please"))).json()
            assert (handed["state"], handed["handoff"]["reason"]) == ("waiting", "asked_for_person")
            assert "li@example.com" not in str(handed)
            assert [each["step"] for each in handed["suggestions"]] == ["ask_reason", "ask_order"]
            agent = (await one.post(WHERE, turn(3, "Which order is it?", "agent", step="ask_order"))).json()
            assert (agent["state"], agent["say"]) == ("human", [])
            stored = (await one.client.get("/v1/conversations/c-1", headers=OLGA)).json()
            assert (stored["taken_by"], stored["author_id"][:3], "playbook_source" in stored) == ("olga", "v1:", False)
            assert "li@example.com" not in str(stored)
            closed = (await one.post("/v1/conversations/c-1/close", {"outcome": "refunded"})).json()
            assert closed == {"id": "c-1", "state": "closed", "outcome": "refunded"}
            late = await one.post(WHERE, turn(4, "hello"))
            assert (late.status_code, late.json()["error"]["code"]) == (409, "conversation_closed")

    asyncio.run(go())


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        (WHERE, turn(2, "x"), 404, "no_such_conversation"),
        (WHERE, turn(0, "x"), 422, "bad_turn"),
        (WHERE, turn(1, " "), 422, "no_text"),
        (WHERE, turn(1, "x" * 5_000), 422, "text_too_long"),
        (WHERE, turn(1, "x", "bot"), 422, "bad_turn"),
        (WHERE, {"turn": 1}, 422, "bad_turn"),
        (WHERE, turn(1, "x", other=1), 422, "bad_turn"),
        ("/v1/conversations/..a/turns", turn(1, "x"), 422, "bad_conversation"),
        ("/v1/conversations/c-1/dance", {}, 404, "no_such_path"),
        ("/v1/conversations/c-1/close", {"outcome": ""}, 422, "bad_act"),
        ("/v1/conversations/c-1/close", {}, 404, "no_such_conversation"),
    ],
)  # fmt: skip
def test_what_is_refused_says_why(api, path, body, status, code):
    async def go():
        async with api() as one:
            answer = await one.post(path, body)
            assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)

    asyncio.run(go())


def test_viewers_and_strangers_may_not(api):
    async def go():
        async with api() as one:
            for path in (WHERE, "/v1/conversations/c-1/close"):
                assert (await one.post(path, turn(1, "x"), VIEWER)).status_code == 403
                assert (await one.post(path, turn(1, "x"), None)).status_code == 401

    asyncio.run(go())


def test_many_at_once_with_one_number_one_is_taken(api):
    async def go():
        async with api() as one:
            texts = ["I want a refund", "my parcel is late"] * 5
            answers = await asyncio.gather(*(one.post(WHERE, turn(1, text)) for text in texts))
            taken = {answer.text for answer in answers if answer.status_code == 200}
            assert len(taken) == 1
            assert {answer.status_code for answer in answers} == {200, 409}
            assert len(one.store.read("c-1").turns) == 1

    asyncio.run(go())


def test_without_a_store_the_caller_is_told_to_try_again(api):
    async def go():
        async with api() as one:

            def away(identity):
                raise Unavailable("elasticsearch", "no node at secret-host answers")

            one.store.read = away
            answer = await one.post(WHERE, turn(1, "x"))
            assert (answer.status_code, answer.json()["error"]["code"]) == (503, "unavailable")
            assert "secret-host" not in answer.text

    asyncio.run(go())


def test_who_waits_is_counted_and_silence_closes(api):
    async def go():
        async with api() as one:
            await one.post(WHERE, turn(1, "a human please"))
            await one.post("/v1/conversations/c-2/turns", turn(1, "I want a refund"))
            one.clock.advance(61 * 60)
            one.app.state.conversations.look()
            value = one.metrics.registry.get_sample_value
            assert value("triage_conversations_waiting") == 1
            assert value("triage_conversations_longest_wait_seconds") == 61 * 60
            assert one.store.read("c-2").outcome == "timed_out"

    asyncio.run(go())


def test_answers_are_as_openapi_says(api):
    async def go():
        async with api() as one:
            answer = (await one.post(WHERE, turn(1, "a human please"))).json()
            document = (await one.client.get("/openapi.json")).json()
            schema = {**document["components"]["schemas"]["Answer"], "components": document["components"]}
            jsonschema.validate(answer, schema)

    asyncio.run(go())
