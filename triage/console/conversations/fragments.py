"""Parts of *Conversations* as HTML."""

from collections.abc import Sequence

from markupsafe import Markup

from triage.clock import parse_rfc3339
from triage.console.web.templates import render
from triage.schemas.conversation import Conversation, Suggestion
from triage.translations import Translations


def list_html(conversations: Sequence[Conversation], chosen: str, now_ms: int, translations: Translations) -> Markup:
    """Render conversations as links: id, state, since when, reason, last words; `chosen` is the id of the open one."""
    rows = [(each, _since(each, now_ms, translations), _reason(each, translations)) for each in conversations]
    return render("conversations/list.html", translations, rows=rows, chosen=chosen)


def thread_html(conversation: Conversation, now_ms: int, translations: Translations) -> Markup:
    """Render the turns of a conversation with what the bot said to each, and the summary of its hand-off."""
    at = {each.turn: translations.when_and_utc(parse_rfc3339(each.at), now_ms) for each in conversation.turns}
    return render(
        "conversations/thread.html",
        translations,
        conversation=conversation,
        at=at,
        reason=_reason(conversation, translations),
    )


def suggestions_html(suggestions: Sequence[Suggestion], translations: Translations) -> Markup:
    """Render the suggested next steps for the agent, numbered by the key that takes them."""
    return render("conversations/suggestions.html", translations, suggestions=list(enumerate(suggestions, 1)))


def _since(conversation: Conversation, now_ms: int, translations: Translations) -> str:
    return translations.when_and_utc(parse_rfc3339(conversation.waiting_since or conversation.updated_at), now_ms)


def _reason(conversation: Conversation, translations: Translations) -> str:
    if conversation.handoff is None:
        return ""
    return translations.term("handoff", conversation.handoff.reason)
