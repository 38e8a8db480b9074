"""Playbooks drawn as text, for Mermaid and for Graphviz."""

import pytest

from triage.assist.playbooks.graph import drawn
from triage.assist.playbooks.loader import load_playbooks

REFUND = load_playbooks().by_name["refund"]


def test_text_names_steps_conditions_and_ends() -> None:
    lines = drawn(REFUND).splitlines()
    assert lines[0] == f"{REFUND.label} (service)"
    assert "  ask_order: ask order_id" in lines
    assert "    -> explain_faulty if reason is damaged" in lines
    assert "  person: hand off (playbook)" in lines


@pytest.mark.parametrize("form", ["mermaid", "dot"])
def test_every_step_and_every_way_is_drawn(form: str) -> None:
    text = drawn(REFUND, form)
    arrows = sum(len(step.branches()) for step in REFUND.steps)
    assert text.count("-->" if form == "mermaid" else " -> ") == arrows
    assert all(step.name in text for step in REFUND.steps)


def test_quotes_in_names_do_not_break_the_drawing() -> None:
    import msgspec

    step = msgspec.structs.replace(REFUND.steps[-1], name='a "b" <c> \\')
    odd = msgspec.structs.replace(REFUND, steps=[step])
    assert 'a \\"b\\" <c> \\\\' in drawn(odd, "dot")
    assert "a &quot;b&quot; &lt;c&gt;" in drawn(odd, "mermaid")
