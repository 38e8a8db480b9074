"""The API as a help desk meets it: answers, errors, roles, limits."""

import asyncio
import json

import jsonschema
import pytest

from triage.schemas.json_schema import record_schema

pytestmark = pytest.mark.asyncio
VIEWER = "the-token-of-vera-0123"
TOKENS = [{"name": "olga", "role": "operator", "token": "the-token-of-olga-0123"}]
OTHER = {"name": "otto", "role": "operator", "token": "the-token-of-otto-0123"}


async def test_enrich_answers_in_order_with_an_error_in_place_of_each_bad_record(api):
    async with api() as served:
        answer = await served.post(
            "/v1/enrich",
            {"records": [{"text": "My parcel never came, mail jane@example.com", "id": "T1"}, {"text": " "}, 5,
                         {"text": "I love it", "channel": "review"}, {"text": "x", "channel": "mail"}]},
            token=VIEWER,
        )  # fmt: skip
        assert answer.status_code == 200
        results = answer.json()["results"]
        assert [next(iter(result)) for result in results] == ["record", "error", "error", "record", "error"]
        first = results[0]["record"]
        assert (first["event"]["id"], first["intent"]["label"]) == ("T1", "delivery")
        assert first["text"].endswith("[EMAIL]")
        assert results[3]["record"]["channel"] == "review"
        assert results[1]["error"] | {"message": ""} == {"code": "empty_text", "message": "", "field": "text"}
        assert [results[at]["error"]["code"] for at in (2, 4)] == ["not_an_object", "bad_channel"]
        assert served.sender.sent == []
        value = served.metrics.registry.get_sample_value
        assert value("triage_api_records_total", {"route": "enrich", "outcome": "refused"}) == 3
        assert value("triage_api_requests_total", {"route": "/v1/enrich", "status": "200"}) == 1


@pytest.mark.parametrize("route", ["/v1/enrich", "/v1/feedback"])
async def test_a_time_that_no_calendar_has_is_an_error_of_its_own_record(api, route):
    async with api() as served:
        times = ["9999-12-31T23:59:59-12:00", int("9" * 400), None]
        answer = await served.post(route, {"records": [{"text": "a", "created_at": each} for each in times]})
        assert answer.is_success
        results = answer.json()["results"]
        assert [result.get("error", {}).get("code") for result in results] == ["bad_created_at"] * 2 + [None]


async def test_what_is_enriched_fits_the_schema_of_the_topic(api):
    async with api() as served:
        answer = await served.post("/v1/enrich", {"records": [{"text": "late parcel", "rating": 2, "new": "x"}]})
        jsonschema.validate(answer.json()["results"][0]["record"], record_schema("enriched"))


async def test_requests_at_the_same_time_share_the_model(api):
    async with api() as served:
        many = [served.post("/v1/enrich", {"records": [{"text": f"text {n}"}]}) for n in range(20)]
        answers = await asyncio.gather(*many)
        texts = [answer.json()["results"][0]["record"]["text"] for answer in answers]
        assert texts == [f"text {n}" for n in range(20)]
        assert len(served.model.calls) < 10


async def test_feedback_is_acknowledged_with_ids_and_the_payload_is_the_record(api):
    async with api() as served:
        records = [{"text": "a", "id": "T1", "channel": "social"}, {"text": "b"}, {"text": ""}]
        answer = await served.post("/v1/feedback", {"records": records})
        assert answer.status_code == 202
        first, second, third = answer.json()["results"]
        assert first == {"id": "T1"}
        assert len(second["id"]) == 32
        assert third["error"]["code"] == "empty_text"
        assert [(each.channel, json.loads(each.payload)) for each in served.sender.sent] == [
            ("social", {"text": "a", "id": "T1"}),
            ("complaint", {"text": "b", "id": second["id"]}),
        ]


async def test_the_same_request_again_has_the_same_ids(api):
    async with api() as served:
        key, body = {"idempotency-key": "k1"}, {"records": [{"text": "a"}, {"text": "b"}]}
        first = (await served.post("/v1/feedback", body, **key)).json()["results"]
        again = (await served.post("/v1/feedback", body, **key)).json()["results"]
        other = (await served.post("/v1/feedback", body, **{"idempotency-key": "k2"})).json()["results"]
        without = (await served.post("/v1/feedback", body)).json()["results"]
        assert again == [{**result, "repeated": True} for result in first]
        assert len({each["id"] for each in [*first, *other, *without]}) == 6


