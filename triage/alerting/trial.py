"""A test page through every receiver that is configured, once each."""

import asyncio

from triage.alerting.notifiers import Notification, Notifier, build_notifiers
from triage.clock import Clock, rfc3339
from triage.config import Settings
from triage.errors import TriageError
from triage.schemas.alert import Alert, Example


async def send_trial(
    settings: Settings, clock: Clock, notifiers: list[Notifier] | None = None
) -> dict[str, str | None]:
    """Send a page and its resolve to each receiver; returns what went wrong by receiver, None where nothing did."""
    chosen = build_notifiers(settings.alerting) if notifiers is None else notifiers
    problems = await asyncio.gather(*(_try(notifier, settings, clock) for notifier in chosen))
    return {notifier.name: problem for notifier, problem in zip(chosen, problems, strict=True)}


async def _try(notifier: Notifier, settings: Settings, clock: Clock) -> str | None:
    timeout_s = settings.alerting.notify_timeout_s
    try:
        async with asyncio.timeout(2 * timeout_s):
            for event in ("firing", "resolved"):
                await notifier.send(Notification(event, _alert(event, settings, clock)))
    except TimeoutError:
        return f"no answer within {2 * timeout_s:g} s"
    except TriageError as error:
        return str(error)
    finally:
        await notifier.close()
    return None


def _alert(event: str, settings: Settings, clock: Clock) -> Alert:
    now_ms = clock.now_ms()
    resolved = event == "resolved"
    return Alert(
        dedup_key=f"triage-test-{now_ms // 60_000}",
        rule="test",
        key="",
        dimensions={},
        status="resolved" if resolved else "firing",
        severity="info",
        title="Resolved: test of triage alerts" if resolved else "Test of triage alerts: nothing is wrong",
        summary="Someone ran `triage alerts test` to see whether pages arrive here. There is nothing to do.",
        started_at=rfc3339(now_ms),
        updated_at=rfc3339(now_ms),
        ended_at=rfc3339(now_ms) if resolved else None,
        window_s=settings.alerting.window_s,
        negative=0,
        total=0,
        share=0.0,
        peak_negative=0,
        console_url=settings.alerting.console_url,
        examples=[]
        if resolved
        else [Example("test", "A redacted example would stand here.", "other", "complaint", "")],
    )
