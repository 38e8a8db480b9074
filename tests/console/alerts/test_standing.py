"""Alerts that need somebody look otherwise than those that somebody takes care of, or that are muted."""

import pytest

from triage.clock import rfc3339
from triage.console.alerts.fragments import alert_cards
from triage.console.alerts.standing import standing_of
from triage.schemas.action import Matcher, Silence
from triage.schemas.alert import Acknowledgement, Assignment
from triage.translations import translations_for

NOW = 1_795_339_800_000
KIM = Acknowledgement("Kim", rfc3339(NOW - 60_000), "on it")
SILENCE = Silence(id="s", actor="Lee", at_ms=0, matchers=[Matcher("intent", "delivery")], until_ms=NOW + 1)
LATER, BEFORE = rfc3339(NOW + 1), rfc3339(NOW)


@pytest.mark.parametrize(
    ("fields", "silences", "standing"),
    [
        ({}, [], "firing"),
        ({"acknowledged": KIM}, [], "acknowledged"),
        ({"acknowledged": KIM, "snoozed": KIM, "snoozed_until": LATER}, [], "snoozed"),
        ({"snoozed": KIM, "snoozed_until": BEFORE}, [], "firing"),
        ({"acknowledged": KIM}, [SILENCE], "silenced"),
        ({"dimensions": {"intent": "billing"}}, [SILENCE], "firing"),
        ({"status": "resolved", "acknowledged": KIM}, [SILENCE], "resolved"),
    ],
)
def test_the_standing_of_an_alert(make_alert, fields, silences, standing):
    alert = make_alert(**fields)
    assert standing_of(alert, silences, NOW) == standing
    card = alert_cards([alert], NOW, translations_for("en"), silences)
    assert f'<li class="alert {standing}">' in card


def test_a_card_says_who_takes_care_of_it_and_until_when_it_is_snoozed(make_alert):
    alert = make_alert(
        acknowledged=KIM, snoozed=KIM, snoozed_until=LATER, assigned=Assignment("Lee", "Kim", rfc3339(NOW))
    )
    card = alert_cards([alert], NOW, translations_for("en"))
    assert "Acknowledged by Kim at 2026-11-22 09:29 UTC: on it" in card
    assert "Assigned to Lee, by Kim" in card
    assert "Snoozed by Kim at 2026-11-22 09:29 UTC: on it, until 2026-11-22 09:30 UTC" in card
