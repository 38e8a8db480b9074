"""The benchmark of redaction runs and counts rightly; its results are not asserted."""

import pytest
from benchmark_runs import run_benchmark

from benchmarks.redaction import Line, Span, by_presidio, is_changed, is_found, load_lines, rows_of


def line(text, *values, kind="phone"):
    spans = tuple(Span(text.index(value), text.index(value) + len(value), kind) for value in values)
    return Line(text, "en", "test", spans)


@pytest.mark.parametrize(
    ("redacted", "found"),
    [
        ("call [PHONE] today", True),
        ("call [PHONE]0164 today", False),
        ("call 415 [PHONE] today", False),
        ("call (415) 555-0164 today", False),
    ],
)
def test_a_span_is_found_when_nothing_of_it_is_left(redacted, found):
    given = line("call (415) 555-0164 today", "(415) 555-0164")
    assert is_found(given, given.spans[0], redacted) is found


def test_what_stands_elsewhere_in_the_text_too_is_not_left_over():
    given = line("I paid 415 dollars, call 415-555-0164", "415-555-0164")
    assert is_found(given, given.spans[0], "I paid 415 dollars, call [PHONE]")
    assert not is_found(given, given.spans[0], "I paid 415 dollars, call 415-[PHONE]")


def test_words_for_signs_and_names_of_parameters_identify_nobody():
    mail = line("write to kiri at mail dot com", "kiri at mail dot com", kind="email")
    assert is_found(mail, mail.spans[0], "write to [EMAIL]")
    link = line("see https://a.example/?token=hT5k2L", "token=hT5k2L", kind="url_with_personal")
    assert is_found(link, link.spans[0], "see https://a.example/?token=")
    assert not is_found(link, link.spans[0], "see https://a.example/?hT5k2L")


def test_white_space_is_no_change():
    assert not is_changed(line("order 77 \n is late"), "order 77 is late")
    assert is_changed(line("order 77 is late"), "order [PHONE] is late")


def test_rows_count_kinds_languages_and_harmless_texts():
    lines = [line("call 415-555-0164", "415-555-0164"), line("order 77 is late")]
    rows = {row.name: row for row in rows_of(lines, {"one": ["call [PHONE]", "order 77 is late"]})}
    assert list(rows) == ["phone", "all kinds", "all kinds, en", "harmless changed", "harmless changed, en"]
    assert (rows["phone"].median, rows["harmless changed"].median) == (100, 0)


def test_spans_of_the_texts_are_within_them_and_not_blank():
    lines = load_lines()
    assert len(lines) > 640
    assert {one.split for one in lines} == {"test", "validation"}
    for one in lines:
        for span in one.spans:
            value = one.text[span.start : span.end]
            assert value, one.text
            assert value == value.strip(), one.text


def test_an_environment_without_presidio_is_named(tmp_path):
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho \"No module named 'presidio_analyzer'\" >&2\nexit 1\n", "utf-8")
    python.chmod(0o755)
    with pytest.raises(SystemExit, match="python: No module named"):
        by_presidio([line("hello")], str(python))


def test_it_publishes_a_row_for_kinds_and_harmless_texts():
    rows, _ = run_benchmark("redaction", "--limit", "40")
    assert {"all kinds", "harmless changed"} <= set(rows)
