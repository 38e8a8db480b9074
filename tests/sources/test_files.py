"""Rows of files: formats, line numbers, and everything that can be wrong with a file."""

import csv
import gzip
import io
import json
import subprocess
import sys

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.clock import ManualClock
from triage.errors import ConfigError, SourceError
from triage.schemas.raw import parse_raw
from triage.sources.files import read_rows
from triage.types import Channel


@pytest.fixture
def write(tmp_path):
    def write(content, name="rows.jsonl"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    return write


def _lines(rows):
    """What a reader sees: line and text, or line and reason."""
    return [(row.line, row.error.reason if row.error else row.record.text) for row in rows]


def test_jsonl_rows_keep_their_line_and_go_to_kafka_as_given(write):
    path = write('{"text": " hi  there ", "id": 7, "shop": {"floor": 2}}\n\n{"text":"退款","channel":"review"}')
    first, second = read_rows(path)
    assert (first.source, first.line, first.channel) == (path, 1, Channel.COMPLAINT)
    assert msgspec.json.decode(first.payload) == {"text": " hi  there ", "id": 7, "shop": {"floor": 2}}
    assert (first.record.text, first.record.id) == ("hi  there", "7")
    assert first.record == parse_raw(first.payload)
    assert (second.line, second.channel, second.record.text) == (3, Channel.REVIEW, "退款")
    assert b"channel" not in second.payload
    assert "退款".encode() in second.payload


def test_the_flag_wins_over_the_rows_channel(write):
    path = write('{"text":"a","channel":"review"}\n{"text":"b","channel":"nonsense"}\n')
    assert [row.channel for row in read_rows(path, channel=Channel.SOCIAL)] == [Channel.SOCIAL] * 2


def test_an_unknown_channel_is_refused_naming_the_three(write):
    (row,) = read_rows(write('{"text":"a","channel":"fax"}'))
    assert str(row.error) == "channel 'fax' is not one of complaint, review, social"
    assert row.error.field == "channel"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"[1]", "not_an_object"),
        (b"null", "not_an_object"),
        (b"nonsense", "not_json"),
        (b'{"text": "cut of', "not_json"),
        (b'{"text": "caf\xe9"}', "not_utf8"),
        (b'{"text": ' + b"[" * 5000 + b"]" * 5000 + b"}", "not_json"),
        (b'{"id": "1"}', "missing_text"),
        (b'{"text": "   "}', "empty_text"),
        (b'{"text": 5}', "text_not_string"),
        (b'{"text": "a", "created_at": "yesterday"}', "bad_created_at"),
        (b'{"text": "a", "channel": 3}', "bad_channel"),
        (b'{"text": "a", "channel": ["review"]}', "bad_channel"),
    ],
)
def test_a_bad_row_is_refused_and_the_next_one_read(write, line, reason):
    rows = list(read_rows(write(b'{"text":"before"}\n' + line + b'\n{"text":"after"}\n'), format="jsonl"))
    assert _lines(rows) == [(1, "before"), (2, reason), (3, "after")]
    assert rows[1].record is None
    assert rows[1].payload == b""
    assert str(rows[1].error)


def test_emoji_and_right_to_left_text_survive(write):
    texts = ["👩🏽‍🚒 très bien", "שלום עולם", "\u202bمرحبا\u202c"]
    rows = list(read_rows(write("\n".join(json.dumps({"text": text}) for text in texts))))
    assert [msgspec.json.decode(row.payload)["text"] for row in rows] == texts


def test_a_megabyte_of_text_is_accepted_cut_and_flagged_but_sent_whole(write):
    text = "x" * 1_000_000
    for path in (write(json.dumps({"text": text})), write(f"text\n{text}\n", "rows.csv")):
        (row,) = read_rows(path)
        assert row.record.truncated
        assert len(row.record.text) == 20_000
        assert msgspec.json.decode(row.payload)["text"] == text


def test_a_line_beyond_the_limit_is_refused_not_kept(write):
    path = write(b'{"text":"a"}\n{"text":"' + b"x" * 200_000 + b'"}\n{"text":"c"}\n')
    rows = list(read_rows(path, max_line_bytes=1_000))
    assert _lines(rows) == [(1, "a"), (2, "too_long"), (3, "c")]
    assert str(rows[1].error) == "the line has 200011 bytes; at most 1000 fit"
    assert _lines(read_rows(path, max_line_bytes=200_011)) == [(1, "a"), (2, "x" * 20_000), (3, "c")]


