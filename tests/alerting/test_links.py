"""Links in notifications: signed, of one alert, action, receiver and role, with an end and an id of their own."""

import pytest

from triage.alerting.links import LINK_ACTIONS, ActionLinks, Link, LinkSigner
from triage.clock import ManualClock
from triage.config import Settings
from triage.errors import ConfigError

OLD, NEW = "o" * 32, "n" * 32
LINK = Link("id-1", "triage-1", "acknowledge", "slack", "operator", 1_795_340_000)


def links(**alerting):
    options = {"console_url": "https://console.example/x/", **alerting}
    return ActionLinks(Settings(alerting=options).alerting, ManualClock(1_795_339_800_000))


def test_without_a_key_there_are_no_links():
    assert links().of("triage-1", "slack") == []


def test_each_action_has_a_link_with_its_own_id_and_an_end():
    made = links(link_keys=NEW, link_hours=2, link_viewers=["slack"]).of("triage-1", "slack")
    assert [link.action for link in made] == list(LINK_ACTIONS)
    read = [LinkSigner([NEW]).read(link.url.removeprefix("https://console.example/x/act/")) for link in made]
    assert {(one.dedup_key, one.receiver, one.role, one.ends_s) for one in read} == {
        ("triage-1", "slack", "viewer", 1_795_347_000)
    }
    assert [one.action for one in read] == list(LINK_ACTIONS)
    assert len({one.id for one in read}) == len(LINK_ACTIONS)
    assert all(len(link.url) < 260 for link in made), "a robot's message has 4,096 bytes"


def test_the_first_key_signs_and_all_are_accepted():
    token = LinkSigner([OLD]).token(LINK)
    assert LinkSigner([NEW, OLD]).read(token) == LINK
    assert LinkSigner([NEW]).read(token) is None
    assert LinkSigner([NEW]).read(LinkSigner([NEW, OLD]).token(LINK)) == LINK


def test_what_was_changed_or_cut_off_is_no_link():
    signer = LinkSigner([NEW])
    token = signer.token(LINK)
    payload, _, signature = token.rpartition(".")
    other, _, _ = signer.token(Link("id-1", "triage-2", "silence", "slack", "operator", 2**31)).rpartition(".")
    for changed in ("", ".", token[:-1], token + "A", f"{other}.{signature}", payload, "ü" * 40, "A" * 5_000):
        assert signer.read(changed) is None


@pytest.mark.parametrize(
    ("keys", "said"),
    [("short", "key 1 of 1: fewer than 32"), (f"{NEW},short", "key 2 of 2: fewer than 32"), (f"{NEW},", "key 2 of 2")],
)
def test_keys_have_a_least_length(keys, said):
    from triage.config import load_settings

    with pytest.raises(ConfigError, match=said) as caught:
        load_settings(None, {"alerting.link_keys": keys})
    assert NEW not in str(caught.value)
