"""Draws a playbook's steps: as text, for Mermaid, or for Graphviz (DOT)."""

from collections.abc import Iterator

from triage.assist.playbooks.check import as_list
from triage.assist.playbooks.model import Branch, Playbook, Step, When

FORMATS = ("text", "mermaid", "dot")


def drawn(playbook: Playbook, form: str = "text") -> str:
    """Draw a playbook's steps in the format `form`, one of FORMATS."""
    return "\n".join({"text": _text, "mermaid": _mermaid, "dot": _dot}[form](playbook))


def _text(playbook: Playbook) -> Iterator[str]:
    yield f"{playbook.label} ({playbook.kind})"
    for step in playbook.steps:
        yield f"  {step.name}: {_does(step)}"
        for branch in step.branches():
            yield f"    -> {branch.to}{_condition(branch, ' if ')}"


def _mermaid(playbook: Playbook) -> Iterator[str]:
    yield "flowchart TD"
    numbers = {step.name: f"s{number}" for number, step in enumerate(playbook.steps)}
    for step in playbook.steps:
        opening, closing = ("([", "])") if step.handoff or step.end else ("{{", "}}") if step.check else ("[", "]")
        yield f'  {numbers[step.name]}{opening}"{_quoted(step.name)}<br/>{_quoted(_does(step))}"{closing}'
    for step in playbook.steps:
        for branch in step.branches():
            label = _condition(branch, "")
            arrow = f'-->|"{_quoted(label)}"|' if label else "-->"
            yield f"  {numbers[step.name]} {arrow} {numbers[branch.to]}"


def _dot(playbook: Playbook) -> Iterator[str]:
    yield f'digraph "{_escaped(playbook.name)}" {{'
    yield "  node [shape=box];"
    for step in playbook.steps:
        shape = ", shape=oval" if step.handoff or step.end else ", shape=diamond" if step.check else ""
        yield f'  "{_escaped(step.name)}" [label="{_escaped(step.name)}\\n{_escaped(_does(step))}"{shape}];'
    for step in playbook.steps:
        for branch in step.branches():
            label = _condition(branch, "")
            shown = f' [label="{_escaped(label)}"]' if label else ""
            yield f'  "{_escaped(step.name)}" -> "{_escaped(branch.to)}"{shown};'
    yield "}"


def _does(step: Step) -> str:
    if step.ask:
        return f"ask {step.ask}"
    if step.check:
        return f"check {step.check.webhook or step.check.field}"
    if step.handoff:
        return f"hand off ({step.handoff})"
    if step.end:
        return f"end ({step.end})"
    return f"say, with policy {step.policy}" if step.policy else "say"


def _condition(branch: Branch, prefix: str) -> str:
    return prefix + " and ".join(_tests(branch.when)) if branch.when is not None else ""


def _tests(when: When) -> Iterator[str]:
    if when.is_ is not None:
        yield f"{when.slot} is {' or '.join(as_list(when.is_))}"
    if when.is_not is not None:
        yield f"{when.slot} is not {' or '.join(as_list(when.is_not))}"
    if when.above is not None:
        yield f"{when.slot} > {when.above:g}"
    if when.below is not None:
        yield f"{when.slot} < {when.below:g}"
    if when.missing is not None:
        yield f"{when.slot} is {'missing' if when.missing else 'known'}"
    if when.check is not None:
        yield f"check {when.check}"
    if when.intent is not None:
        yield f"intent is {' or '.join(as_list(when.intent))}"
    if when.sentiment is not None:
        yield f"sentiment is {when.sentiment}"


def _quoted(text: str) -> str:
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;").replace(">", "&gt;")


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
