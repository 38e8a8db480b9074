"""Reads a polite demand for what should have been done long ago as evidence of a negative sentiment.

"Could you please finally refund me" has no word of anger, so a model calls it neutral, like "Could you please send me
the invoice". The difference is a sign that something is owed or went wrong: how often it was asked, how long it
lasts, what must stop, what was forgotten. Form and sign together shift the probabilities from neutral to negative; a
text that the model clearly finds neutral or positive stays so.
"""

import math
import re
from collections.abc import Mapping

from triage.beginnings import any_beginning
from triage.han import simplified
from triage.keywords import KeywordGroups, caseless
from triage.literals import required_literals

OVERDUE_WEIGHT = 2.5
"""Shift of the logits by a sign that it was asked before or lasts long: negative gains it, neutral loses it."""
FAULT_WEIGHT = 1.2
"""The same by a sign that something went wrong: many report that without displeasure."""
_NUMBER = r"(?:two|three|four|five|six|seven|eight|nine|ten|[2-9]|[1-9]\d)"
_RANK = r"(?:second|third|fourth|fifth|sixth|\d+(?:nd|rd|th))"
_LETTER = r"(?:mail|e-?mail|message|letter|call|request|ticket|reminder)"


def _any_of(english: tuple[str, ...], chinese: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(english)})\b|{any_beginning([chinese])}", re.IGNORECASE)


_FORM = _any_of(
    (
        "please|kindly|gentle|gently|politely|excuse me|sorry to|perhaps you|i understand you",
        "(?:could|would|can|will) (?:you|someone|somebody|anyone)|if (?:someone|somebody|you) could",
        "would it be|(?:may|might) i|i (?:was|am) hoping|i wonder|i(?:'d| would) (?:be|appreciate|like)",
        "be so (?:kind|good)|with (?:all due )?respect",
    ),
    "请|麻烦|劳烦|劳驾|烦请|拜托|恳请|希望|能否|能不能|可否|可不可以|可以.{0,12}吗|方便|打扰|不好意思|辛苦|您好"
    "|谢谢|感谢|感恩|贵[司方公]|唔该|唔好意思",
)
_OVERDUE = _any_of(
    (
        r"finally|at last|still (?:not?|wait\w*|have ?n.t|has ?n.t|without|wrong|open(?! for)|missing|broken)",
        rf"(?:for|since) (?:days|weeks|months|years|ages|last)|{_NUMBER} (?:days|weeks|months) (?:ago|now|late)",
        rf"{_RANK} (?:time|{_LETTER})|(?:last|previous|earlier) (?:{_NUMBER} )?{_LETTER}s?",
        "as i (?:have )?asked|i (?:have )?(?:already )?asked (?:you|for|before|twice)|remind(?:er| you)|nudge",
        r"once more|yet again|bother you again|stop (?:\w+ing)|you (?:have )?(?:forgot|promised)|not acceptable",
        r"(?:fixed|right|working|repl\w+(?: to me)?) this (?:time|week|month|year)",
        r"not to (?:\w+ ){1,5}(?:again|next time)",
    ),
    "至今|到底|还要等|还在等|等了|已经.{0,6}(?:天|周|个月|小时|年)|[二三四五六两2-9]次(?:还|都|仍)"
    "|第[二三四五六七2-9]次|(?:别|不要|勿)再|再次打扰|什么时候才|何时才|推[脱诿]|忘记处理|给个?说法"
    "|未解决|没解决|没有解决|白等|白跑",
)
_FAULT = _any_of(
    (
        "you (?:have )?(?:lost|broke)|promised|w(?:as|ere) missing|missing (?:parts?|pieces?|items?|half)",
        "(?:other|rest) (?:half )?of my order|the wrong|(?:is|was) wrong|broken|damaged",
        "charged? (?:me )?(?:twice|again)",
        r"(?:did ?n.t|did not|never) (?:turn|show|come|came|arrive\w*|sign\w*|order\w*|ask\w*|receive\w*|answer\w*)",
        "without (?:a word|asking|notice|telling)|why (?:was i|was my|is my|are my|am i|were my)",
        "(?:somebody|someone) who can|actually works?",
    ),
    "还是(?:没|不|漏|坏|打|有问题|一样)|没(?:动静|消息|回音|下文)|没有?人(?:来|接|回|理|管|处理|跟进|解释|联系)"
    "|一直(?:没|不|打不|漏|滴|有)|漏发|漏寄|少发|缺的|寄错|发错|送错|搞错|弄错|(?:重复|多|乱|错)扣|没订过|打不通"
    "|被(?:封|冻结|取消)|改进|重视|尽快(?:退|给|答|回|解决|处理|补|发)",
)
_FAILURES = "ignoring|wasting|losing|breaking|ruining|forgetting|cancell?ing|nothing|not"
_MOCKING = _any_of(
    (rf"thank(?:s| you)(?: (?:so|very) much)? for (?:{_FAILURES})",), "[谢感]谢.{0,8}(?:白等|白跑|白花|浪费|耽误)"
)


# A text without any of these parts needs no search. An expression without certain parts is refused: its group is `""`.
_SIGNS = KeywordGroups(
    {name: required_literals(pattern.pattern) or ("",) for name, pattern in (("mocking", _MOCKING), ("form", _FORM))}
)


def with_demand(sentiment: Mapping[str, float], text: str) -> dict[str, float]:
    """The probabilities `sentiment` (by label), made more negative if `text` is a demand that was not met yet."""
    # The search takes longer than all else here, and a text that is negative already needs no evidence.
    clear = sentiment.get("negative", 0.0) > 0.5
    negative, positive = (0.0, 0.0) if clear else _shifts(simplified(text))
    if not negative:
        return dict(sentiment)
    shifts = {"negative": negative, "neutral": -negative, "positive": positive}
    powers = {label: p * math.exp(shifts.get(label, 0.0)) for label, p in sentiment.items()}
    total = sum(powers.values())
    return {label: power / total for label, power in powers.items()}


def _shifts(text: str) -> tuple[float, float]:
    """Shifts of the logits of negative and positive by a text in simplified characters."""
    signs = _SIGNS.find(caseless(text))
    if "mocking" in signs and _MOCKING.search(text):
        return OVERDUE_WEIGHT, -OVERDUE_WEIGHT
    if "form" not in signs or not _FORM.search(text):
        return 0.0, 0.0
    if _OVERDUE.search(text):
        return OVERDUE_WEIGHT, 0.0
    return (FAULT_WEIGHT, 0.0) if _FAULT.search(text) else (0.0, 0.0)
