"""Finds numbers of passports, permits, licences and other personal documents that are named in the same sentence."""

import re

from triage.redaction.recognizers.common import Found, Signs, cue_before, cue_words, cued, merged, scan
from triage.redaction.recognizers.near import is_amount, is_number, near, stands_near, with_siblings

# A text without any of these, in lower case, names no document; they are parts of the words in cues.yaml.
_SIGNS = Signs(
    "pass", "permi", "lic", "visa", "<<", "travel doc", "reisep", "ausweis", "führer", "pasap", "identi", " dl",
    "dl#", "dl ", "a-number", "alien", "uscis", "brp", "seaman", "green card", "nie", "pp no", "pp nu", "证",
    "照", "签", "许可", "纸", "乡", "身份书", "身分", "ni ", "ni:", "sin", "medicare", "pan ", "my ic", "rrn",
    "kimlik", "tckn", "ein", "tfn", "nhs", "hkid", "voter", "tax id", "ss ", "ss#", "nat ins", "social",
    "soc sec", "utr", "pps", "cedula", "cédula", "rut", "personn", "personal n", "cpr", "dselsnum", "vat id",
    "rfc", "curp", "cuit", "cnic", "nik ", "bvn", "nin ", "税号", "识别号", "社保", "医保", "健保",
)  # fmt: skip
_WORDS = re.compile(cue_words("document"))
_NEAR = near("document")
_FILLERS = (
    r"['’]s(?![a-z])| ?(?:numbers?|nos?|num|nr|n°|№|code|card|book|id)(?![a-z])| (?:is|was|as|are|of|being)(?![a-z])"
    r"|字?号码?|编号|档案编?号?|序号|上的|号?(?:改|换|填|写|打|变|输)?(?:成|为|错了?)|是|为|系"
    r"|[ .:：#\-=(（\[「『\"“'’,，|\n]"
)
_RIGHT_AFTER = cue_before("document", _FILLERS)
_OF_PERSON = cue_before("person_number", _FILLERS)
# The least that any of them has: five digits, or a run of capitals and digits.
_LIKELY = re.compile(
    r"[0-9](?:[ \-]?[.]?[A-Za-z]{0,6}[0-9]){4}|[A-Z0-9]{8}|<<|[末后][四五六4-6]|last [46sf]|字第?[0-9]{4}"
)
# Right after the word: any run of letters and digits with some digits; in groups, each has a digit.
_AFTER = re.compile(
    r"(?<![A-Za-z0-9])(?:[A-Z]{1,8}[ \-])?(?=[A-Za-z]{0,9}[0-9])[A-Za-z0-9]{1,20}"
    r"(?:[ .\-](?=[A-Za-z]{0,6}[0-9])[A-Z0-9]{1,14}){0,5}"
    r"(?: ?\([0-9A]\)|(?<=[ \-][0-9]{2})[ \-][A-D]|(?<=[0-9]{3})-[A-Z])?(?![A-Za-z0-9])"
)
# Some words further: only what looks like the number of a document.
_FORM = re.compile(
    r"(?<![A-Za-z0-9.\-/#_])(?:[A-Z]{1,3}[ \-]?[0-9]{6,10}[A-Z]?|[a-z]{1,2}[0-9]{7,9}|[0-9]{2}[A-Z]{2}[0-9]{5}"
    r"|(?=(?:[A-Z]*[0-9]){4})(?=[0-9]*[A-Z])[A-Z0-9]{9,18}|[0-9]{8,12}"
    r"|[A-Z]{0,3}[ \-]?[0-9]{2,4}(?:[ \-][0-9]{2,5}){1,3})(?:\([0-9A]\))?(?![A-Za-z0-9]|[\-/][0-9])"
)
_LEAST_DIGITS = 6
# Some countries use more letters: C4VL1PYK7.
_MIXED = re.compile(r"[A-Z0-9]{8,16}")
_LEAST_OF_MIXED = 2
# Identity papers of soldiers: 南字第01234567号.
_SOLDIER = re.compile(r"[\u4e00-\u9fff]字第?[0-9]{4,10}号?")
_SOLDIER_CUE = re.compile(r"证件?号?码?(?:是|为|系|[ .:：#])*$")
# Part of an identity number.
_LAST_DIGITS = re.compile(r"(?<![A-Za-z0-9])[0-9]{3,6}[Xx]?(?![A-Za-z0-9]|[.,:/\-][0-9])")
_LAST_CUE = re.compile(
    r"(?:身[份分]证(?:字?号码?)?(?:的)?(?:最后|后|末)[四五六4-6](?:位|码|个)(?:数字?)?(?:是|为|系|[ .:：])*"
    r"|(?i:last (?:4|four|5|five|6|six)(?: digits?| numbers?)? (?:of )?(?:my |the )?(?:ssn"
    r"|social(?: security)?(?: number)?)(?: is| are|[ .:])*))$"
)
# The machine-readable lines of passports and cards, ICAO 9303.
_MRZ = re.compile(
    r"(?<![A-Z0-9])(?:[PIACV][A-Z<][A-Z]{3}[A-Z<]{2,39}<[A-Z<]*"
    r"|[A-Z0-9<]{9}[0-9<][A-Z<]{3}[0-9]{7}[MFX<][0-9]{7}[A-Z0-9<]{2,16})"
)


def find_document(text: str) -> Found:
    """Find numbers of personal documents that are named in the same sentence."""
    if not _LIKELY.search(text):
        return []
    if not _SIGNS.any_in(text.lower()):
        return []
    found = [match.span() for match in _LAST_DIGITS.finditer(text) if cued(text, match.start(), _LAST_CUE)]
    found += [match.span() for match in _MRZ.finditer(text) if "<" in match[0]]
    numbers = scan(_AFTER, text, _is_right_after)
    if _WORDS.search(text):
        further = scan(_FORM, text, lambda match: _digits(match) >= _LEAST_DIGITS and stands_near(match, _NEAR))
        numbers = merged(numbers + further)
        found += scan(_SOLDIER, text, lambda match: cued(text, match.start(), _SOLDIER_CUE))
    return merged(found + with_siblings(text, numbers, _FORM, is_number))


def _is_right_after(match: re.Match[str]) -> bool:
    digits = _digits(match)
    return (
        (digits >= _LEAST_DIGITS - 1 or (digits >= _LEAST_OF_MIXED and _MIXED.fullmatch(match[0]) is not None))
        and any(cued(match.string, match.start(), cue) for cue in (_RIGHT_AFTER, _OF_PERSON))
        and not is_amount(match)
    )


def _digits(match: re.Match[str]) -> int:
    return sum(char.isdigit() for char in match[0])
