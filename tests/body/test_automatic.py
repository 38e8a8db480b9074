"""Programs are told from people."""

import re

import pytest

from triage.body.automatic import is_automatic
from triage.patterns import load_patterns


@pytest.mark.parametrize(
    "text",
    [
        "Automatic reply: I am away until 2 December.",
        "Out of Office: back on Monday",
        "I am currently out of the office until Monday and will read your mail then.",
        "Undelivered Mail Returned to Sender",
        "Delivery Status Notification (Failure)",
        "Dear customer, this is an automated message.",
        "Subject: Automatische Antwort: Ihre Anfrage",
        "Réponse automatique : je suis absente",
        "Respuesta automática: estaré ausente",
        "【自动回复】您好，您的邮件我已收到，我会尽快回复。",
        "自動返信：不在にしております",
        "Your one-time code is 123456.",
        "Accepted: Meeting @ Tue Nov 24",
    ],
)
def test_programs(text):
    assert is_automatic(text)


@pytest.mark.parametrize(
    "text",
    [
        "All I ever get is your automatic reply. Nobody answers.",
        "My mail came back as undeliverable, please sort it out!",
        "I am on annual leave from Monday, please deliver the table before that.",
        "I never got a verification code, why?",
        "Your ticket number is 4711, I called twice and nobody answers, I want my money back.",
        "你们只会自动回复，三天了没有一个真人，太差劲",
        "我出差回来才发现东西坏了，要求退款",
        "Delivery was late and the driver rude.",
        "Automatic doors of the fridge do not close.",
        "Read: the manual is wrong. Why is my fridge warm?",
        "Unsubscribe me",
    ],
)
def test_people(text):
    assert not is_automatic(text)


def test_every_sentence_holds_a_cue():
    """Texts without a cue are not searched: a sentence that holds none would never be found."""
    patterns = load_patterns("triage.body.patterns", "automatic")
    for sentence in patterns["sentences"]:
        # The literal characters of the expression, in all readings of its groups.
        letters = re.sub(r"\\[bdsSwW]|[?+*^$]|\{\d+,?\d*\}", "", sentence).lower()
        readings = re.sub(r"\s+", " ", re.sub(r"[()\[\]|:\\]", " ", letters))
        assert any(cue.strip() in readings or cue in letters for cue in patterns["cues"]), sentence
