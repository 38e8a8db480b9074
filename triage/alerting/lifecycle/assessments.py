"""Assessments of alerts: users mark an alert as right or false, and the latest mark counts. Pure."""

from collections.abc import Iterable
from typing import Literal

from triage.clock import rfc3339
from triage.schemas.action import Judge
from triage.schemas.alert import Assessment

Verdict = Literal["right", "false", "withdrawn"]
VERDICTS: tuple[Verdict, ...] = ("right", "false", "withdrawn")


class Assessments:
    """The latest assessment of each alert, by dedup key, including withdrawn ones.

    The order in which assessments are added does not matter: the one with the latest time counts.
    """

    def __init__(self, actions: Iterable[Judge] = ()) -> None:
        self._by_key: dict[str, Judge] = {}
        for action in actions:
            self.put(action)

    def put(self, action: Judge) -> None:
        known = self._by_key.get(action.dedup_key)
        if known is None or known.at_ms <= action.at_ms:
            self._by_key[action.dedup_key] = action

    def __contains__(self, dedup_key: object) -> bool:
        """True if somebody assessed the alert, also if the assessment was withdrawn."""
        return dedup_key in self._by_key

    def get(self, dedup_key: str) -> Assessment | None:
        """The assessment of an alert; None if there is none, or if it was withdrawn."""
        action = self._by_key.get(dedup_key)
        if action is None or action.verdict == "withdrawn":
            return None
        return Assessment(action.verdict, action.actor, rfc3339(action.at_ms), action.comment)

    def keys(self) -> list[str]:
        """Dedup keys of all alerts that a user has assessed."""
        return list(self._by_key)
