"""Formats notifications as plain text, and as the subset of Markdown that chat robots understand."""

from collections.abc import Iterable

from triage.alerting.notifiers.content import Content, cut_bytes
from triage.alerting.wording import Wording

# Neither robot has an escape, so these characters become their full-width variants.
_MARKS = str.maketrans("`*[]<>", "'＊［］＜＞")


def plain(content: Content, wording: Wording, facts: Iterable[tuple[str, str]] = ()) -> str:
    """Format a notification as plain text, for e-mail and other receivers without markup.

    `facts`, as (label, text), follow the summary.
    """
    listed = "\n".join(f"{label}: {text}".replace(": \n", ":\n") for label, text in facts)
    sections = [content.title, content.summary, *([listed] if listed else []), *_blocks_plain(content)]
    sections += [f"{label}:\n  " + "\n  ".join(values) for label, values in content.unusual]
    if content.steps:
        sections.append(f"{wording.what_to_do_first}:\n" + _numbered(content.steps))
    if content.examples:
        sections.append(f"{content.examples_label}:\n" + "\n".join(f"  > {text}" for text in content.examples))
    if content.also:
        sections.append(f"{wording.also}:\n" + "\n".join(f"  - {title}" for title in content.also))
    for links in filter(None, (content.actions, content.links)):
        sections.append("\n".join(f"{name}: {url}" for name, url in links))
    sections += ["\n".join(f"{name}:\n  {command}" for name, command in content.commands)] if content.commands else []
    return "\n\n".join([*sections, content.footer]) + "\n"


def markdown(content: Content, wording: Wording, limit_bytes: int) -> str:
    """Format a notification as Markdown for chat robots, in at most `limit_bytes` bytes of UTF-8.

    It uses headings, bold, quotes, links and line breaks. Whole sections are left out to fit, the least useful first.
    """
    head = f"### {escaped(content.title)}\n\n{escaped(content.summary)}"
    foot = escaped(content.footer)
    # (rank, section): the lowest ranks are kept; the order on the page stays.
    sections: list[tuple[int, str]] = []
    if content.lines:
        rows = "\n\n".join(f"{line} {label}" for label, line in content.lines)
        sections.append((1, rows))
    unusual = [f"**{label}**: {escaped('; '.join(values))}" for label, values in content.unusual]
    sections += [(3, text) for text in unusual]
    if content.steps:
        sections.append((2, f"**{wording.what_to_do_first}**\n\n" + _numbered(map(escaped, content.steps), "\n\n")))
    if content.examples:
        quotes = "\n\n".join(f"> {escaped(text)}" for text in content.examples)
        sections.append((5, f"**{escaped(content.examples_label)}**\n\n{quotes}"))
    if content.also:
        sections.append((6, f"**{wording.also}**\n\n" + "\n\n".join(f"- {escaped(title)}" for title in content.also)))
    if content.actions:
        # The first two are needed on a telephone at night; the others only where there is room.
        for rank, some in ((0, content.actions[:2]), (4, content.actions[2:])):
            sections.append((rank, " | ".join(f"[{name}]({link(url)})" for name, url in some)))
    if content.links:
        sections.append((0, " | ".join(f"[{name}]({link(url)})" for name, url in content.links)))
    commands = [(name, command.replace("`", "'")) for name, command in content.commands]
    sections += [(4, f"{name}: `{command}`") for name, command in commands]
    room = limit_bytes - len(f"{head}\n\n{foot}".encode())
    kept = set()
    for index, (_, text) in sorted(enumerate(sections), key=lambda one: one[1][0]):
        size = len(text.encode()) + 2
        if size <= room:
            kept.add(index)
            room -= size
    body = [text for index, (_, text) in enumerate(sections) if index in kept]
    return cut_bytes("\n\n".join([head, *body, foot]), limit_bytes)


def escaped(text: str) -> str:
    """Replace Markdown's special characters, so that a customer's text cannot create a link or a mention."""
    return text.translate(_MARKS)


def link(url: str) -> str:
    """Escape a URL so that it cannot end the Markdown link that contains it."""
    return url.replace("(", "%28").replace(")", "%29").replace(" ", "%20")


def _blocks_plain(content: Content) -> list[str]:
    return ["\n".join(f"{line}  {label}" for label, line in content.lines)] if content.lines else []


def _numbered(steps: Iterable[str], separator: str = "\n") -> str:
    return separator.join(f"{number}. {step}" for number, step in enumerate(steps, 1))
