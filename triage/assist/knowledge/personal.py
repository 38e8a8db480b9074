"""Finds personal data in articles with the product's own redaction, so that none gets into the index."""

import re
from collections.abc import Sequence

from triage.redaction import Redactor
from triage.redaction.kinds import KINDS

# What identifies a person or opens an account. Orders, links and dates in an article are examples, or the owner's.
_PERSONAL = ("email", "phone", "card", "iban", "national_id", "ip", "secret", "document", "plate")
_ROLES = (
    "support|service|services|help|helpdesk|info|contact|hello|care|customercare|customerservice|sales|billing|refunds?|"
    "returns?|orders?|shipping|privacy|security|fraud|abuse|legal|press|feedback|complaints?|claims|no-?reply|noreply|"
    "office|admin|team|kefu|cs"
)
# An address of a role is its company's, not a person's.
_ROLE = re.compile(rf"(?<![\w.+-])(?:{_ROLES})[\w.+-]{{0,20}}@(?=[\w-])", re.IGNORECASE)


class PersonalData:
    """Finds personal data; `own` are addresses and numbers that articles may hold (`assist.own_contacts`)."""

    def __init__(self, redactor: Redactor, own: Sequence[str] = ()) -> None:
        self._redactor = redactor
        self._own = sorted(own, key=len, reverse=True)
        self._placeholders = {KINDS[kind].placeholder: kind for kind in _PERSONAL if kind in KINDS}

    def find(self, text: str) -> list[tuple[int, str]]:
        """(line, kind) of all personal data in a text; lines count from 0."""
        for each in self._own:
            text = text.replace(each, "our contact")
        text = _ROLE.sub("our address ", text)
        # Placeholders that the text has itself are data of nobody.
        for placeholder in self._placeholders:
            text = text.replace(placeholder, "it")
        redacted = self._redactor.redact(text)
        if not redacted.changed:
            return []
        return [
            (redacted.text.count("\n", 0, span.start), kind)
            for span in redacted.spans
            if (kind := self._placeholders.get(redacted.text[span.start : span.end])) is not None
        ]
