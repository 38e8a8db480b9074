"""Tables as spreadsheets and help desks export them: names of columns, encodings, guards, repeated columns."""

import msgspec
import pytest

from triage.clock import rfc3339, zone_named
from triage.errors import ConfigError
from triage.schemas.event_time import TimeForm, event_time_ms
from triage.sources.encodings import guess_encoding
from triage.sources.files import read_rows
from triage.sources.header import plan_columns
from triage.sources.notes import FileNotes


@pytest.fixture
def read(tmp_path):
    """Write a file and read it: its rows, and what was said."""

    def read(content, name="rows.csv", **options):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        said = []
        rows = list(read_rows(str(path), notes=FileNotes(said.append), **options))
        return rows, [line.removeprefix(str(path)) for line in said]

    return read


def test_names_are_recognized_in_any_case_and_said(read):
    (row,), said = read("ID, Text ,Created at,status\n7,late,2026/11/22 09:30,open\n")
    assert (row.record.id, row.record.text, row.record.attributes) == ("7", "late", {"status": "open"})
    assert rfc3339(event_time_ms(row.record.created_at)) == "2026-11-22T09:30:00.000Z"
    assert said == [": read by their names: 'ID' as id, 'Text' as text, 'Created at' as created_at"]


def test_a_name_that_two_columns_can_have_is_left_to_the_user(read):
    (row,), said = read("text,Created,Created time\nlate,2026-11-22,2026-11-23\n")
    assert row.record.created_at is None
    assert row.record.attributes == {"Created": "2026-11-22", "Created time": "2026-11-23"}
    assert "more than one column can be created_at; name it: --column created_at=NAME" in said[0]


def test_repeated_columns_are_kept_and_hidden_where_the_first_is(read):
    (row,), _ = read("text,Label,Label,Next of kin,Next of kin\nlate,a,b,Anna,Ben\n")
    assert row.record.attributes == {"Label": "a", "Label#2": "b", "Next of kin": "Anna"}
    columns = plan_columns(["text", "Agent", "Agent", "姓名", "姓名", "Next of kin", "Next of kin"], "f", {})
    assert [(each.fate, each.note) for each in columns[1:]] == [
        ("hidden", ""),
        ("hidden", ""),
        ("hidden", ""),
        ("hidden", ""),
        ("hidden", ""),
        # Under this name redaction would not recognize it.
        ("dropped", "it repeats a personal column"),
    ]
    with pytest.raises(ConfigError, match=r"more than one column is called Body; rename the one that is not text"):
        read("Body,Body\na,b\n", columns={"text": "Body"})


def test_milliseconds_under_a_mapped_name(read):
    (row,), _ = read("ts,text\n1795339800000,late\n", columns={"created_at": "ts"})
    assert row.record.created_at == 1_795_339_800_000


def test_a_zone_or_a_form_makes_rfc_3339_of_the_time(read):
    form = TimeForm(zone_named("Asia/Shanghai"))
    (row,), _ = read("created_at,text\n2026-11-22 17:30,late\n", time_form=form)
    assert msgspec.json.decode(row.payload)["created_at"] == "2026-11-22T09:30:00.000Z"


@pytest.mark.parametrize(
    ("first", "body"),
    [
        ("sep=;\n", "id;text\n7;late, again\n"),
        ('"sep=\t"\n', "id\ttext\n7\tlate, again\n"),
        ("", "id|text\n7|late, again\n"),
    ],
)  # fmt: skip
def test_delimiters(read, first, body):
    (row,), _ = read("\ufeff" + first + body)
    assert (row.record.id, row.record.text) == ("7", "late, again")


def test_a_delimiter_by_flag(read):
    (row,), said = read("text;a,b\nlate;1,2\n", delimiter="semicolon")
    assert (row.record.attributes, said) == ({"a,b": "1,2"}, [])
    with pytest.raises(ConfigError, match="--delimiter is one character"):
        read("text\na\n", delimiter="ab")


