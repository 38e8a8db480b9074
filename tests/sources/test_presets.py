"""Each preset reads a small file in its source's form; the contents are invented."""

import json

import pytest

from triage.clock import rfc3339
from triage.errors import ConfigError
from triage.schemas.event_time import event_time_ms
from triage.sources.files import read_rows
from triage.sources.presets import preset_named, presets
from triage.types import Channel

AT = "2026-11-22T09:30:00.000Z"
JSON = {
    "appstore": {
        "type": "customerReviews", "id": "r-1",
        "attributes": {
            "rating": 1, "title": "Login", "body": "Never opens", "reviewerNickname": "anna",
            "createdDate": "2026-11-22T01:30:00-08:00", "territory": "USA",
        },
    },
    "x": {
        "created_at": "Sun Nov 22 09:30:00 +0000 2026", "id": 9007199254740993, "id_str": "9007199254740993",
        "full_text": "Never opens", "lang": "en", "user": {"id_str": "77", "screen_name": "anna"},
    },
    "reddit": {
        "name": "t3_abc", "id": "abc", "created_utc": 1795339800, "title": "Login", "selftext": "Never opens",
        "author": "anna", "subreddit": "acme", "permalink": "/r/acme/abc",
    },
}  # fmt: skip
TABLES = {
    "zendesk": "Id,Subject,Description,Status,Requester,Requester id,Created at\n"
    "r-1,Login,Never opens,open,Anna,77,2026-11-22 09:30:00 UTC\n",
    "freshdesk": "Ticket ID,Subject,Status,Description,Created time,Agent,Contact ID\n"
    "r-1,Login,Open,Never opens,2026-11-22 09:30:00,Ben,77\n",
    "intercom": "Conversation ID,Conversation started at (UTC),Initial message,User ID\n"
    "r-1,2026-11-22 09:30:00,Never opens,77\n",
    "googleplay": "Package Name,App Version Code,Reviewer Language,Device,Review Submit Date and Time,"
    "Review Submit Millis Since Epoch,Star Rating,Review Title,Review Text,Review Link\n"
    "com.acme,77,en,walleye,2026-11-22T09:30:00Z,1795339800000,1,,Never opens,r-1\n",
    "trustpilot": "Review Id,Review Created (UTC),Review Stars,Review Title,Review Content,Review Language\n"
    "r-1,2026-11-22 09:30:00,1,Login,Never opens,en\n",
    "cfpb": "Date received,Product,Issue,Consumer complaint narrative,Company,State,Complaint ID\n"
    "11/22/26,Mortgage,Trouble,Never opens,ACME BANK,TX,r-1\n",
    "jd": "评价ID,商品名称,评价内容,评分,评价时间,用户昵称\nr-1,手机,Never opens 打不开,1,2026-11-22 17:30:00,安娜\n",
    "taobao": "评价ID,宝贝标题,评价内容,评价时间,买家会员名\nr-1,手机,Never opens 打不开,2026/11/22 17:30,安娜\n",
}


def _read(tmp_path, name):
    if name in JSON:
        path, content = tmp_path / "export.jsonl", json.dumps(JSON[name]).encode() + b"\n"
    else:
        encoding = {"googleplay": "utf-16", "jd": "gb18030", "taobao": "gb18030", "zendesk": "utf-8-sig"}.get(
            name, "utf-8"
        )
        path, content = tmp_path / "export.csv", TABLES[name].encode(encoding)
    path.write_bytes(content)
    return list(read_rows(str(path), preset=preset_named(name)))


def test_every_preset_has_a_file():
    assert {*JSON, *TABLES} == {*presets()}


@pytest.mark.parametrize("name", presets())
def test_a_file_of_the_source_is_read(tmp_path, name):
    (row,) = _read(tmp_path, name)
    assert row.error is None, str(row.error)
    ids = {"x": "9007199254740993", "reddit": "t3_abc", "googleplay": "r-1"}
    assert row.record.text.startswith("Never opens")
    assert (row.record.id, row.record.source) == (ids.get(name, "r-1"), name)
    expected = "2026-11-22T05:00:00.000Z" if name == "cfpb" else AT
    assert rfc3339(event_time_ms(row.record.created_at)) == expected
    assert row.channel == preset_named(name).channel


@pytest.mark.parametrize("name", ["appstore", "googleplay", "trustpilot", "jd"])
def test_reviews_have_their_rating(tmp_path, name):
    (row,) = _read(tmp_path, name)
    assert (row.channel, row.record.rating) == (Channel.REVIEW, 1)


def test_an_unknown_preset_lists_all():
    with pytest.raises(ConfigError, match="--preset 'zendisk' is not known; there are: zendesk, freshdesk"):
        preset_named("zendisk")