async def test_an_idempotency_key_belongs_to_one_body_of_one_caller_and_route(api):
    mapping = {"api.mappings": {"desk": {"text": "text"}}, "api.tokens": [*TOKENS, OTHER]}
    async with api(**mapping) as served:
        key = {"idempotency-key": "k1"}
        assert (await served.post("/v1/feedback", {"records": [{"text": "a", "id": "1"}]}, **key)).status_code == 202
        # The order of fields is no difference.
        assert (await served.post("/v1/feedback", {"records": [{"id": "1", "text": "a"}]}, **key)).status_code == 202
        reused = await served.post("/v1/feedback", {"records": [{"text": "b", "id": "1"}]}, **key)
        assert (reused.status_code, reused.json()["error"]["code"]) == (422, "idempotency_key_reused")
        assert len(served.sender.sent) == 2
        assert (await served.post("/v1/hooks/desk", {"text": "c"}, **key)).status_code == 202
        assert (await served.post("/v1/hooks/desk", {"text": "d"}, **key)).status_code == 422
        other = await served.post("/v1/feedback", {"records": [{"text": "b"}]}, token=OTHER["token"], **key)
        assert other.status_code == 202
        served.clock.advance(24 * 3600)
        assert (await served.post("/v1/feedback", {"records": [{"text": "b"}]}, **key)).status_code == 202


async def test_a_header_that_is_too_long_is_an_error_of_the_usual_form(api):
    async with api() as served:
        refused = await served.post("/v1/feedback", {"records": [{"text": "a"}]}, **{"idempotency-key": "k" * 201})
        assert (refused.status_code, refused.json()["error"]["code"]) == (422, "bad_parameter")


async def test_a_webhook_is_mapped_by_its_paths(api):
    mapping = {
        "text": "detail.description | detail.subject", "id": "detail.id", "created_at": "detail.created_at",
        "author_id": "detail.requester_id", "source": '"zendesk"', "channel": '"complaint"', "brand": "detail.brand",
        "attributes.priority": "detail.priority", "language": "detail.tags.0",
    }  # fmt: skip
    async with api(**{"api.mappings": {"zendesk": mapping}}) as served:
        ticket = {"type": "ticket.created", "detail": {
            "id": "35436", "subject": "Help", "description": "", "priority": "urgent", "requester_id": 20978392,
            "created_at": "2026-11-22T09:00:00Z", "tags": ["en"], "requester_email": "jane@example.com"}}  # fmt: skip
        answer = await served.post("/v1/hooks/zendesk", ticket)
        assert (answer.status_code, answer.json()) == (202, {"id": "35436"})
        assert json.loads(served.sender.sent[0].payload) == {
            "text": "Help", "id": "35436", "created_at": "2026-11-22T09:00:00Z", "author_id": 20978392,
            "source": "zendesk", "attributes": {"priority": "urgent"}, "language": "en",
        }  # fmt: skip
        refused = await served.post("/v1/hooks/zendesk", {"detail": {"id": "1"}})
        assert (refused.status_code, refused.json()["error"]["code"]) == (422, "missing_text")
        assert (await served.post("/v1/hooks/freshdesk", ticket)).status_code == 404


@pytest.mark.parametrize("path", ["/v1/feedback", "/v1/hooks/a", "/v1/corrections"])
async def test_viewers_change_nothing(api, path):
    async with api() as served:
        answer = await served.post(path, {"records": [{"text": "a"}]}, token=VIEWER)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "viewers_may_not")


@pytest.mark.parametrize("token", [None, "the-token-of-nobody-99"])
async def test_without_a_known_token_nothing_is_answered_but_probes_and_the_description(api, token):
    async with api() as served:
        answer = await served.post("/v1/enrich", {"records": [{"text": "a"}]}, token=token)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        statuses = [(await served.client.get(path)).status_code for path in ("/live", "/ready", "/metrics", "/docs")]
        assert statuses == [200] * 4
        assert (await served.client.get("/v1/about")).status_code == 401
        assert served.model.calls == []


async def test_guessing_tokens_ends(api):
    async with api() as served:
        for number in range(5):
            guessed = await served.post("/v1/enrich", {}, token=f"a-wrong-token-012345{number}")
            assert guessed.status_code == 401
        limited = await served.post("/v1/enrich", {"records": [{"text": "a"}]})
        assert (limited.status_code, limited.json()["error"]["code"]) == (429, "too_many_tries")
        assert limited.headers["retry-after"] == "60"
        served.clock.advance(61)
        assert (await served.post("/v1/enrich", {"records": [{"text": "a"}]})).status_code == 200


