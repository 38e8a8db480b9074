"""Reads articles of every form, and names what is refused with file and line."""

import bz2
import gzip
import json
import lzma
from datetime import date

import pytest

from triage.assist.knowledge.personal import PersonalData
from triage.assist.knowledge.reading import read_folder
from triage.config import RedactionSettings
from triage.errors import ConfigError
from triage.redaction import Redactor

TODAY = date(2026, 11, 22)
GOOD = "---\nid: returns\ntitle: Returns\nlanguage: en\n---\n# Time\n\nYou have 14 days.\n"


@pytest.fixture(scope="module")
def personal():
    return PersonalData(Redactor(RedactionSettings()), ["+1 415 555 2671"])


@pytest.fixture
def read(tmp_path, personal):
    def read(**files):
        for name, content in files.items():
            (tmp_path / name.replace("__", ".")).write_text(content, "utf-8")
        return read_folder(tmp_path, TODAY, personal)

    return read


def problems(found):
    return [str(problem) for problem in found.problems]


def test_front_matter_of_three_fields_is_enough(read):
    found = read(a__md=GOOD)
    article = found.articles["returns"]
    assert problems(found) == []
    assert (article.title, article.language, article.audience, article.kind) == ("Returns", "en", "public", "faq")
    assert article.body == "# Time\n\nYou have 14 days."
    assert article.source == "a.md:1"


def test_all_fields_are_read_as_they_were_written(read):
    found = read(
        a__md="---\nid: 0012\ntitle: No fee\nlanguage: zh-CN\naudience: internal\nkind: policy\n"
        "product: [Toaster, Kettle]\nintent: billing, payment\nvalid_from: 2026-01-01\n"
        "valid_until: 2026-12-31\n---\n文字\n"
    )
    article = found.articles["0012"]
    assert (article.language, article.audience, article.kind) == ("zh", "internal", "policy")
    assert article.product == ["Kettle", "Toaster"]
    assert article.intent == ["billing", "payment"]
    assert (article.valid_from, article.valid_until) == ("2026-01-01", "2026-12-31")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("no front matter", "a.md:1: has no front matter"),
        ("---\ntitle: T\nlanguage: en\n---\ntext", "a.md:1: id is missing"),
        ("---\nid: a b\ntitle: T\nlanguage: en\n---\ntext", "a.md:2: id 'a b' must have"),
        ("---\nid: a\ntitle: T\nlanguage: english\n---\ntext", "a.md:4: language 'english' is not a code"),
        ("---\nid: a\ntitle: T\nlanguage: en\n---\n\n", "a.md:6: the article has no text"),
        (
            "---\nid: a\ntitle: T\nlanguage: en\naudience: all\n---\nx",
            "a.md:5: audience 'all' must be public or internal",
        ),
        ("---\nid: a\ntitle: T\nlanguage: en\nvalid_until: soon\n---\nx", "a.md:5: valid_until 'soon' is not a date"),
        ("---\nid: a\ntitle: T\nlanguage: en\naudince: x\n---\nx", "a.md:5: 'audince' is not a field of an article"),
        ("---\nid: a\ntitle: [\n---\nx", "a.md:3: the front matter is not valid YAML"),
        (
            GOOD.replace("---\n#", "valid_until: 2026-11-21\n---\n#"),
            "a.md:1: is past its date: valid_until is 2026-11-21",
        ),
        (GOOD + "\nAsk jane.miller@example.com.", "a.md:10: holds personal data (email)"),
        (GOOD + "\nShe lives\nand calls 138-1234-5678", "a.md:11: holds personal data (phone)"),
    ],
)
def test_refused_with_file_and_line(read, content, said):
    found = read(a__md=content)
    assert found.articles == {}
    assert [text for text in problems(found) if text.startswith(said)]


def test_own_contacts_and_addresses_of_roles_may_be_in_articles(read):
    found = read(a__md=GOOD + "\nWrite to support@shop.com, refunds.eu@shop.com, or call +1 415 555 2671.")
    assert problems(found) == []


def test_the_second_of_two_equal_ids_is_refused(read):
    found = read(a__md=GOOD, b__md=GOOD)
    assert list(found.articles) == ["returns"]
    assert found.refused == {"returns"}
    assert problems(found) == ["b.md:1: id 'returns' is that of a.md:1 too: ids are unique"]


def test_html_of_a_page_keeps_headings_and_lists(read):
    page = (
        "<html lang='en'><head><title>Late parcels</title><meta name='audience' content='internal'><style>x</style>"
        "</head><body><h2>First</h2><p>Wait <b>two</b> days.</p><ul><li>call</li><li>write</li></ul>"
        "<script>alert(1)</script></body></html>"
    )
    found = read(late__html=page)
    article = found.articles["late"]
    assert article.title == "Late parcels"
    assert article.audience == "internal"
    assert article.body == "## First\n\nWait two days.\n\n- call\n\n- write"


def test_exports_of_help_centres(read):
    export = {"articles": [{"id": 7, "title": "Pay", "locale": "en-us", "body": "<p>By card.</p>", "vote_sum": 3}]}
    found = read(
        zendesk__json=json.dumps(export),
        rows__csv="id,title,language,body\nb,Fees,en,No fees.\nc,,en,x\n",
        lines__jsonl='{"id": "d", "title": "T", "language": "zh", "body": "x"}\n{bad\n',
    )
    assert [(each.id, each.language, each.body) for each in found.articles.values()] == [
        ("d", "zh", "x"),
        ("b", "en", "No fees."),
        ("7", "en", "By card."),
    ]
    assert problems(found)[0].startswith("lines.jsonl:2: is not valid JSON")
    assert problems(found)[1] == "rows.csv:3: title is missing"


