"""Scripted dialogues by other hands: the aims hold for all files of the folder `dialogues` together."""

from pathlib import Path

from conversing import make_conversations

from triage.assist.conversations.facts import facts_by_rules
from triage.assist.conversations.replay import read_dialogues, replay
from triage.config import RedactionSettings
from triage.redaction import Redactor

REDACTOR = Redactor(RedactionSettings())
FILES = sorted(
    path for path in (Path(__file__).parent / "dialogues").iterdir() if path.suffix in {".yaml", ".jsonl", ".bz2"}
)


def test_customers_of_other_hands_are_served_as_the_aims_say() -> None:
    dialogues = [each for path in FILES for each in read_dialogues(path)]
    assert dialogues
    assert len({each.id for each in dialogues}) == len(dialogues)
    found = replay(dialogues, make_conversations(), lambda text: facts_by_rules(text, REDACTOR))
    told = "\n".join(found.problems)
    assert found.wishes_met >= 0.98 * found.wishes, told
    assert found.needless <= 0.05 * found.led_by_bot, told
    assert found.never_answered == 0, told
