"""Records as a table, the same on every page that lists some."""

from collections.abc import Mapping, Sequence
from html import escape

from triage.clock import parse_rfc3339
from triage.console.translations import Translations
from triage.console.web.highlighting import highlighted
from triage.elastic.search import Hit
from triage.schemas.correction import Correction

_COLUMNS = ("time", "feedback", "intent", "sentiment", "severity")


def records_table(
    hits: Sequence[Hit],
    now_ms: int,
    words: Translations,
    corrections: Mapping[str, Correction] | None = None,
    root: str = "",
    caption: str = "",
) -> str:
    """On a phone its rows become cards. `root` leads to the top of the site, `caption` is for screen readers."""
    head = "".join(f'<th scope="col">{words(f"column.{name}")}</th>' for name in _COLUMNS)
    known = corrections or {}
    rows = "".join(_row(hit, now_ms, words, known.get(hit.id), root) for hit in hits)
    said = f'<caption class="unseen">{escape(caption)}</caption>' if caption else ""
    return f'<table class="records">{said}<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'


def _row(hit: Hit, now_ms: int, words: Translations, correction: Correction | None, root: str) -> str:
    record = hit.record
    label, level = record.sentiment.label, record.severity.level
    facts = [
        words.term("channel", record.channel.value),
        words.term("language", record.language),
        record.product,
        record.brand,
        record.region,
    ]
    meta = " · ".join(escape(fact) for fact in facts if fact)
    corrected = f' · <b class="corrected">{words("record.corrected")}</b>' if correction else ""
    unsure = f" · {words.term('flag', 'low_confidence')}" if "low_confidence" in record.flags else ""
    return (
        f'<tr><td class="at"><a href="{root}records/{escape(hit.id)}"><time datetime="{escape(record.timestamp)}">'
        f"{escape(words.when(parse_rfc3339(record.timestamp), now_ms))}</time></a></td>"
        f'<td class="what"><p lang="{escape(record.language)}">'
        f"{highlighted(record.text, record.entities, words)}</p>"
        f'<span class="meta">{meta}{unsure}{corrected}</span></td>'
        f'<td class="intent">{escape(words.intent(record.intent.label))}</td>'
        f"<td>{feeling(label, words)}</td>"
        f'<td><span class="pill {escape(level)}">{escape(words.term("severity", level))}</span></td></tr>'
    )


def feeling(label: str, words: Translations) -> str:
    """A sentiment with its colour."""
    name = escape(label)
    return f'<span class="feeling {name}"><i aria-hidden="true"></i>{escape(words.term("sentiment", label))}</span>'