def test_a_gzip_bomb_is_read_in_bounded_memory(tmp_path):
    path = tmp_path / "bomb.jsonl.gz"
    with gzip.open(path, "wb", compresslevel=9) as file:
        for _ in range(120):
            file.write(b" " * 1_000_000)
        file.write(b'\n{"text":"after"}\n')
    code = (
        "import resource, sys\n"
        "from triage.sources.files import read_rows\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "rows = [(row.line, row.error and row.error.reason) for row in read_rows(sys.argv[1])]\n"
        "print(rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    rows, _, kib = done.stdout.rpartition(" ")
    assert rows == "[(1, 'too_long'), (2, None)]"
    assert int(kib) < 40_000


@pytest.mark.parametrize("name", ["rows.jsonl.gz", "rows.jsonl", "rows"])
def test_gzip_is_known_by_its_magic_bytes(write, name):
    packed = gzip.compress(b'{"text":"a"}\n') + gzip.compress(b'{"text":"b"}\n')
    assert _lines(read_rows(write(packed, name))) == [(1, "a"), (2, "b")]


@pytest.mark.parametrize("damage", [lambda data: data[:-40], lambda data: data[:600] + b"\x00" * 40 + data[640:]])
def test_damaged_gzip_gives_the_rows_before_it_and_then_an_error(write, damage):
    import random

    words = random.Random(5)
    lines = "".join(json.dumps({"text": f"row {number} {words.random()}"}) + "\n" for number in range(20_000))
    path, seen = write(damage(gzip.compress(lines.encode())), "rows.jsonl.gz"), []
    with pytest.raises(SourceError, match=r"rows\.jsonl\.gz: the gzip data is cut off or damaged"):
        seen.extend(read_rows(path))
    assert [row.line for row in seen] == list(range(1, len(seen) + 1))
    assert len(seen) < 20_000


def test_a_byte_order_mark_is_no_part_of_the_first_field(write):
    assert _lines(read_rows(write(b'\xef\xbb\xbf{"text":"a"}\n'))) == [(1, "a")]
    assert _lines(read_rows(write(b"\xef\xbb\xbftext\nb\n", "rows.csv"))) == [(2, "b")]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"PK\x03\x04....", "zip archive"),
        (b"BZh91AY", "bzip2"),
        (b"\x28\xb5\x2f\xfd....", "zstd"),
        (gzip.compress(b"PK\x03\x04....", mtime=0), "zip archive"),
        (b'  [{"text":"a"}]', "jq -c"),
    ],
    ids=["zip", "bzip2", "zstd", "zip-in-gzip", "json-array"],
)
def test_other_formats_are_refused_with_a_way_out(write, content, said):
    with pytest.raises(ConfigError, match=said):
        list(read_rows(write(content, "rows")))


def test_files_that_are_not_there(tmp_path, write):
    with pytest.raises(ConfigError, match="no such file"):
        list(read_rows(str(tmp_path / "none.csv")))
    with pytest.raises(ConfigError, match="is a folder"):
        list(read_rows(str(tmp_path)))
    with pytest.raises(ConfigError, match="--format is csv or jsonl, not 'xml'"):
        list(read_rows(write(""), format="xml"))


@pytest.mark.parametrize("name", ["rows.csv", "rows.jsonl", "rows", "rows.csv.gz"])
@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf"])
def test_an_empty_file_has_no_rows(write, name, content):
    assert list(read_rows(write(gzip.compress(content) if name.endswith(".gz") else content, name))) == []


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_the_content_tells_the_format_and_a_flag_wins(write, kind):
    content = '\n\n {"text":"a"}\n' if kind == "jsonl" else "id,text\n1,a\n"
    assert [row.record.text for row in read_rows(write(content, "rows.txt"))] == ["a"]
    assert [row.record.text for row in read_rows(write(content, "rows.dat"), format=kind)] == ["a"]


def test_csv_lines_count_quoted_newlines(write):
    path = write('id,text\n1,"one\ntwo"\n\n2,three\n3,"four\n\nfive"\n4,six\n', "rows.csv")
    assert _lines(read_rows(path)) == [(2, "one\ntwo"), (5, "three"), (6, "four\n\nfive"), (9, "six")]


