"""Content: what a page says, whoever receives it."""

import shlex
from dataclasses import replace

import pytest
from pages import alert, page

from triage.alerting.lifecycle.silences import matches, parse_matchers
from triage.alerting.links import ActionLink
from triage.alerting.notifiers.content import compose, cut_bytes
from triage.alerting.notifiers.html import html
from triage.alerting.notifiers.text import markdown, plain
from triage.alerting.wording import wording_for
from triage.clock import parse_rfc3339
from triage.schemas.alert import HistoryEntry, Share

ENGLISH = wording_for("en")


def test_a_page_answers_what_one_asks_at_night():
    content = compose(page(), ENGLISH)
    assert content.title == "Acme · delivery complaints 4.2× expected — 44 of 48 negative in 1 h"
    assert content.lines == (("seen in the last 2 h", "▃▂▁▂▂▃▁▂▂▁▂▂▁▃▂▂▄▆██▇▆▅▆"), ("expected", "▂" * 24))
    assert content.unusual == (
        ("Named more than usual", ("FastShip 31 (usually 8.2)", "Leipzig 12 (usually 0.6)")),
        ("Words more than usual", ("flooding 17 (usually 0)", "stuck 14 (usually 1.2)")),
    )
    assert content.steps == ENGLISH.first_steps("delivery")
    assert len(content.examples) == 3
    assert [name for name, _ in content.links] == ["Runbook", "Console", "Kibana"]
    assert "critical · intent-negative-spike · triage-0123" in content.footer


def test_what_is_only_frequent_is_not_called_unusual():
    content = compose(page(top_entities=[Share("FastShip", 31)], top_words=[]), ENGLISH)
    assert content.unusual == (("Most often named", ("FastShip 31",)),)


def test_first_steps_are_those_of_the_intent_that_stands_out():
    standing_out = page(dimensions={"brand": "Acme"}, top_intents=[Share("payment", 20, 2.0)])
    assert compose(standing_out, ENGLISH).steps == ENGLISH.first_steps("payment")
    frequent = page(dimensions={"brand": "Acme"}, top_intents=[Share("payment", 20)])
    assert compose(frequent, ENGLISH).steps == ENGLISH.first_steps(None)


@pytest.mark.parametrize("dimensions", [{"brand": "O'Neil & Söhne", "intent": "delivery"}, {"region": "a=b"}])
def test_commands_can_be_pasted_and_mute_this_alert(dimensions):
    (_, acknowledge), (_, silence) = compose(page(dimensions=dimensions), ENGLISH).commands
    assert acknowledge == f"triage alerts ack {alert().dedup_key}"
    words = shlex.split(silence)
    assert words[:4] == ["triage", "alerts", "silence", "add"]
    matchers = parse_matchers(words[at + 1] for at, word in enumerate(words) if word == "--match")
    assert matches(matchers, {**dimensions, "rule": "r", "severity": "critical"})
    assert words[-2:] == ["--for", "2h"]


def test_an_alert_on_everything_is_silenced_by_its_rule():
    (_, _), (_, silence) = compose(page(dimensions={}), ENGLISH).commands
    assert silence == "triage alerts silence add --match rule=intent-negative-spike --for 2h"


def test_repeats_acknowledgements_and_groups_say_so_in_the_title():
    assert compose(page(repeat=True), ENGLISH).title.startswith("Still firing after 40 min: Acme · delivery")
    acknowledged = compose(page("acknowledged"), ENGLISH)
    assert acknowledged.title.startswith("Acknowledged by ann: Acme · delivery")
    assert (acknowledged.examples, acknowledged.steps, acknowledged.commands) == ((), (), ())
    together = compose(page(also=(alert(title="Acme · billing complaints"),)), ENGLISH)
    assert together.title.endswith("in 1 h (+1 more)")
    assert together.also == ("Acme · billing complaints",)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_resolve_is_short(language):
    content = compose(page("resolved", resent=True), wording_for(language))
    assert (content.examples, content.steps, content.unusual, content.lines, content.commands) == ((), (), (), (), ())
    assert wording_for(language).sent_again in content.footer
    assert len(plain(content, wording_for(language))) < 900


