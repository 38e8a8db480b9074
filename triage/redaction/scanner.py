"""Runs the finders in order of precedence; each searches the text with earlier finds masked."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from triage.redaction.kinds import LABELS, PLACEHOLDER
from triage.redaction.normalization import normalize
from triage.redaction.recognizers import accounts, amounts, bank_details, contact, documents, orders, secrets, urls
from triage.redaction.recognizers.common import MASK, Finder, Found, mask, merged
from triage.redaction.recognizers.phones import PhoneFinder
from triage.redaction.signs import may_hold_url, signs_near_digits, words_in

# Digits and the text between them; most finders need to read only these windows.
_DIGITS = re.compile(r"[0-9]++(?:[^0-9]{1,80}[0-9]++)*+")
_REACH = 40
# Seven digits with at most three other characters between them: the minimum of a phone or account number.
_LONG_NUMBER = re.compile(r"[0-9](?:(?:[^0-9]{0,3}|%20)[0-9]){6}")
_LEAST_LONG = 7
# The least of a sort code and of an identity number with letters.
_SIX_DIGITS = re.compile(r"[0-9](?:[ \-]?[0-9]){5}")
_LEAST_SIX = 6
_OF_SIX: tuple[tuple[str, Finder], ...] = (
    ("iban", accounts.find_sort_code),
    ("national_id", accounts.find_lettered_id),
)
_ANY_LENGTH: tuple[tuple[str, Finder], ...] = (("plate", accounts.find_plate), ("ip", contact.find_ip))
# By the signs (see `signs_near_digits`) that a text must have.
_SHORT: tuple[tuple[frozenset[str], str, Finder], ...] = (
    (frozenset({"tracking_id"}), "tracking_id", orders.find_tracking),
    (frozenset({"order_id"}), "order_id", orders.find_order),
    (frozenset({"date", "numeric date"}), "date", amounts.find_date),
    (frozenset({"date"}), "date", amounts.find_named_date),
    (frozenset({"numeric date"}), "date", amounts.find_numeric_date),
    (frozenset({"money"}), "money", amounts.find_money),
)

# In a text without any of the characters these words say nothing: without digits, placeholders, Chinese dates, amounts
# and machine-readable lines.
_HARMLESS = frozenset({"short handle", "secret"})
_ANY_SIGN = re.compile(r"[0-9\[月元圆块蚊<]")


class Hit(NamedTuple):
    """An entity or placeholder found in a normalized text, at `start:end`.

    `label` is its kind, None for a placeholder of unknown kind; `replacement` replaces it, None keeps the text.
    """

    start: int
    end: int
    label: str | None
    replacement: str | None


class Scanner:
    """Finds the entities of all kinds in normalized texts.

    `replacements` has the placeholder of each kind, or None to keep the text; `region` (ISO 3166 alpha-2) is the
    country of national phone numbers.
    """

    def __init__(self, replacements: Mapping[str, str | None], region: str) -> None:
        self.replacements = replacements
        self.long: tuple[tuple[str, Finder], ...] = (
            ("iban", accounts.find_account),
            ("national_id", accounts.find_national_id),
            ("tracking_id", orders.find_strong_tracking),
            ("order_id", orders.find_strong_order),
            ("card", accounts.find_card),
            ("card", bank_details.find_bank_card),
            ("iban", bank_details.find_bank_details),
            ("phone", PhoneFinder(region)),
        )

    @staticmethod
    def find_plain(texts: Sequence[str]) -> list[bool]:
        """For each normalized text, True if `scan` certainly finds nothing in it; most texts are told by that.

        Each test is made of all texts before the next one, so that its code and tables stay in the processor's cache.
        """
        words = [words_in(text) for text in texts]
        return [_is_plain(text, found) for text, found in zip(texts, words, strict=True)]

    def scan(self, text: str) -> list[Hit]:
        """Find the entities and placeholders in a normalized text; they are sorted and do not overlap."""
        work = _Work(text, self.replacements)
        work.take_placeholders()
        if may_hold_url(work.text):
            self._take_urls(work)
        self._take_entities(work)
        return sorted(work.hits)

    def _take_entities(self, work: "_Work") -> None:
        words = words_in(work.text)
        if "email" in words:
            work.take("email", contact.find_email(work.text))
        if "secret" in words or "secret of letters" in words or MASK in work.text:
            work.take("secret", secrets.find_secret(work.text))
        runs = [run.span() for run in _DIGITS.finditer(work.text)]
        if runs or "<<" in work.text:
            work.take("national_id", documents.find_document(work.text))
        if runs:
            work.take_within(_windows(work.text, runs, _LEAST_LONG, _LONG_NUMBER), self.long)
            work.take_within(_windows(work.text, runs, _LEAST_SIX, _SIX_DIGITS), _OF_SIX)
            work.take_within(_windows(work.text, runs), _ANY_LENGTH)
        if "handle" in words or "@" in work.text or ("short handle" in words and contact.has_short_name(work.text)):
            work.take("handle", contact.find_handle(work.text))
        if runs and (signs := signs_near_digits(work.text)):
            work.take_within(_windows(work.text, runs), _short_finders(signs))
        if "月" in work.text:
            work.take("date", amounts.find_chinese_date(work.text))
        if "元" in work.text or "圆" in work.text or "块钱" in work.text or "蚊" in work.text:
            work.take("money", amounts.find_chinese_money(work.text))

    def _take_urls(self, work: "_Work") -> None:
        replacement = self.replacements["url"]
        for start, end in work.take("url", urls.find_url(work.text)):
            url = work.unmasked(start, end)
            if replacement is None:
                cleaned = urls.cleaned_url(url, self._part, handles=self.replacements["handle"] is not None)
                work.replace(start, cleaned)

    def _part(self, part: str) -> str | None:
        """The placeholder for a part of a web address; None to keep it."""
        if PLACEHOLDER.fullmatch(part):
            return None
        work = _Work(normalize(part).text, self.replacements)
        work.take_placeholders()
        self._take_entities(work)
        return next((hit.replacement for hit in sorted(work.hits) if hit.replacement), None)


def _is_plain(text: str, words: frozenset[str]) -> bool:
    """True if none of what follows in `Scanner.scan` finds anything in a text with these words."""
    if not words <= _HARMLESS or _ANY_SIGN.search(text) is not None:
        return False
    return not may_hold_url(text) and ("short handle" not in words or not contact.has_short_name(text))


def _windows(text: str, runs: Found, least: int = 1, number: re.Pattern[str] | None = None) -> Found:
    """The surroundings of the runs of digits that have at least this length and hold a `number`."""
    windows = [(max(0, start - _REACH), end + _REACH) for start, end in runs if end - start >= least]
    return windows if number is None else [window for window in windows if number.search(text, *window)]


def _short_finders(signs: frozenset[str]) -> tuple[tuple[str, Finder], ...]:
    """The finders of short numbers for a text with these signs, one for each kind."""
    found: dict[str, Finder] = {}
    for needed, label, finder in _SHORT:
        if needed <= signs:
            found.setdefault(label, finder)
    return tuple(found.items())


class _Work:
    """A text in which earlier finds are masked, and the hits so far."""

    def __init__(self, text: str, replacements: Mapping[str, str | None]) -> None:
        self.text = text
        self._original = text
        self._replacements = replacements
        self._hits: dict[int, Hit] = {}

    @property
    def hits(self) -> list[Hit]:
        return list(self._hits.values())

    def take_placeholders(self) -> None:
        if "[" not in self.text:
            return
        for match in PLACEHOLDER.finditer(self.text):
            self._hits[match.start()] = Hit(*match.span(), LABELS.get(match[0]), match[0])
        self.text = mask(self.text, [(hit.start, hit.end) for hit in self._hits.values()])

    def take(self, label: str, found: Found) -> Found:
        if found:
            found = merged(found)
            replacement = self._replacements[label]
            self._hits.update((start, Hit(start, end, label, replacement)) for start, end in found)
            self.text = mask(self.text, found)
        return found

    def take_within(self, windows: Found, finders: tuple[tuple[str, Finder], ...]) -> None:
        for label, finder in finders if windows else ():
            self.take(
                label,
                [
                    (first + start, first + end)
                    for first, last in windows
                    for start, end in finder(self.text[first:last])
                ],
            )

    def unmasked(self, start: int, end: int) -> str:
        """The original text at `start:end`; hits inside that range are removed."""
        for at in [at for at in range(start + 1, end) if at in self._hits]:
            del self._hits[at]
        return self._original[start:end]

    def replace(self, start: int, replacement: str) -> None:
        self._hits[start] = self._hits[start]._replace(replacement=replacement)