def test_csv_values_are_what_the_schema_has(write):
    path = write(
        "text,id,rating,created_at,attributes,shop,brand\n"
        'a,007,4,1795339800000,"{""floor"": 2}",x,\n'
        "b,,4.5,2026-11-22,,,\n"
        "c,,,20261122,,,\n",
        "rows.csv",
    )
    first, second, third = read_rows(path)
    assert msgspec.json.decode(first.payload) == {
        "text": "a",
        "id": "007",
        "rating": 4,
        "created_at": 1795339800000,
        "attributes": {"floor": 2},
        "shop": "x",
    }
    assert first.record.attributes == {"floor": 2, "shop": "x"}
    assert (second.record.rating, second.record.created_at) == (4.5, "2026-11-22")
    assert third.record.created_at == "20261122"


def test_epoch_seconds_in_csv_do_not_pass_for_milliseconds(write):
    (row,) = read_rows(write("text,created_at\na,1795339800\n", "rows.csv"))
    assert row.error.reason == "bad_created_at"


@pytest.mark.parametrize("digits", [21, 4_301])
def test_any_number_of_digits_in_csv_is_one_refused_row(write, digits):
    path = write(f"text,created_at,rating\na,{'9' * digits},5\nb,,{'9' * digits}\nc,,\n", "rows.csv")
    first, second, third = read_rows(path)
    assert first.error.reason == "bad_created_at"
    assert second.error is None or second.error.reason == "bad_rating"
    assert third.record.text == "c"


def test_times_beyond_9999_are_refused_rows(write):
    path = write('{"text":"a","created_at":"9999-12-31T23:59:59-12:00"}\n{"text":"b","created_at":%s}\n' % ("9" * 400))
    assert _lines(read_rows(path, clock=ManualClock(0))) == [(1, "bad_created_at"), (2, "bad_created_at")]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_any_usual_delimiter_is_read(write, delimiter):
    path = write(f'id{delimiter}text\r\n1{delimiter}"a{delimiter} b"\r\n', "rows.csv")
    assert _lines(read_rows(path)) == [(2, f"a{delimiter} b")]


def test_a_tsv_is_split_at_tabs_only(write):
    assert _lines(read_rows(write("text\tid,x,y\na,b\t1\n", "rows.tsv"))) == [(2, "a,b")]


def test_broken_csv_rows_cost_one_line_each(write):
    path = write(
        b'id,text\n1,good\n2\n3,too,many\n4,"closed" badly\n5,caf\xe9\n6,\n7,"open until the end\n8,"fine, too"\n',
        "rows.csv",
    )
    rows = list(read_rows(path, encoding="utf-8"))
    assert _lines(rows) == [
        (2, "good"),
        (3, "wrong_columns"),
        (4, "wrong_columns"),
        (5, "bad_csv"),
        (6, "not_utf8"),
        (7, "missing_text"),
        (8, "bad_csv"),
        (9, "fine, too"),
    ]
    assert str(rows[1].error) == "1 column, the header has 2"
    assert str(rows[4].error) == "line 6, byte 6 is not UTF-8 (0xe9); save the file as UTF-8"


def test_bad_bytes_inside_a_quoted_newline_name_their_own_line(write):
    path = write(b'id,text\n1,"one\ntw\xff"\n2,three\n', "rows.csv")
    bad, good = read_rows(path, encoding="utf-8")
    assert (bad.line, str(bad.error)) == (2, "line 3, byte 3 is not UTF-8 (0xff); save the file as UTF-8")
    assert (good.line, good.record.text) == (4, "three")


def test_an_open_quote_does_not_swallow_the_file(write):
    path = write('id,text\n1,"open\n' + "2,line\n" * 1_000, "rows.csv")
    rows = list(read_rows(path, max_line_bytes=1_000))
    assert (rows[0].line, rows[0].error.reason) == (2, "too_long")
    assert "is a quote left open?" in str(rows[0].error)
    assert [row.line for row in rows[1:]] == list(range(3, 1_003))
    assert all(row.record.text == "line" for row in rows[1:])


def test_a_csv_without_text_names_what_it_found_and_the_fix(write):
    with pytest.raises(ConfigError) as caught:
        list(read_rows(write("id,Comment,,when\n1,a,,\n", "rows.csv")))
    assert "no column 'text'; the file has: id, Comment, when" in str(caught.value)
    assert "--column text=NAME" in str(caught.value)


def test_columns_can_be_mapped(write):
    path = write("comment,when,text\na,2026-01-01,ignored\n", "rows.csv")
    (row,) = read_rows(path, columns={"text": "comment", "created_at": "when"})
    assert (row.record.text, row.record.created_at) == ("a", "2026-01-01")
    assert row.record.attributes == {}
    (row,) = read_rows(write('{"comment":"b"}'), columns={"text": "comment"})
    assert row.record.text == "b"
    assert row.payload == b'{"text":"b"}'
    with pytest.raises(ConfigError, match="no column 'nothing', which --column names for text"):
        list(read_rows(path, columns={"text": "nothing"}))


