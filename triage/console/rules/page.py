"""`/rules` and `/rules/NAME`: alert rules with their budgets, their use, and their precision. Plain HTML."""

from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from triage.alerting.precision.report import RuleReport
from triage.console.web.layout import PageContext, plain_page
from triage.console.web.templates import render
from triage.errors import TriageError
from triage.translations import Translations

ReadRules = Callable[[], Awaitable[list[RuleReport]]]


def rule_routes(read: ReadRules) -> APIRouter:
    """Build the routes of the list of alert rules and of one rule's page.

    `read` reports on all rules, or raises a TriageError.
    """
    router = APIRouter()

    @router.get("/rules")
    async def rules(request: Request) -> HTMLResponse:
        """Respond with the list of alert rules (200); 503 with the reason if it cannot be read."""
        context = PageContext.of(request)
        try:
            return HTMLResponse(rules_page(await read(), context))
        except TriageError as error:
            return HTMLResponse(_notice(context, "rules.unreadable", str(error)), status_code=503)

    @router.get("/rules/{name}")
    async def rule(request: Request, name: str) -> HTMLResponse:
        """Respond with the page of one alert rule (200); 404 if unknown, 503 with the reason if it cannot be read."""
        context = PageContext.of(request)
        try:
            reports = await read()
        except TriageError as error:
            return HTMLResponse(_notice(context, "rules.unreadable", str(error)), status_code=503)
        found = next((report for report in reports if report.rule.name == name), None)
        if found is None:
            return HTMLResponse(_notice(context, "rules.unknown", name), status_code=404)
        return HTMLResponse(rule_page(found, context))

    return router


def rules_page(reports: list[RuleReport], context: PageContext) -> str:
    """Render the list of alert rules, with budgets, keys and precision, as an HTML document."""
    translations = context.translations
    content = render(
        "rules/list.html", translations, rows=[(report, _facts(report, translations)) for report in reports],
        root=context.root,
    )  # fmt: skip
    return plain_page(context, "alerts", translations("rules.title"), content)


def rule_page(report: RuleReport, context: PageContext) -> str:
    """Render the page of one alert rule, with its budget of false alerts, keys and precision, as an HTML document."""
    facts = _facts(report, context.translations)
    content = render(
        "rules/detail.html", context.translations, report=report, facts=facts, proposal=_proposal(report, context),
        root=context.root,
    )  # fmt: skip
    return plain_page(context, "alerts", report.rule.name, content)


def _facts(report: RuleReport, translations: Translations) -> dict[str, str]:
    """The facts on a rule as text, by message name (`budget`, `spent`, ...); empty where nothing is known."""
    return {
        "budget": _budget(report, translations),
        "spent": translations("rules.spent", n=report.alerts, days=report.days, paged=report.paged, false=report.false),
        "assessed": translations(
            "rules.assessed", right=report.right, false=report.false, n=report.alerts - report.right - report.false
        ),
        "precision": _precision(report, translations),
        "keys": _keys(report, translations),
        "per_key": _per_key(report, translations),
        "cannot_fire": translations(f"rules.cannot_{report.cannot_fire}") if report.cannot_fire else "",
    }


def _budget(report: RuleReport, translations: Translations) -> str:
    spike, budget = report.rule.spike or report.rule.silence, report.rule.budget
    if spike is None:
        return translations("rules.static")
    if budget is None:
        return translations("rules.fixed", score=f"{getattr(spike, 'z_count', 0):g}")
    if budget.each_key and report.keys is None:
        return spike.false_alerts
    return translations(
        "rules.allowed", budget=spike.false_alerts, allowed=f"{report.allowed or 0:.3g}", days=report.days
    )


def _precision(report: RuleReport, translations: Translations) -> str:
    found = report.precision
    if found.share is None:
        return translations("rules.not_assessed")
    low, high = translations.percent(found.low), translations.percent(found.high)
    return translations("rules.precise", share=translations.percent(found.share), n=found.n, low=low, high=high)


def _keys(report: RuleReport, translations: Translations) -> str:
    keys = report.keys
    if keys is None:
        return translations("rules.no_alerter")
    text = translations("rules.watched", n=keys.watched, learning=keys.learning, few=keys.too_few)
    return text + (translations("rules.others", n=keys.others) if keys.others else "")


def _per_key(report: RuleReport, translations: Translations) -> str:
    if report.per_key is None:
        return ""
    return translations("rules.per_key", allowed=f"{report.per_key:.3g}", days=report.days)


def _proposal(report: RuleReport, context: PageContext) -> str:
    found, translations = report.proposal, context.translations
    if found is None:
        return ""
    first, last = (translations.moment(ms) for ms in (found.first_ms, found.last_ms))
    return translations("rules.proposal", first=first, last=last, instead=found.instead, now=found.now)


def _notice(context: PageContext, title: str, text: str) -> str:
    heading = context.translations(title)
    return plain_page(
        context, "alerts", heading, render("alerts/notice.html", context.translations, title=heading, text=text)
    )
