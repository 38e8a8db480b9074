"""Webhooks: what their role may do, and signatures of desks."""

import base64
import hashlib
import hmac
import json

import pytest

from triage.config import load_settings
from triage.errors import ConfigError

pytestmark = pytest.mark.asyncio
OPERATOR, WEBHOOK = "the-token-of-olga-0123", "the-token-of-desk-0123"
SECRET = "a-secret-of-the-desk-0123"
TICKET = json.dumps({"text": "late parcel", "id": "1"}).encode()
NOW = "2026-11-22T09:30:00Z"  # the time of the API's clock


def _settings(scheme):
    return {
        "api.mappings": {"desk": {"text": "text", "id": "id"}, "other": {"text": "text"}},
        "api.webhook_signatures": {"desk": {"scheme": scheme, "secret": SECRET}},
    }


def _signed(scheme, body=TICKET, secret=SECRET, timestamp=NOW):
    if scheme == "github":
        return {"x-hub-signature-256": f"sha256={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"}
    digest = hmac.new(secret.encode(), timestamp.encode() + body, hashlib.sha256).digest()
    return {
        "x-zendesk-webhook-signature": base64.b64encode(digest).decode(),
        "x-zendesk-webhook-signature-timestamp": timestamp,
    }


async def _deliver(served, headers, body=TICKET, name="desk"):
    headers = {"content-type": "application/json", **headers}
    return await served.client.post(f"/v1/hooks/{name}", content=body, headers=headers)


async def test_the_role_of_webhooks_sends_webhooks_and_nothing_else(api):
    async with api(**{"api.mappings": {"desk": {"text": "text"}}}) as served:
        assert (await served.post("/v1/hooks/desk", {"text": "late"}, token=WEBHOOK)).status_code == 202
        for path in ("/v1/corrections", "/v1/feedback", "/v1/enrich"):
            refused = await served.post(path, {"records": [{"text": "a"}]}, token=WEBHOOK)
            assert (refused.status_code, refused.json()["error"]["code"]) == (403, "webhooks_may_not")
        about = await served.client.get("/v1/about", headers={"authorization": f"Bearer {WEBHOOK}"})
        assert about.status_code == 403


@pytest.mark.parametrize("scheme", ["zendesk", "github"])
async def test_a_signature_stands_for_a_token(api, scheme):
    async with api(**_settings(scheme)) as served:
        assert (await _deliver(served, _signed(scheme))).json() == {"id": "1"}
        assert len(served.sender.sent) == 1


@pytest.mark.parametrize("scheme", ["zendesk", "github"])
async def test_what_the_desk_did_not_sign_is_refused_with_a_token_too(api, scheme):
    async with api(**_settings(scheme)) as served:
        wrong = [
            {},
            _signed(scheme, secret="another-secret-0123456"),
            _signed(scheme, body=TICKET + b" "),
            dict.fromkeys(_signed(scheme), ""),
            dict.fromkeys(_signed(scheme), "é".encode()),
            {name: value[:-4] for name, value in _signed(scheme).items()},
        ]
        for headers in wrong:
            for bearer in ({}, {"authorization": f"Bearer {OPERATOR}"}):
                refused = await _deliver(served, {**headers, **bearer})
                assert (refused.status_code, refused.json()["error"]["code"]) == (401, "bad_signature")
        assert served.sender.sent == []


@pytest.mark.parametrize("timestamp", ["2026-11-22T09:24:59Z", "2026-11-22T09:35:01Z", "0001-01-01T00:00:00", "soon"])
async def test_a_signature_of_another_time_is_refused(api, timestamp):
    async with api(**_settings("zendesk")) as served:
        refused = await _deliver(served, _signed("zendesk", timestamp=timestamp))
        assert (refused.status_code, refused.json()["error"]["code"]) == (401, "bad_signature")


async def test_a_signature_opens_its_own_webhook_only(api):
    async with api(**_settings("github")) as served:
        for name in ("other", "none", "desk/../corrections", ""):
            assert (await _deliver(served, _signed("github"), name=name)).status_code == 401
        headers = {"content-type": "application/json", **_signed("github")}
        assert (await served.client.post("/v1/corrections", content=TICKET, headers=headers)).status_code == 401


async def test_strangers_do_not_use_up_what_the_desk_may_send(api):
    async with api(**_settings("github"), **{"api.records_per_minute": 3}) as served:
        for _ in range(10):
            assert (await _deliver(served, {})).status_code == 401
        assert (await _deliver(served, _signed("github"))).status_code == 202


async def test_an_unsigned_body_has_a_small_limit(api):
    async with api(**_settings("github")) as served:
        assert (await _deliver(served, {}, body=b'"' + b"a" * 300_000 + b'"')).status_code == 413


async def test_settings_that_do_not_fit():
    with pytest.raises(ConfigError, match=r"webhook_signatures\.desk: mappings has no desk"):
        load_settings(None, {"api.webhook_signatures": {"desk": {"scheme": "github", "secret": SECRET}}})
    with pytest.raises(ConfigError, match="fewer than 16 characters"):
        load_settings(None, {"api.webhook_signatures": {"desk": {"scheme": "github", "secret": "short"}}})
    with pytest.raises(ConfigError, match=r"the role webhook is for api\.tokens only"):
        load_settings(None, {"console.tokens": [{"name": "a", "role": "webhook", "token": WEBHOOK}]})