CHINESE = "编号,text,评分\n1,包裹一直没有收到，客服也不回复，非常失望！,1\n2,质量很好，下次还会再来购买。,5\n"
TRADITIONAL = "編號,text\n1,包裹一直沒有收到，客服也不回覆，非常失望！\n2,品質很好，下次還會再來購買。\n"
GERMAN = "Nr;text\n1;Gerät läuft nicht, für 1.299,00 € enttäuscht\n2;schön, größer\n"
JAPANESE = "番号,text\n1,荷物がまだ届きません。とても残念です。\n"


@pytest.mark.parametrize(
    ("content", "encoding", "name"),
    [
        (CHINESE, "gb18030", "gb18030"),
        (TRADITIONAL, "big5", "big5"),
        (GERMAN, "cp1252", "cp1252"),
        (JAPANESE, "cp932", "cp932"),
        (CHINESE, "utf-16", "utf-16"),
        (GERMAN, "utf-16-le", "utf-16-le"),
    ],
)
def test_encodings_are_guessed_and_shown(read, content, encoding, name):
    rows, said = read(content.encode(encoding))
    assert rows[0].record.text == content.splitlines()[1].split(";" if content is GERMAN else ",")[1]
    assert any("encoding" in line and name in line for line in said)


@pytest.mark.parametrize("content", [CHINESE, TRADITIONAL, GERMAN, JAPANESE, "text\nplain\n"])
def test_utf_8_is_not_taken_for_another(content):
    assert guess_encoding(content.encode()) == "utf-8"


def test_an_encoding_by_flag_and_bytes_that_it_does_not_have(read):
    (good, bad), said = read("text\n包裹\n".encode("gb18030") + b"\xff\xff\n", encoding="GBK")
    assert good.record.text == "包裹"
    assert str(bad.error) == "line 3 holds bytes that are not gbk; name the file's own encoding: --encoding"
    assert said == []
    with pytest.raises(ConfigError, match="--encoding 'utf-9' is not known"):
        read("text\na\n", encoding="utf-9")


def test_a_field_that_can_not_be_read_costs_the_field(read):
    rows, said = read('text,rating\na,many\nb,lots\nc,N/A\nd,"4,5"\ne,4/5\n')
    assert [row.record.rating for row in rows] == [None, None, None, 4.5, 4]
    assert said == [":2: rating 'many' is not a number; rating is left out, here and in rows like this"]


def test_what_was_left_out_is_counted():
    said = []
    notes = FileNotes(said.append)
    for line in (2, 3):
        notes.leave_out(f"f.csv:{line}", "rating", "rating 'x' is not a number")
    notes.say_counts()
    assert said[1:] == ["rating left out of 2 rows"]


def test_ids_that_excel_guards_or_rounds(read):
    rows, said = read('id,text\n"=""00123""",a\n"\t00124",b\n1.2E+18,c\n')
    assert [row.record.id for row in rows] == ["00123", "00124", "1.2E+18"]
    assert "id '1.2E+18' looks rounded by a spreadsheet" in said[0]


def test_a_lone_surrogate_is_replaced_and_the_text_is_whole(read):
    (row,), _ = read(b'{"text":"late \\ud83d again"}\n', "rows.jsonl")
    assert (row.record.text, row.record.truncated) == ("late \ufffd again", False)


@pytest.mark.parametrize(
    ("content", "command"),
    [
        ('[{"text":"a"}]', "jq -c '.[]'"),
        ('{\n "tickets": [\n  {"text": "a"}\n ]\n}\n', "jq -c '.tickets[]'"),
        ('{"tickets":[{"text":"a"}],"count":1}', "jq -c '.tickets[]'"),
        ('{\n "text": "a"\n}\n', "jq -c '.'"),
    ],
)
@pytest.mark.parametrize("name", ["rows.json", "rows.jsonl"])
def test_a_document_is_refused_with_the_command_that_converts_it(read, content, command, name):
    with pytest.raises(ConfigError) as caught:
        read(content, name)
    assert command in str(caught.value)
