"""Finds web addresses and removes their personal parts."""

import re
from collections.abc import Callable
from urllib.parse import unquote

from triage.redaction.recognizers.common import MASK, Found

_PART = rf"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%{MASK}]"
_TOP = (
    r"(?:com|net|org|info|biz|co|io|me|app|shop|store|online|top|cn|cc|tv|ly|gl|gg|uk|us|eu|de|fr|in|jp|hk|tw|link|dev)"
)
_URL = re.compile(
    rf"(?i:(?:https?|ftp)://{_PART}++|(?<![a-z0-9@.\-])www\.[a-z0-9]{_PART}++"
    rf"|(?<![a-z0-9@.\-/{MASK}])(?:[a-z0-9][a-z0-9\-]{{0,62}}\.){{1,4}}{_TOP}(?::[0-9]{{2,5}})?/{_PART}*+)"
)
# Unencoded Chinese in a query: a value after =, or text followed by & or =.
_RAW_QUERY = re.compile(
    rf"(?:(?:(?<==)[\u4e00-\u9fff]{{1,10}}(?![\u4e00-\u9fff])|[\u4e00-\u9fff]{{1,30}}(?=[=&])){_PART}*+)++"
)
_SPLIT = re.compile(r"(?i:^((?:https?|ftp)://)?)([^/?#]*)([^?#]*)")
_TRAILING = ".,;:!?'*"
# Sites whose first path segment is a member's name or number.
_PROFILE_SITES = """
twitter.com x.com instagram.com facebook.com fb.com threads.net tiktok.com t.me weibo.com weibo.cn m.weibo.cn
linkedin.com reddit.com youtube.com medium.com github.com trustpilot.com xiaohongshu.com douyin.com zhihu.com
"""
_PROFILES = frozenset(_PROFILE_SITES.split())
_PROFILE_FOLDERS = frozenset({"u", "user", "users", "in", "profile", "people", "n", "member", "members"})
# On any site: `shop.example/users/jane-roe-88`, `user.example/jane-roe-88`.
_MEMBER_FOLDERS = frozenset((
    "u", "user", "users", "profile", "profiles", "member", "members", "customer", "customers", "author",
    "authors", "people", "reviewer", "reviewers",
))  # fmt: skip
# Not `my_orders`, `sign-in` or `edit.html`.
_MEMBER = re.compile(
    r"(?=.*[A-Za-z])(?=.*[0-9])[A-Za-z0-9_.\-]{4,60}|[A-Z][a-z]+[\-_][A-Z][a-z]+|[0-9]{5,20}"
    r"|(?!.*\.(?:html?|php|aspx?|jsp|js|json|xml)$)[A-Za-z]{2,30}\.[A-Za-z]{2,30}"
)
# First path segments of those sites that are not members.
_PLACES = frozenset(
    {"", "i", "r", "p", "reel", "hashtag", "search", "watch", "explore", "status", "detail", "share", "home", "review"}
)


def find_url(text: str) -> Found:
    found = []
    for match in _URL.finditer(text):
        end = match.start() + len(_trimmed(match[0]))
        if end == match.end() and "?" in match[0] and (more := _RAW_QUERY.match(text, end)):
            end = match.start() + len(_trimmed(text[match.start() : more.end()]))
        found.append((match.start(), end))
    return found


def _trimmed(url: str) -> str:
    """Remove punctuation of the surrounding sentence."""
    url = url.rstrip(_TRAILING)
    while url and (
        (url[-1] == ")" and url.count("(") < url.count(")")) or (url[-1] == "]" and url.count("[") < url.count("]"))
    ):
        url = url[:-1].rstrip(_TRAILING)
    return url


def cleaned_url(url: str, replaced: Callable[[str], str | None], *, handles: bool) -> str:
    """Remove the credentials, query and fragment of a URL.

    `replaced(part)` returns the placeholder for a part of the host or path that contains a redacted kind, or None; if
    `handles` is true, user names on social sites become [HANDLE].
    """
    match = _SPLIT.match(url)
    scheme, authority, path = (match[1] or "", match[2], match[3]) if match else ("", url, "")
    host = authority.rpartition("@")[2]
    parts = path.split("/")
    if handles and (host.lower().removeprefix("www.").removeprefix("mobile.") in _PROFILES) and len(parts) > 1:
        at = 2 if parts[1].lower() in _PROFILE_FOLDERS and len(parts) > 2 else 1
        if parts[at].lower() not in _PLACES and not parts[at].startswith("["):
            parts[at] = "[HANDLE]"
    elif handles:
        _hide_members(host, parts)
    parts = [_part(part, replaced) for part in parts]
    return scheme + (_part(host, replaced) or host) + "/".join(parts)


def _hide_members(host: str, parts: list[str]) -> None:
    """Replace what stands after the folder or the host of members, if it looks like a name that somebody chose."""
    folders = [host.lower().partition(".")[0], *(part.lower() for part in parts[1:-1])]
    for at, folder in enumerate(folders, 1):
        if folder in _MEMBER_FOLDERS and len(parts) > at and _MEMBER.fullmatch(parts[at]):
            parts[at] = "[HANDLE]"


def _part(part: str, replaced: Callable[[str], str | None]) -> str:
    return (replaced(unquote(part)) or part) if len(part) > 3 else part