def test_a_repeated_column_is_ambiguous(write):
    with pytest.raises(ConfigError, match="more than one column is called text"):
        list(read_rows(write("text,id,text\na,b,c\n", "rows.csv")))


def test_more_than_a_day_ahead_is_refused(write):
    clock = ManualClock(1_795_339_800_000)
    path = write('{"text":"a","created_at":1795426200000}\n{"text":"b","created_at":1795426200001}\n')
    assert _lines(read_rows(path, clock=clock)) == [(1, "a"), (2, "created_at_in_future")]
    assert _lines(read_rows(path)) == [(1, "a"), (2, "b")]
    assert _lines(read_rows(path, clock=clock, max_future_hours=25)) == [(1, "a"), (2, "b")]


class _Trickle(io.BytesIO):
    """A pipe that gives one byte at a time."""

    def read1(self, size=-1):
        return super().read1(1)


@pytest.mark.parametrize("pack", [lambda data: data, gzip.compress])
def test_standard_input_may_come_in_any_pieces(monkeypatch, pack):
    packed = pack(b'{"text":"a"}\n{"text":"b"}\n')
    monkeypatch.setattr("sys.stdin", type("Stdin", (), {"buffer": _Trickle(packed)}))
    rows = list(read_rows("-"))
    assert _lines(rows) == [(1, "a"), (2, "b")]
    assert rows[0].source == "<stdin>"


def test_standard_input_gives_each_row_as_soon_as_it_is_there(monkeypatch):
    class Live(io.RawIOBase):
        given = 0

        def read1(self, size):
            self.given += 1
            return b'{"text":"row %d"}\n' % self.given

    live = Live()
    monkeypatch.setattr("sys.stdin", type("Stdin", (), {"buffer": live}))
    rows = read_rows("-")
    assert next(rows).record.text == "row 1"
    assert live.given == 1
    assert next(rows).record.text == "row 2"
    assert live.given == 2


def test_progress_counts_the_files_own_bytes(write):
    packed = gzip.compress(b'{"text":"a"}\n' * 1_000)
    seen = []
    list(read_rows(write(packed), on_read=seen.append))
    assert sum(seen) == len(packed)


_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
_visible = _text.filter(lambda text: text.replace("\x00", "").strip() != "")
_name = st.text("abcdefgh", min_size=1, max_size=4)


@given(
    st.lists(st.fixed_dictionaries({"text": _visible}, optional={"shop": _text, "extra": st.integers()}), max_size=8)
)
def test_jsonl_round_trip(tmp_path_factory, records):
    path = tmp_path_factory.mktemp("jsonl") / "rows.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    rows = list(read_rows(str(path)))
    assert [msgspec.json.decode(row.payload) for row in rows] == records
    assert [row.line for row in rows] == list(range(1, len(records) + 1))
    assert all(parse_raw(row.payload) == row.record for row in rows)


@given(st.lists(st.tuples(_visible, _text), max_size=8), st.sampled_from(["\n", "\r\n"]))
def test_csv_round_trip_with_true_line_numbers(tmp_path_factory, cells, newline):
    path = tmp_path_factory.mktemp("csv") / "rows.csv"
    written, starts = io.StringIO(newline=""), []
    writer = csv.writer(written, lineterminator=newline, quoting=csv.QUOTE_ALL)
    writer.writerow(["text", "shop"])
    for row in cells:
        starts.append(written.getvalue().count("\n") + 1)
        writer.writerow(row)
    path.write_bytes(written.getvalue().encode())
    rows = list(read_rows(str(path)))
    assert [row.line for row in rows] == starts
    expected = [{"text": text} | ({"shop": shop} if shop else {}) for text, shop in cells]
    assert [msgspec.json.decode(row.payload) for row in rows] == expected


@given(st.binary(max_size=300), st.sampled_from(["rows.csv", "rows.jsonl"]))
def test_no_bytes_crash_the_reader(tmp_path_factory, content, name):
    path = tmp_path_factory.mktemp("any") / name
    path.write_bytes((b"id,text\n" if name.endswith("csv") else b'{"text":"a"}\n') + content)
    for row in read_rows(str(path), max_line_bytes=100):
        assert (row.record is None) != (row.error is None)
        assert row.line >= 1
