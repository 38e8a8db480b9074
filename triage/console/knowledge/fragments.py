"""Parts of *Knowledge* as HTML."""

from collections.abc import Sequence
from datetime import date, timedelta

from markupsafe import Markup

from triage.assist.answers.grouping import AskedGroup
from triage.clock import from_ms, parse_rfc3339
from triage.console.data.evidence import ArticleUse
from triage.console.web.templates import render
from triage.schemas.knowledge import PassageDocument
from triage.translations import Translations

_SOON = timedelta(days=30)
_OLD = timedelta(days=180)
_EXAMPLES = 5


def articles_html(articles: Sequence[ArticleUse], today: date, translations: Translations) -> Markup:
    """Render the articles: those that need attention (expired, often wrong, ...) first, then the most used ones."""
    rows = sorted(
        ((each, state_of(each, today)) for each in articles),
        key=lambda row: (row[1] == "", row[1] == "unused", -row[0].used, row[0].article.article),
    )
    return render("knowledge/articles.html", translations, rows=rows)


def state_of(use: ArticleUse, today: date) -> str:
    """Return the attention that an article needs: `expired`, `expires`, `wrong`, `old`, `unused`, or "" for none."""
    article = use.article
    if article.valid_until:
        last = date.fromisoformat(article.valid_until)
        if last < today:
            return "expired"
        if last < today + _SOON:
            return "expires"
    if use.verdicts.get("wrong", 0) > use.used:
        return "wrong"
    if article.applied_at and from_ms(parse_rfc3339(article.applied_at)).date() < today - _OLD:
        return "old"
    return "" if use.used else "unused"


def unanswered_html(groups: Sequence[AskedGroup], root: str, translations: Translations) -> Markup:
    """Render questions that no article answers, by group: articles to write. `root` is the URL of the start page."""
    return render("knowledge/unanswered.html", translations, groups=groups, most=_EXAMPLES, root=root)


def passages_html(passages: Sequence[PassageDocument], translations: Translations) -> Markup:
    """Render passages of articles, word for word, with their names."""
    return render("knowledge/passages.html", translations, passages=passages)