def test_plain_text_has_it_all():
    text = plain(compose(page(), ENGLISH), ENGLISH)
    for part in (
        "4.2× expected", "about 10 were expected", "█", "FastShip 31 (usually 8.2)", "1. Check the carriers'",
        "> Five days late", "https://kibana.example", "triage alerts ack triage-0123", "silence add",
    ):  # fmt: skip
        assert part in text, part


def test_html_escapes_what_people_write():
    text = html(compose(page(), ENGLISH), ENGLISH, "cid:chart")
    assert "<!channel>" not in text
    assert "&lt;!channel&gt;" in text
    assert '<img src="cid:chart"' in text
    assert 'lang="en"' in text


def test_markdown_drops_the_least_useful_first_and_never_exceeds_its_limit():
    content = compose(page(), ENGLISH)
    whole = markdown(content, ENGLISH, 18_000)
    assert "［click］(https://phish.example)" in whole, "a customer's text makes no link"
    assert "＜!channel＞" in whole
    small = markdown(content, ENGLISH, 1_200)
    assert len(small.encode()) <= 1_200
    assert "[Console](https://console.example" in small
    assert "Five days late" not in small
    for limit in range(100, 2_000, 37):
        assert len(markdown(content, ENGLISH, limit).encode()) <= limit


def test_bytes_are_cut_between_characters():
    assert cut_bytes("快递没到", 9) == "快递…"
    assert cut_bytes("abc", 3) == "abc"


def test_a_page_says_how_late_it_is_and_whether_the_alert_still_lasts():
    told_ms = parse_rfc3339("2026-11-22T21:31:00.000Z")
    late = replace(page(), told_ms=told_ms)
    assert compose(late, ENGLISH).summary.endswith(
        "Told at 2026-11-22 21:31 UTC, 11 h 26 min after it began; it still fires."
    )
    over = replace(late, over_since="2026-11-22T12:10:00.000Z")
    assert "11 h 26 min after it began; it is over since 2026-11-22 12:10 UTC." in compose(over, ENGLISH).summary
    assert "已于 2026-11-22 20:10 UTC+8 (12:10 UTC) 结束" in compose(over, wording_for("zh", "Asia/Shanghai")).summary
    assert "Told at" not in compose(replace(late, repeat=True), ENGLISH).summary, "it was told before"
    assert "Told at" not in compose(replace(page("resolved"), told_ms=told_ms), ENGLISH).summary


def test_examples_name_their_window():
    content = compose(page(examples_end="2026-11-22T10:30:00.000Z"), ENGLISH)
    assert content.examples_label == "What people write, 09:30–10:30 UTC"
    assert content.examples_label in plain(content, ENGLISH)
    assert compose(page(), ENGLISH).examples_label == "What people write"


@pytest.mark.parametrize(
    ("fields", "title", "said"),
    [
        ({"action": "comment", "comment": "the depot is flooded"}, "Kim comments: Acme", "Kim: the depot is flooded"),
        ({"action": "assign", "to": "Lee"}, "Kim assigns it to Lee: Acme", ""),
        ({"action": "assign", "to": ""}, "Kim ends the assignment: Acme", ""),
        ({"action": "unacknowledge"}, "Kim no longer takes care of it: Acme", ""),
    ],
)
def test_a_note_says_who_did_what(fields, title, said):
    entry = HistoryEntry(id="1", by="Kim", at="2026-11-22T10:50:00.000Z", **fields)
    content = compose(page("note", history=[entry]), ENGLISH)
    assert content.title.startswith(title)
    assert content.summary.startswith(said or "44 of 48")
    assert not content.commands
    assert not content.steps


def test_links_by_which_readers_act_are_in_every_form():
    links = [ActionLink("acknowledge", "https://c.example/act/a"), ActionLink("false", "https://c.example/act/f")]
    content = compose(page(), ENGLISH, links)
    assert content.actions == (
        ("Acknowledge", "https://c.example/act/a"), ("False alarm", "https://c.example/act/f")
    )  # fmt: skip
    assert "Acknowledge: https://c.example/act/a\n" in plain(content, ENGLISH)
    assert "[Acknowledge](https://c.example/act/a)" in markdown(content, ENGLISH, 18_000)
    assert '<a href="https://c.example/act/a"' in html(content, ENGLISH, None)
    assert compose(page("resolved"), ENGLISH, links).actions == ()
