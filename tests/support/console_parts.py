"""Every fragment and page of the console, and the alerts' e-mail, filled with chosen values."""

from collections.abc import Callable
from datetime import date
from typing import Any, cast

from pages import page as notification
from records import enriched

from triage.alerting.chart import svg
from triage.alerting.detection import SpikeSettings
from triage.alerting.notifiers.content import compose
from triage.alerting.notifiers.html import html as email_html
from triage.alerting.precision.interval import Precision
from triage.alerting.precision.proposal import Proposal
from triage.alerting.precision.report import RuleKeys, RuleReport
from triage.alerting.rules.model import Rule
from triage.alerting.wording import wording_for
from triage.assist.answers.grouping import AskedGroup
from triage.assist.answers.model import Answer, AnswerSpan, RankedPassage, SimilarCase
from triage.assist.guide.constraints import Constraint
from triage.assist.guide.model import (
    Advice,
    AnswerOption,
    Drop,
    GuideQuestion,
    GuideState,
    Recommendation,
    ReviewEvidence,
    ReviewSpan,
)
from triage.assist.market.names import Brand, Product
from triage.assist.market.report import BrandRow, LostTo, MarketReport, Opinion, ProductRow
from triage.clock import Clock
from triage.config import AlertingSettings
from triage.console.alerts import actions, detail_page, links_page
from triage.console.alerts import fragments as alerts
from triage.console.changes import fragments as changes
from triage.console.changes.explanation import Explanation, Part
from triage.console.changes.measure import Comparison, Movers
from triage.console.conversations import fragments as talks
from triage.console.data.dead_letters import DeadLetters
from triage.console.data.evidence import ArticleUse
from triage.console.data.shared_readings import SharedReading
from triage.console.data.snapshot import Snapshot
from triage.console.explore import fragments as explore
from triage.console.filters import FIELDS, Filters
from triage.console.fleet import fragments as fleet
from triage.console.guide.page import guide_page
from triage.console.knowledge import fragments as knowledge
from triage.console.market.page import market_page, topic_rule_page
from triage.console.market.topic_rule import draft_rule
from triage.console.now import fragments as now
from triage.console.now import pipeline
from triage.console.record import fragments as record
from triage.console.review import fragments as review
from triage.console.rules import page as rule_pages
from triage.console.web import charts, fragments, layout
from triage.console.web.highlighting import highlighted, weighed
from triage.elastic.changes import Change, Periods
from triage.elastic.explore import Page
from triage.elastic.search import Hit
from triage.fleet import FleetView, PartitionLag, ProcessView, StageTime
from triage.fleet.needs import needs_of
from triage.schemas.action import Matcher, Silence
from triage.schemas.alert import Acknowledgement, Alert, Assessment, Chart, Example, Refusal, Share
from triage.schemas.conversation import Answer as TurnAnswer
from triage.schemas.conversation import Conversation, Handoff, Said, Suggestion, Turn
from triage.schemas.correction import Correction, correction_of
from triage.schemas.deadletter import DeadLetter
from triage.schemas.enriched import Aspect, Entity, Intent, IntentScore, OwnIntent, RiskScore, Route, Severity, Versions
from triage.schemas.evidence import Unanswered, Verdict
from triage.schemas.explanation import Evidence, HeadExplanation, RiskExplanation, RiskReason, RuleExplanation, Word
from triage.schemas.knowledge import ArticleState, PassageDocument
from triage.schemas.topic import EmergingTopic, TopicExample, TopicReport
from triage.translations import translations_for
from triage.web.identity import User

NOW = 1_795_339_800_000
AT = "2026-11-22T09:30:00.000Z"
EN = translations_for("en")
_EMAIL = (
    "rule", "dimensions", "title", "summary", "runbook", "console_url", "kibana_url", "top_entities", "top_words",
    "examples",
)  # fmt: skip


