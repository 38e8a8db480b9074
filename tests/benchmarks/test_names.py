"""The benchmark of names runs and counts rightly; its results are not asserted."""

from benchmark_runs import run_benchmark

from benchmarks.names import Outcome, eaten_row, is_name_found, own_lines, recall_rows, uner_lines
from benchmarks.redaction import Line, Span


def _line(text, *values):
    return Line(
        text, "en", "test", tuple(Span(text.index(one), text.index(one) + len(one), "person") for one in values)
    )


def test_a_name_is_found_when_no_word_of_it_is_left():
    line = _line("ask Mrs Jane Smith", "Mrs Jane Smith")
    assert is_name_found(line, line.spans[0], "ask [PERSON]")
    assert is_name_found(line, line.spans[0], "ask Mrs [PERSON]")
    assert not is_name_found(line, line.spans[0], "ask Mrs [PERSON] Smith")
    chinese = _line("我是王小明", "王小明")
    assert is_name_found(chinese, chinese.spans[0], "我是[PERSON]明")
    assert not is_name_found(chinese, chinese.spans[0], "我是[PERSON]小明")


def test_what_is_no_part_of_a_name_is_eaten():
    outcome = Outcome(_line("ask Jane at Acme", "Jane"), "ask Jane at Acme", "ask [PERSON] at [PERSON]")
    assert outcome.replaced() == ["Jane", "Acme"]
    assert outcome.eaten() == ["Acme"]
    assert (eaten_row("x", [outcome]).name, eaten_row("x", [outcome]).median) == ("x: eaten", 1_000)
    assert recall_rows("x", [outcome])[0].median == 100


def test_spans_of_the_texts_are_within_them_and_not_blank():
    lines = own_lines()
    assert len(lines) >= 120
    assert {one.language for one in lines} == {"en", "zh", "zh-Hant"}
    for one in (*lines, *uner_lines()):
        for span in one.spans:
            value = one.text[span.start : span.end]
            assert value, one.text
            assert value == value.strip(), one.text


def test_it_publishes_recall_and_what_was_eaten():
    rows, _ = run_benchmark("names", "--limit", "12", "--sample", "4")
    assert {"own: person found, en", "own: eaten", "UNER: eaten", "banking77: replaced", "own: on"} <= set(rows)
