"""Converts tasks in the form of STAR to playbooks, so that they are checked, drawn and ranked as playbooks."""

from collections.abc import Mapping

from triage.assist.playbooks.check import reach
from triage.assist.playbooks.model import Branch, Check, Playbook, Slot, Step, When
from triage.assist.policy.dialogues import Task, plain_action

_FINISH = "finished"
_REPLY, _MORE = "reply", "more"


def playbook_of_task(name: str, task: Task, version: str = "star") -> Playbook:
    """A playbook of one task, for agents, in English.

    Every sentence waits for the customer, look-ups are checks, and what the graph does not order may come at any time.
    A loop of the graph ends when the customer wants no more.
    """
    replies: dict[str, str] = {}
    for action, text in task.replies.items():
        replies.setdefault(plain_action(action), text)
    after = {
        plain_action(action): plain_action(following)
        for action, following in task.graph.items()
        if plain_action(following) in replies and plain_action(action) in replies
    }
    first = next((action for action in after if action not in after.values()), next(iter(replies)))
    ordered = [first, *(action for action in replies if action != first)]
    looping = _without_end(replies, after)
    reached = reach([first], {action: [following] for action, following in after.items()})
    steps = [
        _step(action, replies[action], after.get(action), action in looping, action not in reached)
        for action in ordered
    ]
    return Playbook(
        name=name,
        version=version,
        title={"en": name.replace("_", " ")},
        languages=["en"],
        bot=False,
        strict=False,
        slots={
            _REPLY: Slot(kind="text", title={"en": "reply"}),
            _MORE: Slot(kind="yes_no", title={"en": "more"}),
        },
        steps=[*steps, Step(name=_FINISH, end="resolved")],
    )


def _step(action: str, text: str, following: str | None, looping: bool, anytime: bool) -> Step:
    following = following or _FINISH
    ways: str | list[Branch] = following
    if looping:
        ways = [Branch(to=_FINISH, when=When(slot=_MORE, is_="no")), Branch(to=following)]
    if action == "query":
        return Step(name=action, check=Check(field=_REPLY), anytime=anytime, next=ways)
    said = {"en": text.replace("{", "[").replace("}", "]")[:1_000]}
    return Step(name=action, say=said, ask=_REPLY, anytime=anytime, next=ways)


def _without_end(replies: Mapping[str, str], after: Mapping[str, str]) -> set[str]:
    """Actions from which the graph never comes to an action that has none after it."""
    found = set()
    for action in replies:
        seen, here = set(), action
        while here in after and here not in seen:
            seen.add(here)
            here = after[here]
        if here in seen:
            found |= seen
    return found
