"""Catalogues and their words: what is read, and mistakes with line and field."""

import gzip
import json

import guides
import pytest
import yaml

from triage.assist.guide.catalogue import read_catalogue
from triage.assist.guide.words import read_words
from triage.errors import ConfigError

GOOD = {"id": "a", "name": "A", "category": "phone"}


@pytest.fixture(scope="module")
def words():
    return guides.words()


@pytest.fixture
def read(tmp_path, words):
    def read(*rows, name="items.jsonl"):
        path = tmp_path / name
        path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows), "utf-8")
        return read_catalogue(path, words)

    return read


def test_the_demo_catalogue_is_whole(words):
    found = read_catalogue(guides.CATALOGUE, words)
    assert (len(found.items), found.problems) == (48, [])
    for item in found.items.values():
        assert ({*item.name, *item.text}, {*item.prices}) == ({"en", "zh"}, {"USD", "CNY"}), item.id
    assert {item.category for item in found.items.values()} == set(words.categories)


def test_json_lines_may_nest(read):
    nested = GOOD | {
        "name": {"en": "A", "zh": "甲"}, "price": {"CNY": "1,299"}, "colour": ["black", "red"], "waterproof": True,
        "attributes": {"screen": 6.1}, "brand": "Hualin", "product": "phone",
    }  # fmt: skip
    item = read(nested).items["a"]
    assert item.name == {"en": "A", "zh": "甲"}
    assert (item.prices, item.numbers) == ({"CNY": 1299.0}, {"screen": 6.1})
    assert item.choices == {"colour": ["black", "red"], "waterproof": ["yes"]}
    assert item.source == "items.jsonl:1"


def test_csv_has_flat_names(read):
    found = read("id;name.zh;category;price;colour", "a;甲;phone;20;black|white", "", name="items.csv")
    item = found.items["a"]
    assert (item.called("en"), item.prices, item.choices["colour"]) == ("甲", {"USD": 20.0}, ["black", "white"])


MISTAKES = [
    ({**GOOD, "id": "a b"}, "line 1: id: 'a b' must have 1 to 200 characters"),
    ({**GOOD, "name": ""}, "line 1: name: is missing"),
    ({**GOOD, "name": {"fr": "A"}}, "line 1: name.fr: 'fr' is not a language of the guide"),
    ({**GOOD, "category": "phnoe"}, "line 1: category: 'phnoe' is not a category of guide.yaml; did you mean phone?"),
    ({**GOOD, "price": "cheap"}, "line 1: price: 'cheap' is not a number of at least 0"),
    ({**GOOD, "price": -1}, "line 1: price: '-1' is not a number of at least 0"),
    ({**GOOD, "price": {"usd": 1}}, "line 1: price.usd: 'usd' is not a currency"),
    ({**GOOD, "colr": "red"}, "line 1: colr: is neither a field of an item nor an attribute of guide.yaml"),
    ({**GOOD, "colour": "blak"}, "line 1: colour: 'blak' is not a value of guide.yaml; did you mean black?"),
    ({**GOOD, "waterproof": "maybe"}, "line 1: waterproof: 'maybe' is neither yes nor no"),
    ({**GOOD, "screen": "6 inch"}, "line 1: screen: '6 inch' is not a number"),
    ({**GOOD, "brand": "A;B"}, "line 1: brand: 'A;B' must not have any of"),
    ({**GOOD, "text": "x" * 2_001}, "line 1: text: has 2001 characters; 2000 at most"),
    ("[1]", "line 1: the line must be a JSON object"),
    ("{", "line 1: is not valid JSON"),
]  # fmt: skip


@pytest.mark.parametrize(("row", "said"), MISTAKES, ids=[each[1][:40] for each in MISTAKES])
def test_mistakes_name_line_and_field(read, row, said):
    found = read(row)
    assert found.items == {}
    assert any(str(problem).startswith(said) for problem in found.problems), found.problems


def test_a_mistake_refuses_its_item_alone(read):
    found = read(GOOD, {**GOOD, "id": "b", "price": "x"}, {**GOOD, "name": "again"})
    assert list(found.items) == ["a"]
    assert [str(each) for each in found.problems] == [
        "line 2: price: 'x' is not a number of at least 0",
        "line 3: id: 'a' is that of line 1 too: ids are unique",
    ]
    assert found.refused == {"a", "b"}


def test_files_of_other_kinds_are_refused(tmp_path, words):
    for name, content in (("a.txt", b"x"), ("a.csv", b"\xff\xff"), ("b.csv", b"\x1f\x8bx")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ConfigError):
            read_catalogue(tmp_path / name, words)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_catalogue(tmp_path / "none.csv", words)
    (tmp_path / "c.csv.gz").write_bytes(gzip.compress(b"id,name,category\na,A,phone\n"))
    assert list(read_catalogue(tmp_path / "c.csv.gz", words).items) == ["a"]


@pytest.fixture
def changed(tmp_path):
    """`changed(edit)` reads the demo's words after an edit of their content."""

    def changed(edit):
        content = yaml.safe_load(guides.WORDS.read_text("utf-8"))
        edit(content)
        path = tmp_path / "guide.yaml"
        path.write_text(yaml.safe_dump(content, allow_unicode=True), "utf-8")
        return read_words(path)

    return changed


WORD_MISTAKES = [
    (lambda c: c.update(version=2), "version: 1"),
    (lambda c: c.update(atributes={}), "no field 'atributes'; did you mean attributes?"),
    (lambda c: c.pop("texts"), "texts:"),
    (lambda c: c["currency"].pop("zh"), "currency: must name"),
    (lambda c: c["attributes"]["colour"].pop("values"), "attributes.colour: a choice needs values"),
    (lambda c: c["attributes"]["screen"].update(units={"inch": 0}), "unit 'inch' has the factor 0"),
    (lambda c: c["attributes"]["screen"]["units"].update(kg=1), "'kg' is also a unit of screen"),
    (lambda c: c["attributes"]["colour"]["ask"].pop("zh"), "attributes.colour: ask: has no text in 'zh'"),
    (lambda c: c["attributes"]["colour"].update(kinds="x"), "attributes.colour: Object contains unknown field"),
    (lambda c: c["attributes"].update(price=c["attributes"]["colour"]), "price is a field of every item"),
    (lambda c: c["attributes"]["colour"]["values"].update({"a;b": {}}), "value 'a;b' must not have any of"),
]


@pytest.mark.parametrize(("edit", "said"), WORD_MISTAKES, ids=[each[1][:40] for each in WORD_MISTAKES])
def test_mistakes_of_the_words_are_named(changed, edit, said):
    with pytest.raises(ConfigError) as refused:
        changed(edit)
    assert said in str(refused.value)
