"""Values that look like markup or like a template are shown as text, on every page and in every fragment."""

from pathlib import Path

import pytest
from html_reader import HtmlReader
from pages import page as notification
from records import enriched

import triage.console
from triage.alerting.chart import svg
from triage.alerting.notifiers.content import compose
from triage.alerting.notifiers.html import html as email_html
from triage.alerting.wording import wording_for
from triage.console.alerts import actions, detail_page
from triage.console.alerts import fragments as alerts
from triage.console.changes import fragments as changes
from triage.console.changes.measure import Comparison, Movers
from triage.console.data.shared_readings import SharedReading
from triage.console.data.snapshot import Snapshot
from triage.console.explore import fragments as explore
from triage.console.filters import FIELDS, Filters
from triage.console.fleet import fragments as fleet
from triage.console.now import fragments as now
from triage.console.record import fragments as record
from triage.console.review import fragments as review
from triage.console.web import charts, fragments, layout
from triage.console.web.highlighting import highlighted, weighed
from triage.elastic.changes import Change, Periods
from triage.elastic.explore import Page
from triage.elastic.search import Hit
from triage.fleet import FleetView, PartitionLag, ProcessView, StageTime
from triage.schemas.action import Matcher, Silence
from triage.schemas.alert import Acknowledgement, Chart, Example, Share
from triage.schemas.correction import correction_of
from triage.schemas.deadletter import DeadLetter
from triage.schemas.enriched import Aspect, Entity, Intent, IntentScore, Route, Severity, Versions
from triage.schemas.explanation import Evidence, HeadExplanation, RuleExplanation, Word
from triage.templating import Templates
from triage.translations import translations_for
from triage.web.identity import User

NOW = 1_795_339_800_000
AT = "2026-11-22T09:30:00.000Z"
EVIL = """"'><script>alert(1)</script><img src=x onerror=alert(1)>{{ 7 * 7 }}{% raw %}&"""
EN = translations_for("en")
CONTEXT = layout.PageContext(EN, User(EVIL, "viewer"), "../", EVIL)
ANYTHING = [Share(EVIL, 3, 1.0), Share(EVIL, 2)]
FILTERS = Filters(EVIL, values=dict.fromkeys([*FIELDS, "author"], (EVIL,)), problems=(EVIL,))


def _record():
    found = enriched(
        EVIL * 2,
        language=EVIL,
        entities=[Entity(EVIL, EVIL, 0, len(EVIL), 0.9, EVIL), Entity(EVIL, "order_id", 0, 1, 0.9, "rule")],
        product=EVIL,
        brand=EVIL,
        region=EVIL,
        source=EVIL,
        author_id=EVIL,
        severity=Severity(EVIL, [EVIL, "unknown"]),
        route=Route(EVIL, [EVIL]),
        flags=[EVIL, "low_confidence"],
        aspects=[Aspect(EVIL, EVIL, 0.9, EVIL)],
        versions=Versions(EVIL, EVIL, EVIL, EVIL),
        attributes={EVIL: EVIL},
    )
    found.intent = Intent(EVIL, 0.8, [IntentScore(EVIL, 0.8)])
    found.sentiment.label = EVIL
    found.event.id = EVIL
    return Hit(EVIL, found)


def _alert(make_alert, **fields):
    return make_alert(
        **{
            "dedup_key": EVIL,
            "rule": EVIL,
            "dimensions": {EVIL: EVIL, "intent": EVIL, "brand": EVIL},
            "severity": EVIL,
            "title": EVIL,
            "summary": EVIL,
            "state": EVIL,
            "causes": [EVIL],
            "page": EVIL,
            "paged": False,
            "not_paged_because": EVIL,
            "acknowledged": Acknowledgement(EVIL, AT, EVIL),
            "snoozed": Acknowledgement(EVIL, AT, EVIL),
            "snoozed_until": AT,
            "runbook": f"https://{EVIL}",
            "kibana_url": f"https://{EVIL}",
            "console_url": f"https://{EVIL}",
            "top_intents": ANYTHING,
            "top_entities": ANYTHING,
            "top_words": ANYTHING,
            "examples": [Example(EVIL, EVIL, EVIL, EVIL, AT)],
            "chart": Chart(AT, 300, [1, 8], [1.0, 1.5]),
        }
        | fields
    )