@pytest.mark.parametrize(
    ("content", "kind", "status", "code"),
    [
        (b"{", "application/json", 400, "not_json"),
        (b"[" * 100_000, "application/json", 400, "not_json"),
        (b'{"records": [{"text": "a"}]}', "text/plain", 415, "not_json"),
        (b"[]", "application/json", 422, "no_records"),
        (b'{"records": []}', "application/json", 422, "no_records"),
        (b'{"records": {}}', "application/json", 422, "no_records"),
        (b'{"records": [1, 2, 3, 4]}', "application/json", 413, "too_many_records"),
        (b'"' + b"a" * 200_000 + b'"', "application/json", 413, "too_large"),
    ],
)
async def test_bodies_that_are_refused(api, content, kind, status, code):
    async with api(**{"api.max_records": 3, "api.max_body_bytes": 150_000}) as served:
        headers = {"authorization": f"Bearer {VIEWER}", "content-type": kind}
        answer = await served.client.post("/v1/enrich", content=content, headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


async def test_a_body_without_a_length_is_measured_as_it_comes(api):
    async with api(**{"api.max_body_bytes": 2_000}) as served:

        async def endless():
            for _ in range(1_000):
                yield b" " * 1_000

        headers = {"authorization": f"Bearer {VIEWER}", "content-type": "application/json"}
        answer = await served.client.post("/v1/enrich", content=endless(), headers=headers)
        assert answer.status_code == 413


async def test_each_caller_has_records_a_minute(api):
    async with api(**{"api.records_per_minute": 3}) as served:
        two = {"records": [{"text": "a"}, {"text": "b"}]}
        assert (await served.post("/v1/enrich", two)).status_code == 200
        limited = await served.post("/v1/enrich", two)
        assert limited.status_code == 429
        assert limited.headers["retry-after"] == "20"
        assert (await served.post("/v1/enrich", two, token=VIEWER)).status_code == 200
        served.clock.advance(20)
        assert (await served.post("/v1/enrich", two)).status_code == 200


async def test_kafka_away_is_said_without_its_address(api):
    async with api() as served:
        served.sender.away = True
        answer = await served.post("/v1/feedback", {"records": [{"text": "a"}]})
        assert answer.status_code == 503
        assert answer.headers["retry-after"]
        assert "secret-host" not in answer.text
        assert (await served.post("/v1/enrich", {"records": [{"text": "a"}]})).status_code == 200


async def test_wrong_paths_and_methods(api):
    async with api() as served:
        assert (await served.post("/v2/enrich", {})).json()["error"]["code"] == "no_such_path"
        headers = {"authorization": f"Bearer {VIEWER}"}
        assert (await served.client.get("/v1/enrich", headers=headers)).status_code == 405


async def test_the_description_names_every_route_and_its_references_lead_somewhere(api):
    async with api() as served:
        document = (await served.client.get("/openapi.json")).json()
        assert set(document["paths"]) == {
            "/v1/enrich",
            "/v1/feedback",
            "/v1/hooks/{name}",
            "/v1/corrections",
            "/v1/about",
            "/v1/answers",
            "/v1/guide",
            "/v1/resolutions",
            "/v1/conversations/{identity}",
            "/v1/conversations/{identity}/turns",
            "/v1/conversations/{identity}/{act}",
        }
        references = set()

        def walk(node):
            if isinstance(node, dict):
                references.update([node["$ref"]] if isinstance(node.get("$ref"), str) else [])
                node = list(node.values())
            for item in node if isinstance(node, list) else []:
                walk(item)

        walk(document)
        schemas = document["components"]["schemas"]
        assert references
        assert {reference.rpartition("/")[2] for reference in references} <= set(schemas)
        page = (await served.client.get("/docs")).text
        assert "https://" not in page, "the page needs nothing from elsewhere"
        assert (await served.client.get("/static-offline-docs/swagger-ui.css")).status_code == 200


async def test_a_correction_is_checked_before_anything_is_asked(api):
    async with api() as served:
        for body in ({}, {"record": "a"}, {"record": "a", "sentiment": "angry"}, {"record": "a", "x": 1}, [1]):
            answer = await served.post("/v1/corrections", body)
            assert (answer.status_code, answer.json()["error"]["code"]) == (422, "bad_correction")


async def test_a_failure_that_nobody_foresaw_is_answered_in_the_form_of_the_others(api, monkeypatch):
    async with api() as served:

        def broken(*arguments, **named):
            raise RuntimeError("a text of somebody")

        monkeypatch.setattr(served.sender, "send", broken)
        answer = await served.post("/v1/feedback", {"records": [{"text": "late", "id": "1"}]})
        assert answer.status_code == 500
        assert answer.json()["error"]["code"] == "internal_error"
        assert "somebody" not in answer.text
        assert answer.headers["x-content-type-options"] == "nosniff"
        value = served.metrics.registry.get_sample_value
        assert value("triage_api_requests_total", {"route": "/v1/feedback", "status": "500"}) == 1
