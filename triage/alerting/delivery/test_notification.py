"""Sends test notifications to every configured receiver: a page, its acknowledgement and its resolve."""

import asyncio

from triage.alerting.notifiers import Notification, Notifier, build_notifiers
from triage.clock import Clock, rfc3339
from triage.config import AlertingSettings, Settings
from triage.errors import TriageError
from triage.schemas.alert import Acknowledgement, Alert, Chart, Event, Example, Share

_STEPS = 24
_TEXTS = {
    "en": (
        "Test of triage alerts: nothing is wrong",
        "Resolved: test of triage alerts",
        "Someone ran `triage alerts test` to see whether pages arrive here. There is nothing to do.",
        "Here you would read a redacted example.",
    ),
    "zh": (
        "triage 告警测试：一切正常",
        "已恢复：triage 告警测试",
        "有人运行了 `triage alerts test`，以确认告警能否送达。无需处理。",
        "这里将显示脱敏后的用户原话。",
    ),
}


async def send_test_notification(
    settings: Settings, clock: Clock, notifiers: list[Notifier] | None = None
) -> dict[str, dict[Event, str | None]]:
    """Send a page, its acknowledgement and its resolve to each receiver, as a test.

    Returns, by receiver and event, the error, or None if it was accepted. After an error, nothing more is sent to that
    receiver. `notifiers` defaults to all that the settings configure.
    """
    chosen = build_notifiers(settings.alerting) if notifiers is None else notifiers
    # One key for all messages of a test, however long receivers take; another a second later.
    dedup_key = f"triage-test-{clock.now_ms() // 1000}"
    results = await asyncio.gather(*(_test(notifier, dedup_key, settings.alerting, clock) for notifier in chosen))
    return {notifier.name: answers for notifier, answers in zip(chosen, results, strict=True)}


async def _test(
    notifier: Notifier, dedup_key: str, settings: AlertingSettings, clock: Clock
) -> dict[Event, str | None]:
    events: list[Event] = ["firing", "resolved"]
    if getattr(notifier, "acknowledges", False):
        events.insert(1, "acknowledged")
    answers: dict[Event, str | None] = {}
    try:
        for event in events:
            notification = Notification(event, _alert(event, dedup_key, settings, clock))
            answers[event] = await _send(notifier, notification, settings)
            if answers[event] is not None:
                break
    finally:
        await notifier.close()
    return answers


async def _send(notifier: Notifier, notification: Notification, settings: AlertingSettings) -> str | None:
    try:
        async with asyncio.timeout(settings.notify_timeout_s):
            await notifier.send(notification)
    except TimeoutError:
        return f"no answer within {settings.notify_timeout_s:g} s"
    except TriageError as error:
        return str(error)
    return None


def _alert(event: Event, dedup_key: str, settings: AlertingSettings, clock: Clock) -> Alert:
    now_ms = clock.now_ms()
    over = event == "resolved"
    title, resolved, summary, example = _TEXTS[settings.language]
    start_ms = now_ms - _STEPS * settings.window_s * 1000
    observed = [1] * (_STEPS - 4) + [3, 6, 8, 7]
    return Alert(
        dedup_key=dedup_key,
        rule="test",
        key="",
        dimensions={},
        status="resolved" if over else "firing",
        severity="info",
        title=resolved if over else title,
        summary=summary,
        started_at=rfc3339(now_ms - settings.window_s * 1000),
        updated_at=rfc3339(now_ms),
        ended_at=rfc3339(now_ms) if over else None,
        window_s=settings.window_s,
        negative=0,
        total=0,
        share=0.0,
        peak_negative=0,
        console_url=settings.console_url,
        kibana_url=settings.kibana_url,
        acknowledged=Acknowledgement("triage", rfc3339(now_ms)) if event == "acknowledged" else None,
        top_words=[Share("test", 8, 1.0)],
        examples=[Example("test", example, "other", "complaint", "")],
        chart=Chart(rfc3339(start_ms), settings.window_s, observed, [1.2] * _STEPS),
    )