class _Letters:
    total = 1

    def by_reason(self):
        return {EVIL: 1}

    def latest(self, size):
        return [
            DeadLetter(
                stage=EVIL, reason=EVIL, message=EVIL, topic=EVIL, partition=0, offset=0, timestamp_ms=0,
                failed_at=EVIL, attempts=1, pipeline=EVIL, payload=EVIL, payload_bytes=9, headers={},
            )
        ]  # fmt: skip


def _fleet():
    process = ProcessView(
        kind=EVIL, name=EVIL, address=EVIL, partitions=1, lag=4, up=True, device=EVIL, runtime=EVIL, precision=EVIL,
        model=EVIL, fallback=True, waiting_for={EVIL: EVIL}, paused=True,
    )  # fmt: skip
    lost = ProcessView(kind=EVIL, name=EVIL, partitions=1, lag=4, error=EVIL)
    partitions = [PartitionLag(topic=EVIL, partition=0, lag=1, in_per_s=1.0, out_per_s=0.5, worker=EVIL)]
    partitions.append(PartitionLag(topic=EVIL, partition=1, lag=1, in_per_s=1.0, out_per_s=0.5, worker=""))
    stages = [StageTime(stage=EVIL, p50_ms=80.0, p95_ms=200.0, per_s=2.0)]
    return FleetView(at=AT, interval_s=15.0, processes=[process, lost], partitions=partitions, stages=stages)


def _movers(clock):
    found = SharedReading(lambda: None, clock, 1.0)
    change = Change((EVIL, EVIL), 9, 1)
    found.value = Movers("7d", Change((), 9, 1), [Change((EVIL,), 9, 0)], [change])
    return found


def _correction(hit):
    return correction_of(hit.id, hit.record, actor=EVIL, corrected_at=AT, intent=EVIL, sentiment=EVIL, comment=EVIL)


@pytest.fixture
def rendered():
    """Names of the templates that were rendered."""
    return set()


