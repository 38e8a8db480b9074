"""The path prefix of a request: from a trusted proxy's header or a setting, and what is built with it."""

import pytest
from starlette.requests import HTTPConnection

from triage.config.web import normalized_prefix
from triage.web.prefix import apply_prefix, local_target, prefix_of, root_of


def _applied(path, *headers, configured=""):
    scope = {
        "type": "http", "scheme": "http", "server": ("console.example", 80), "path": path, "query_string": b"",
        "headers": [(b"host", b"console.example"), *((b"x-forwarded-prefix", each.encode()) for each in headers)],
    }  # fmt: skip
    apply_prefix(scope, configured)
    return HTTPConnection(scope)


@pytest.mark.parametrize(
    ("headers", "prefix"),
    [
        ([], ""),
        (["/triage"], "/triage"),
        (["/triage/"], "/triage"),
        (["/tools/triage-2.0"], "/tools/triage-2.0"),
        (["/outer", "/inner"], "/outer/inner"),
        (["/outer, /inner/"], "/outer/inner"),
        (["/"], ""),
        ([""], ""),
        (["//other.example"], "/other.example"),
        (["/a/../b"], ""),
        (["/a b"], ""),
        (['/"><script>'], ""),
        (["/a\\b"], ""),
        (["/" + "a" * 300], ""),
    ],
)
def test_the_header_names_it_or_counts_for_nothing(headers, prefix):
    connection = _applied("/explore", *headers)
    assert prefix_of(connection) == prefix
    assert connection.scope["path"] == "/explore"
    assert connection.headers.getlist("x-forwarded-prefix") == ([prefix] if prefix else [])
    assert root_of(connection) == (f"{prefix}/" if prefix else "./")


@pytest.mark.parametrize(
    ("path", "inner"),
    [
        ("/triage/records/a b%", "/records/a b%"),
        ("/triage/", "/"),
        ("/triage", "/"),
        ("/explore", "/explore"),
        ("/triage2/x", "/triage2/x"),
    ],
)
def test_a_setting_counts_instead_and_the_path_may_have_it(path, inner):
    connection = _applied(path, "/other", configured="/triage")
    assert connection.scope["path"] == inner
    assert connection.headers["x-forwarded-prefix"] == prefix_of(connection) == "/triage"


def test_without_one_the_top_is_relative_to_the_page():
    assert [root_of(_applied(path)) for path in ("/", "/explore", "/alerts/a", "/a/b/c")] == [
        "./", "./", "../", "../../"
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["alerts/a?b=c", "", "explore?q=//x:y", "records/r1"])
def test_an_address_below_the_top_may_be_returned_to(text):
    assert local_target(text) == text


@pytest.mark.parametrize(
    "text",
    ["//evil.example", "https://evil.example", "/\\evil.example", "\\evil", "../x", "a/../../x", "javascript:alert(1)",
     "x\r\nSet-Cookie:a=b", "/x", "a//b", ".//x"],
)  # fmt: skip
def test_no_other_address_is(text):
    assert local_target(text) == ""


def test_a_prefix_is_written_in_one_way_and_says_what_is_wrong():
    assert [normalized_prefix(text) for text in ("triage", "/triage/", " /a/b ", "/", "")] == [
        "/triage", "/triage", "/a/b", "", ""
    ]  # fmt: skip
    for wrong in ("/a?b", "/ä", "/a//b", "/..", "https://x/y"):
        with pytest.raises(ValueError, match="is not a path such as /triage"):
            normalized_prefix(wrong)
