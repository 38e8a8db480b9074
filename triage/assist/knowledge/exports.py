"""Reads what exports of help centres say about an article: whether it is published, and who may read it."""

import re
from collections.abc import Mapping
from typing import Any, get_args

from triage.schemas.knowledge import ArticleKind

_PREFIX = "article_"
_PUBLIC = {"everyone", "anyone", "all", "all users", "visitors", "公开", "所有人"}
_PRIVATE = {
    "restricted", "hidden", "internal only", "agents and admins", "agents and managers",
    "signed-in users", "signed in users", "logged-in users", "logged in users", "内部", "私密",
}  # fmt: skip
_UNPUBLISHED = {"draft", "unpublished", "notpublished", "archived", "deleted", "in review", "草稿", "未发布", "已归档"}
_TRUE = {"true", "1", "yes"}
# Groups of readers: an article that has one is not for everybody.
_SEGMENTS = ("user_segment_id", "user_segment_ids")


def fields_of_export(fields: Mapping[str, Any]) -> dict[str, Any] | None:
    """The fields by the names that an article has, as far as an export has others; None for what is not published.

    `Article ID` is `id`. An audience that is not known stays as it is, so that the article is refused.
    """
    values = {_name(name): value for name, value in fields.items()}
    if _said(values, "draft") in _TRUE or any(_said(values, name) in _UNPUBLISHED for name in ("status", "state")):
        return None
    audience = _audience(_said(values, "audience") or _said(values, "visibility"))
    values["audience"] = audience or ("internal" if any(map(values.get, _SEGMENTS)) else "")
    if _said(values, "type") not in get_args(ArticleKind):
        # In exports it is that of the record: `article`.
        values.pop("type", None)
    return values


def _audience(text: str) -> str:
    if text in _PUBLIC:
        return "public"
    return "internal" if text in _PRIVATE else text


def _name(name: str) -> str:
    return re.sub(r"[\s-]+", "_", str(name).strip().lower()).removeprefix(_PREFIX)


def _said(values: Mapping[str, Any], name: str) -> str:
    value = values.get(name)
    return "" if value is None else str(value).strip().lower()