class ConsoleParts:
    """`theirs` stands wherever customers' values can be, `ours` in the other fields: names of processes, errors, ids.

    `make_alert` is the fixture of the console's tests.
    """

    def __init__(self, make_alert: Callable[..., Alert], clock: Clock, theirs: str, ours: str) -> None:
        self._make_alert, self._clock, self.theirs, self.ours = make_alert, clock, theirs, ours
        self._shares = [Share(theirs, 3, 1.0), Share(theirs, 2)]
        values = {name: (theirs if name in _OF_CUSTOMERS else ours,) for name in [*FIELDS, "author"]}
        self.filters = Filters(theirs, values=values, problems=(ours,))

    def html(self) -> dict[str, str]:
        """HTML by what it shows."""
        theirs, ours, filters = self.theirs, self.ours, self.filters
        hit, alert, view = self.record(), self.alert(), self._fleet()
        context = layout.PageContext(EN, User(ours, "viewer"), "../", ours)
        snapshot = Snapshot(NOW, simulated=True, open_alerts=[alert], latest=[hit], recent_alerts=[alert])
        correction = self._correction(hit)
        comparison = Comparison(
            Periods.ending(NOW, 86_400_000), Change((), 9, 1), {"product": [Change((theirs,), 9, 1)]},
            self._explanation(), self._shares,
            self._shares, sampled=9, left_out=("product",), enough=True,
        )  # fmt: skip
        head = HeadExplanation(ours, 0.9, [Word(theirs, 0, len(theirs), 0.5)])
        evidence = RuleExplanation(ours, "severity", ours, [Evidence(ours, theirs), Evidence(ours, theirs, theirs)])
        silence = Silence(
            id="1", actor=ours, at_ms=NOW, matchers=[Matcher("brand", theirs)], until_ms=NOW, comment=theirs
        )
        buttons = actions.action_forms(alert, ours, None, "silence", EN)
        record_of = hit.record
        wording = wording_for("en")
        return {
            "banner": fragments.banner(ours, EN, known=True),
            "incomplete": fragments.incomplete([ours], EN),
            "empty": fragments.empty(ours, ours),
            "tiles": fragments.tile_row([fragments.Tile(ours, ours, ours, hot=True, href=ours)]),
            "choices": layout.choices(ours, [(ours, ours, True)], ours, ours),
            "header": context.header("now"),
            "plain page": layout.plain_page(context, ours, ours, fragments.NOTHING),
            "status": pipeline.status(pipeline.Pipeline(snapshot, view), EN),
            "needs": pipeline.needs_html(pipeline.Pipeline(snapshot, view), EN),
            "legend": charts.legend(EN),
            "now: alerts": now.alerts(snapshot, EN),
            "now: records": now.records(snapshot, EN),
            "movers": changes.movers_html(self._movers(), EN),
            "comparison": changes.comparison_html(comparison, filters, EN),
            "search form": explore.search_form(filters, EN),
            "chips": explore.chips(filters, EN),
            "facets": explore.facet_values_html(Filters(), "brand", self._shares, EN, more=True, ticked=(theirs,)),
            "tools": explore.tools_html(filters, 3, NOW, ours, EN, with_comparison=False),
            "apply": explore.apply_html(filters, "brand", (theirs,), EN),
            "records": explore.records_html(filters, Page([hit], ours), {hit.id}, NOW, EN),
            "timeline table": charts.timeline_table(snapshot.timeline, snapshot.step_ms, NOW, EN),
            "alert": detail_page.alert_page(alert, context, AlertingSettings(), buttons),
            "alert as it was sent": detail_page.alert_page(self.alert(paged=True), context, AlertingSettings()),
            "alert rules": rule_pages.rules_page([self._rule()], context),
            "alert rule": rule_pages.rule_page(self._rule(), context),
            "market": market_page(self._market(), context, self._topics()),
            "topic rule": topic_rule_page(draft_rule(self._topics().topics[0], 1, [["brand"]]), context),
            "guide": guide_page(theirs, self._advice(), context),
            "link to the rules": alerts.rules_link(ours, EN),
            "link": links_page.link_html(
                EN,
                title=ours,
                text=ours,
                alert_title=ours,
                summary=ours,
                confirm=ours,
                button=ours,
                as_whom=ours,
                address=ours,
            ),
            "silence": alerts.silence_html(silence, EN),
            "text": record.text_html(record_of, EN),
            "labels": record.labels_html(record_of, EN),
            "word weights": record.word_weights_html(record_of, head, head, ours + "2", EN),
            "own labels": record.own_labels_html(
                [RiskExplanation(ours, 0.5, [RiskReason(theirs, 0.7)], ours)], [OwnIntent(ours, 0.1, ours)], EN
            ),
            "no word weights": record.no_word_weights_html(ours, EN),
            "rules": record.rules_html(record_of, [evidence], ours + "2", "", EN),
            "no rules": record.rules_html(record_of, [], "", ours, EN),
            "facts": record.facts_html(hit, EN),
            "links": record.links_html(record_of, EN, ours),
            "correction": record.correction_html(correction, EN),
            "evidence is searched": record.no_evidence_html(ours, EN),
            "cases": record.cases_html([self._case()], ours, EN),
            "handbook": record.handbook_html(self._answer(), EN),
            "passage": record.span_html(self._span(), self._answer(), EN),
            "verdicts": record.verdicts_html([self._verdict()], EN),
            "articles": knowledge.articles_html([self._use()], date(2026, 11, 22), EN),
            "asked and not found": knowledge.unanswered_html([AskedGroup([self._unanswered()], ours, ours)], ours, EN),
            "passages of an intent": knowledge.passages_html([self._passage()], EN),
            "review": review.record_html(hit, NOW, EN),
            "latest": review.latest_html([correction], 2, 1, EN),
            "conversations": talks.list_html([self._talk()], ours, NOW, EN),
            "thread": talks.thread_html(self._talk(), NOW, EN),
            "suggestions": talks.suggestions_html([Suggestion(step=ours, text=theirs, why=ours)], EN),
            "ways": review.order_html(filters, ours, ("new", "unsure"), EN),
            "attention": fleet.attention_html(view, EN),
            "processes": fleet.processes_html(view, EN),
            "partitions": fleet.partitions_html(view, EN),
            "stages": fleet.stages_html(view, EN),
            "dead letters": fleet.dead_letters_html(cast(DeadLetters, _Letters(theirs, ours)), NOW, EN),
            "fleet: tiles": fleet.tiles(view, 1, EN),
            "chart": svg(Chart(AT, 300, [1, 8], [1.0, 1.5]), ours),
            "e-mail": email_html(compose(notification(**self._email()), wording), wording, ours),
        }

    def in_texts(self) -> dict[str, str]:
        """What stands within the element of a text, which gives it its direction."""
        theirs = self.theirs
        return {
            "highlighted": highlighted(theirs, [Entity("", self.ours, 0, 9, 0.9, self.ours)], EN),
            "weighed": weighed(theirs, [Word(theirs, 0, len(theirs), 0.5)]),
        }

    def record(self) -> Hit:
        theirs, ours = self.theirs, self.ours
        found = enriched(
            theirs * 2,
            language=ours,
            entities=[
                Entity(theirs, ours, 0, len(theirs), 0.9, ours), Entity(theirs, "order_id", 0, 1, 0.9, "rule")
            ],
            product=theirs,
            brand=theirs,
            region=theirs,
            source=theirs,
            author_id=ours,
            severity=Severity(ours, [ours, "unknown"]),
            route=Route(ours, [ours]),
            flags=[ours, "low_confidence"],
            aspects=[Aspect(ours, ours, 0.9, ours)],
            risk_scores=[RiskScore(ours, 0.5, ours, ours, ours)],
            own_intents=[OwnIntent(ours, 0.1, ours)],
            versions=Versions(ours, ours, ours, ours),
            attributes={theirs: theirs},
        )  # fmt: skip
        found.intent = Intent(ours, 0.8, [IntentScore(ours, 0.8)])
        found.sentiment.label = ours
        found.event.id = theirs
        return Hit(ours, found)

    def _span(self) -> AnswerSpan:
        theirs, ours = self.theirs, self.ours
        return AnswerSpan(
            text=theirs, passage=ours, article=ours, title=theirs, version=ours, language="en", audience="internal",
            start=0, end=1, score=0.9, heading=theirs,
        )  # fmt: skip

    def _answer(self) -> Answer:
        theirs, ours = self.theirs, self.ours
        ranked = RankedPassage(article=ours, passage=ours, title=theirs, score=0.5)
        return Answer(
            answered=False, confidence=0.2, language="en", answer=[], ranking=[ranked], cases=[], degraded=True,
            why_not="not_sure",
        )  # fmt: skip

    def _case(self) -> SimilarCase:
        theirs, ours = self.theirs, self.ours
        return SimilarCase(
            record=ours, similarity=0.9, text=theirs, answer=theirs, resolution=theirs, outcome=theirs, at=AT, cases=7,
            ended=0.5, interval=(0.2, 0.8),
        )  # fmt: skip

    def _verdict(self) -> Verdict:
        theirs, ours = self.theirs, self.ours
        return Verdict(
            doc="verdict", record=ours, passage=ours, article=ours, version=ours, verdict="used", actor=ours, at=AT,
            text=theirs, language="en", intent=ours,
        )  # fmt: skip

    def _use(self) -> ArticleUse:
        theirs, ours = self.theirs, self.ours
        state = ArticleState(
            article=ours, version=ours, passages=1, title=theirs, language="en", audience="public", kind="faq",
            valid_until="2026-12-01",
        )  # fmt: skip
        return ArticleUse(state, {"used": 2})

    def _unanswered(self) -> Unanswered:
        theirs, ours = self.theirs, self.ours
        return Unanswered(
            doc="unanswered", at=AT, why_not="not_sure", language="en", audience="public", confidence=0.2, text=theirs,
            intent=ours, article=ours,
        )  # fmt: skip

    def _passage(self) -> PassageDocument:
        theirs, ours = self.theirs, self.ours
        return PassageDocument(
            doc="passage", passage=ours, article=ours, version=ours, number=1, title=theirs, heading=theirs,
            text=theirs, start=0, end=1, language="en", audience="public", kind="faq",
        )  # fmt: skip

    def alert(self, **fields: Any) -> Alert:
        theirs, ours = self.theirs, self.ours
        return self._make_alert(
            **{
                "dedup_key": ours,
                "rule": ours,
                "dimensions": {ours: ours, "intent": ours, "brand": theirs},
                "severity": ours,
                "title": ours,
                "summary": ours,
                "state": ours,
                "causes": [ours],
                "page": ours,
                "paged": False,
                "not_paged_because": ours,
                "acknowledged": Acknowledgement(ours, AT, theirs),
                "snoozed": Acknowledgement(ours, AT, theirs),
                "snoozed_until": AT,
                "runbook": f"https://{ours}",
                "kibana_url": f"https://{ours}",
                "console_url": f"https://{ours}",
                "top_intents": [Share(ours, 3, 1.0), Share(ours, 2)],
                "top_entities": self._shares,
                "top_words": self._shares,
                "examples": [Example(ours, theirs, ours, ours, AT)],
                "taken_by": [ours],
                "without": [ours],
                "assessment": Assessment("false", ours, AT, theirs),
                "refusals": [Refusal(ours, theirs, AT, retried=True)],
                "chart": Chart(AT, 300, [1, 8], [1.0, 1.5]),
            }
            | fields
        )

    def _market(self) -> MarketReport:
        own, other = Brand(self.theirs, own=True), Brand(self.theirs, own=False)
        opinion = Opinion(3, 9)
        brands = [BrandRow(each, 12, 14, 9, 0.5, 1, 2, opinion, [self.theirs]) for each in (own, other)]
        products = [ProductRow(Product(self.theirs), 12, opinion, {"price": opinion}, [self.theirs])]
        losses = [LostTo(own, other, 2)]
        return MarketReport(NOW - 86_400_000, NOW, 30, brands, products, ["price"], losses, {self.theirs: 4})

    def _topics(self) -> TopicReport:
        theirs, ours = self.theirs, self.ours
        example = TopicExample(record=ours, text=theirs)
        topic = EmergingTopic(
            words=[theirs], records=9, before=1, lift=9.5, p=0.01, examples=[example], fields={"brand": theirs}
        )
        return TopicReport(
            doc="topics", at=AT, start=AT, end=AT, records=30, sampled=30, records_before=90, sampled_before=90,
            encoder=ours, topics=[topic],
        )  # fmt: skip

    def _advice(self) -> Advice:
        theirs, ours = self.theirs, self.ours
        span = ReviewSpan(text=theirs, record=ours, aspect="price", start=0, end=1, language="en", at=AT)
        reviews = ReviewEvidence(praising=2, blaming=1, speaking_for=[span], against=[span])
        item = Recommendation(
            item=ours, name=theirs, text=theirs, passage=theirs, brand=theirs, category=ours, prices={"USD": 9.5},
            url=None, score=0.5, reviews=reviews,
        )  # fmt: skip
        wish = Constraint(name="price", op="at_most", number=9.0, unit="USD", text=theirs)
        options = [AnswerOption(label=theirs, items=2)]
        return Advice(
            language="en", constraints=[wish], fits=1, results=[item],
            ask=GuideQuestion(name=ours, text=ours, bits=1.0, options=options),
            drop=[Drop(names=[ours], wishes=[theirs], fits=2)], state=GuideState(),
        )  # fmt: skip

    def _rule(self) -> RuleReport:
        rule = Rule(name="surge", dimension=[self.ours], spike=SpikeSettings())
        proposal = Proposal(self.ours, self.ours, NOW, NOW)
        return RuleReport(rule, 30, 1.0, 0.1, 9, 8, 3, 4, Precision(3, 7), proposal, RuleKeys(3, 3, 1))

    def _email(self) -> dict[str, Any]:
        alert = self.alert()
        return {name: getattr(alert, name) for name in _EMAIL} | {"also": (alert,)}

    def _movers(self) -> SharedReading[Movers]:
        change = Change((self.theirs, self.ours), 9, 1)
        behind = {change.values: [("brand", self.theirs), ("region", self.theirs)]}
        movers = Movers("7d", Change((), 9, 1), [Change((self.ours,), 9, 0)], [change], behind=behind)
        found = SharedReading(lambda: movers, self._clock, 1.0)
        found.value = movers
        return found

    def _explanation(self) -> Explanation:
        part = Part("product", Change((self.theirs,), 9, 1))
        return Explanation(Change((), 9, 1), True, (part,), part, Part("entity", part.change))

    def _correction(self, hit: Hit) -> Correction:
        ours = self.ours
        return correction_of(
            hit.id, hit.record, actor=ours, corrected_at=AT, intent=ours, sentiment=ours, comment=self.theirs
        )

    def _talk(self) -> Conversation:
        theirs, ours = self.theirs, self.ours
        answer = TurnAnswer(turn=1, state="waiting", say=[Said(text=ours, step=ours, passage=ours)], suggestions=[])
        turn = Turn(turn=1, speaker="agent", text=theirs, language=ours, at=AT, digest=ours, answer=answer, actor=ours)
        return Conversation(
            id=ours, revision=1, state="waiting", language=ours, created_at=AT, updated_at=AT, turns=[turn],
            playbook=ours, taken_by=ours, waiting_since=AT, handoff=Handoff(reason=ours, at=AT, summary=theirs),
        )  # fmt: skip

    def _fleet(self) -> FleetView:
        ours = self.ours
        process = ProcessView(
            kind=ours, name=ours, address=ours, partitions=1, lag=4, up=True, device=ours, runtime=ours,
            precision=ours, model=ours, fallback=True, waiting_for={ours: ours}, paused=True,
        )  # fmt: skip
        lost = ProcessView(kind=ours, name=ours, partitions=1, lag=4, error=ours)
        partitions = [PartitionLag(topic=ours, partition=0, lag=1, in_per_s=1.0, out_per_s=0.5, worker=ours)]
        partitions.append(PartitionLag(topic=ours, partition=1, lag=1, in_per_s=1.0, out_per_s=0.5, worker=""))
        stages = [StageTime(stage=ours, p50_ms=80.0, p95_ms=200.0, per_s=2.0)]
        view = FleetView(at=AT, interval_s=15.0, processes=[process, lost], partitions=partitions, stages=stages)
        view.needs = needs_of(view)
        return view


_OF_CUSTOMERS = frozenset({"product", "brand", "region", "entity", "source"})


class _Letters:
    total = 1

    def __init__(self, theirs: str, ours: str) -> None:
        self._theirs, self._ours = theirs, ours

    def by_reason(self) -> dict[str, int]:
        return {self._ours: 1}

    def latest(self, size: int) -> list[DeadLetter]:
        del size
        theirs, ours = self._theirs, self._ours
        return [
            DeadLetter(
                stage=ours, reason=ours, message=theirs, topic=ours, partition=0, offset=0, timestamp_ms=0,
                failed_at=AT, attempts=1, pipeline=ours, payload=theirs, payload_bytes=9, headers={},
            )
        ]  # fmt: skip
