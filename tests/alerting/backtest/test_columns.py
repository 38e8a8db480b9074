"""Columns of a CSV file: read in pieces, they are what csv's reader says, with the same line numbers."""

import csv
import io

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from triage.alerting.backtest import columns as backtest_columns
from triage.alerting.backtest.columns import ColumnFile
from triage.errors import SourceError

CELL = st.one_of(st.sampled_from(["", "k1", "12", "brand=Å|x", ",", '"', "a\nb", "\r\n", " k "]), st.text(max_size=4))
# csv's writer leaves a carriage return alone unquoted, which its reader then takes for the end of a row.
ROW = st.lists(CELL.filter(lambda text: text == "\r\n" or not {"\0", "\r"} & {*text}), min_size=3, max_size=3)


def expected(content):
    """Header, rows, and the line that each ends on."""
    reader = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
    header = [cell.strip() for cell in next(reader)]
    found = [(reader.line_num, row) for row in reader]
    return header, [row for _, row in found if row], [line for line, row in found if row]


def found(content):
    file = ColumnFile(io.BytesIO(content), "f")
    columns, lines = file.read()
    cells = [[column.texts[code] for code in column.codes.tolist()] for column in columns.values()]
    return file.names, [list(row) for row in zip(*cells, strict=True)], lines.tolist()


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(ROW, max_size=12),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    end=st.sampled_from(["\n", "\r\n"]),
    piece=st.integers(1, 60),
    bom=st.booleans(),
)
@example(rows=[["a", "b", "c"], ["", "", ""]], quoting=csv.QUOTE_MINIMAL, end="\n\n", piece=9, bom=True)
def test_rows_and_lines_are_those_of_the_csv_reader(rows, quoting, end, piece, bom):
    into = io.StringIO(newline="")
    csv.writer(into, quoting=quoting, lineterminator=end).writerows([["one", "two", "three"], *rows])
    content = (b"\xef\xbb\xbf" if bom else b"") + into.getvalue().encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backtest_columns, "_PIECE", piece)
        assert found(content) == expected(content)


def test_the_last_line_need_not_end():
    assert found(b"a,b\n1,2\n3,4") == (["a", "b"], [["1", "2"], ["3", "4"]], [2, 3])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a,b\n1,2\n1,2,3\n1\n", "f, line 3: 3 cells, the header has 2"),
        (b"a,b\n1,2\n" + b"1," * 3 + b"\n", "f, line 3: 4 cells"),
        (b'a,b\n"1,2\n', "f, line 2: not valid CSV: unexpected end of data"),
        (b'a,b\n1,"2"3\n', "f, line 2: not valid CSV"),
        (b'a,"b\n1,2\n', "f, line 1: not valid CSV"),
        (b"a,b\n1,\xff\n", "f: not UTF-8"),
        (b"\xff,b\n1,2\n", "f: not UTF-8"),
    ],
)
def test_invalid_csv_is_refused_with_its_line(content, said):
    with pytest.raises(SourceError, match=said):
        found(content)