def test_rows_and_pages_without_a_language_get_that_of_their_text(read):
    found = read(
        rows__csv="id,title,body\n"
        "a,Returns,You can send back what you have used within 14 days.\n"
        "b,退货,十四天内可以退回用过的商品。\n"
        "c,42,12345\n",
        lines__jsonl=json.dumps(
            {"id": "d", "title": "Retours", "body": "Vous pouvez renvoyer le produit sous 14 jours."}
        ),
        page__html="<title>Fees</title><p>There are no fees for the cards that you have with us.</p>",
        own__md="---\nid: own\ntitle: Fees\n---\nThere are no fees.",
    )
    languages = {each.id: each.language for each in found.articles.values()}
    assert languages == {"a": "en", "b": "zh", "d": "fr", "page": "en"}
    assert found.detected == {"en": 2, "zh": 1, "fr": 1}
    assert problems(found) == [
        "own.md:1: language is missing",
        "rows.csv:4: language is missing, and the text does not show it: add a column language, with en or zh",
    ]


def test_a_named_language_is_not_doubted(read):
    found = read(rows__csv="id,title,language,body\na,退货,en,十四天内可以退回。\nb,退货,english,十四天内可以退回。\n")
    assert found.articles["a"].language == "en"
    assert not found.detected
    assert problems(found) == ["rows.csv:3: language 'english' is not a code such as en or zh"]


def test_translations_that_share_an_id_are_told_apart_by_their_text(read):
    found = read(rows__csv="id,title,body\n7,Fees,There are no fees for the card.\n7,费用,银行卡没有任何费用。\n")
    assert sorted(found.articles) == ["7-en", "7-zh"]


def test_drafts_are_left_out_and_articles_for_some_readers_are_internal(read):
    articles = [
        {"id": number, "title": "T", "locale": "en-us", "body": "<p>Text.</p>", **fields}
        for number, fields in enumerate(
            ({}, {"draft": True}, {"user_segment_id": 7}, {"state": "Archived"}, {"user_segment_ids": [7]})
        )
    ]
    found = read(export__json=json.dumps({"articles": articles}))
    assert {each.id: each.audience for each in found.articles.values()} == {
        "0": "public", "2": "internal", "4": "internal"
    }  # fmt: skip
    assert (found.drafts, found.problems) == (2, [])


def test_columns_of_a_help_centre(read):
    header = "Article ID,Article Title,Locale,Article Body,Status,Visibility,Type\n"
    rows = "1,One,en-us,<p>Text.</p>,Published,Everyone,article\n2,Two,en-us,Text.,Published,Signed-in users,\n"
    found = read(export__csv=header + rows + "3,Three,en-us,Text.,Draft,Everyone,\n4,Four,en-us,Text.,,Some,\n")
    assert {each.id: (each.title, each.audience) for each in found.articles.values()} == {
        "1": ("One", "public"), "2": ("Two", "internal")
    }  # fmt: skip
    assert problems(found) == ["export.csv:5: audience 'some' must be public or internal"]


def test_translations_that_share_an_id_get_one_each(read):
    articles = [{"id": 7, "title": "T", "locale": language, "body": "Text."} for language in ("zh-cn", "en-us", "en")]
    found = read(export__json=json.dumps(articles, indent=1))
    assert list(found.articles) == ["7-zh", "7-en"]
    assert [each.id for each in found.articles.values()] == ["7-zh", "7-en"]
    assert problems(found) == ["export.json:15: id '7' is that of export.json:9 too: ids are unique"]


def test_a_page_of_a_site_is_its_article_without_what_is_around(read):
    page = (
        '<html lang="en"><head><title>Refunds – Example Help</title></head><body><header>Example</header><main>'
        '<article><h1>Refunds</h1><p>In 5 days.</p><div class="article-votes">Was this helpful?</div></article></main>'
        "<footer>Powered by us</footer></body></html>"
    )
    (article,) = read(refunds__html=page).articles.values()
    assert (article.title, article.body) == ("Refunds", "# Refunds\n\nIn 5 days.")


def test_other_files_are_left_out_and_a_folder_without_articles_is_an_error(read, tmp_path):
    found = read(a__md=GOOD, README__md="x", picture__png="x", _draft__md="x")
    assert (found.files, [path.name for path in found.ignored]) == (1, ["picture.png"])
    (tmp_path / "a.md").unlink()
    with pytest.raises(ConfigError, match="holds no file of knowledge"):
        read()


def test_bytes_that_are_not_utf_8_are_named_by_line(read, tmp_path):
    (tmp_path / "a.md").write_bytes(b"---\nid: a\n---\n\xff\xfe")
    assert problems(read()) == ["a.md:4: is not UTF-8: save it as UTF-8"]


@pytest.mark.parametrize(("pack", "ending"), [(gzip.compress, "gz"), (lzma.compress, "xz"), (bz2.compress, "bz2")])
def test_packed_files_are_read_and_damaged_ones_named(read, tmp_path, pack, ending):
    (tmp_path / f"good.md.{ending}").write_bytes(pack(GOOD.encode()))
    damaged = bytearray(pack(GOOD.replace("returns", "late").encode()))
    damaged[14:40] = bytes(26)
    (tmp_path / f"bad.md.{ending}").write_bytes(damaged)
    found = read()
    assert list(found.articles) == ["returns"]
    assert "is packed, but not readable" in problems(found)[0]