@pytest.fixture
def shown(make_alert, clock, monkeypatch, rendered):
    """HTML by what it shows."""
    render = Templates.render

    def noted(self, template, /, **values):
        rendered.add(template)
        return render(self, template, **values)

    monkeypatch.setattr(Templates, "render", noted)
    hit, alert, view = _record(), _alert(make_alert), _fleet()
    snapshot = Snapshot(NOW, simulated=True, open_alerts=[alert], latest=[hit], recent_alerts=[alert])
    correction = _correction(hit)
    comparison = Comparison(
        Periods.ending(NOW, 86_400_000), Change((), 9, 1), {"product": [Change((EVIL,), 9, 1)]}, ANYTHING, ANYTHING,
        sampled=9, left_out=("product",), enough=True,
    )  # fmt: skip
    head = HeadExplanation(EVIL, 0.9, [Word(EVIL, 0, len(EVIL), 0.5)])
    evidence = RuleExplanation(EVIL, "severity", EVIL, [Evidence(EVIL, EVIL), Evidence(EVIL, EVIL, EVIL)])
    silence = Silence(id="1", actor=EVIL, at_ms=NOW, matchers=[Matcher("brand", EVIL)], until_ms=NOW, comment=EVIL)
    buttons = actions.action_forms(alert, EVIL, None, "silence", EN)
    record_of = hit.record
    return {
        "banner": fragments.banner(EVIL, EN, known=True),
        "empty": fragments.empty(EVIL, EVIL),
        "tiles": fragments.tile_row([fragments.Tile(EVIL, EVIL, EVIL, hot=True, href=EVIL)]),
        "choices": layout.choices(EVIL, [(EVIL, EVIL, True)], EVIL, EVIL),
        "header": CONTEXT.header("now"),
        "plain page": layout.plain_page(CONTEXT, EVIL, EVIL, fragments.NOTHING),
        "highlighted": highlighted(EVIL, [Entity("", EVIL, 0, 9, 0.9, EVIL)], EN),
        "weighed": weighed(EVIL, head.words),
        "status": now.status(snapshot, EN),
        "legend": now.legend(EN),
        "now: alerts": now.alerts(snapshot, EN),
        "now: records": now.records(snapshot, EN),
        "movers": changes.movers_html(_movers(clock), EN),
        "comparison": changes.comparison_html(comparison, FILTERS, EN),
        "search form": explore.search_form(FILTERS, EN),
        "chips": explore.chips(FILTERS, EN),
        "facets": explore.facets_html(Filters(), dict.fromkeys(FIELDS.values(), ANYTHING), EN),
        "buttons": explore.buttons_html(FILTERS, EN, with_comparison=False),
        "records": explore.records_html(FILTERS, Page([hit], EVIL), {hit.id}, NOW, EN),
        "timeline table": charts.timeline_table(snapshot.timeline, NOW, EN),
        "alert": detail_page.alert_page(alert, CONTEXT, "en", buttons),
        "alert as it was sent": detail_page.alert_page(_alert(make_alert, paged=True), CONTEXT),
        "silence": alerts.silence_html(silence, EN),
        "text": record.text_html(record_of, EN),
        "labels": record.labels_html(record_of, EN),
        "word weights": record.word_weights_html(record_of, head, head, EVIL + "2", EN),
        "no word weights": record.no_word_weights_html(EVIL, EN),
        "rules": record.rules_html(record_of, [evidence], EVIL + "2", "", EN),
        "no rules": record.rules_html(record_of, [], "", EVIL, EN),
        "facts": record.facts_html(hit, EN),
        "links": record.links_html(record_of, EN, EVIL),
        "correction": record.correction_html(correction, EN),
        "review": review.record_html(hit, NOW, EN),
        "latest": review.latest_html([correction], 2, 1, EN),
        "ways": review.order_html(FILTERS, EVIL, ("new", "unsure"), EN),
        "attention": fleet.attention_html(view, EN),
        "processes": fleet.processes_html(view, EN),
        "partitions": fleet.partitions_html(view, EN),
        "stages": fleet.stages_html(view, EN),
        "dead letters": fleet.dead_letters_html(_Letters(), EN),
        "fleet: tiles": fleet.tiles(view, 1, EN),
        "chart": svg(Chart(AT, 300, [1, 8], [1.0, 1.5]), EVIL),
        "e-mail": email_html(compose(notification(**_email(make_alert)), wording_for("en")), wording_for("en"), EVIL),
    }


def _email(make_alert):
    alert = _alert(make_alert)
    names = (
        "rule",
        "dimensions",
        "title",
        "summary",
        "runbook",
        "console_url",
        "kibana_url",
        "top_entities",
        "examples",
    )
    return {name: getattr(alert, name) for name in names} | {"also": (alert,)}


# What has no value of others in it.
PLAIN = {"status", "legend", "timeline table", "fleet: tiles"}


def test_nothing_gets_out_unescaped(shown):
    for name, html in shown.items():
        found = HtmlReader(html)
        assert not {"script", "img"} & set(found.tags) - ({"img"} if name == "e-mail" else set()), name
        assert "onerror" not in found.attributes, name
        assert "<script" not in html, name
        assert ">49" not in html, name
        assert " at 0x" not in html, f"{name} shows an object"
        everything = found.text + "".join(found.attributes.values())
        assert ("alert(1)" in everything or "alert%281%29" in everything) == (name not in PLAIN), name


def test_every_template_was_among_them(shown, rendered):
    folder = Path(triage.console.__file__).parent
    templates = {str(path.relative_to(folder)) for path in folder.rglob("*.html")}
    assert templates - rendered == {
        "web/document.html",
        "web/macros.html",
        "web/error.html",
        "web/login.html",
        "web/slash.html",
        "alerts/notice.html",
    }
