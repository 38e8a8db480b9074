"""market.yaml: names in any spelling find their brand and product; every mistake of the file is named."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.assist.market.names import folded, read_market
from triage.errors import ConfigError

GOOD = """
version: 1
brands:
  - {name: Hualin, own: true, also: [华林, 華林电器]}
  - {name: Kestrel}
products:
  - {name: AirFry 300, brand: hualin, category: kitchen, also: [空气炸锅300]}
  - {name: card account}
"""


def read(tmp_path, content):
    path = tmp_path / "market.yaml"
    path.write_text(content, "utf-8")
    return read_market(path)


@pytest.mark.parametrize("name", ["Hualin", "HUALIN ", "Ｈｕａｌｉｎ", "华林", "華林", "华林電器"])
def test_a_brand_is_found_in_any_spelling(tmp_path, name):
    found = read(tmp_path, GOOD).brand_of(name)
    assert (found.name, found.own) == ("Hualin", True)


def test_products_belong_to_the_brand_that_alone_sells_them(tmp_path):
    market = read(tmp_path, GOOD)
    hualin, kestrel = market.brands
    assert [each.name for each in market.products_of(hualin)] == ["AirFry 300"]
    assert market.products_of(kestrel) == []
    assert market.product_of("空氣炸鍋300").category == "kitchen"
    assert market.brand_of("Unknown") is None
    assert not kestrel.own


@pytest.mark.parametrize(
    ("content", "problems"),
    [
        ("brands: []", ["must have `version: 1` and a list `brands`"]),
        (
            "version: 1\nbrands: [{name: A}]\nbrand: 3",
            ["no field 'brand'; did you mean brands?", "no brand has `own: true`"],
        ),
        ("version: 1\nbrands: [{own: true}, 5]", ["brand 1: must have a name", "brand 2: must have a name"]),
        ("version: 1\nbrands: [{name: A, own: yes please}]", ["brand 1: own must be true or false, not 'yes please'"]),
        ("version: 1\nbrands: [{name: A, own: true, als: [b]}]", ["brand 1 (A): no field 'als'; did you mean also?"]),
        ("version: 1\nbrands: [{name: A, own: true, also: b}]", ["brand 1 (A): also must be a list of names, not b"]),
        (
            "version: 1\nbrands: [{name: Acme, own: true}, {name: Bolt, also: [ＡＣＭＥ]}]",
            ["brand 'Bolt': 'acme' is also a name of brand 'Acme'"],
        ),
        (
            "version: 1\nbrands: [{name: Acme, own: true}]\nproducts: [{name: P, brand: Akme}, {name: p}]",
            [
                "product 'p': 'p' is also a name of product 'P'",
                "product 1 (P): no brand 'Akme' in the file; did you mean Acme?",
            ],
        ),
        ("version: 1\nbrands: [{name: Acme, own: true}]\nproducts: {}\n", []),
        ("version: 1\nbrands: [{name: Acme, own: true}]\nproducts: 5\n", ["products: must be a list"]),
        (
            "version: 1\nbrands: [{name: Acme, own: true}]\nproducts: [{name: P, category: 3}]",
            ["product 1: category must be a text"],
        ),
        (": : :", ["not valid YAML"]),
    ],
)  # fmt: skip
def test_every_mistake_is_named(tmp_path, content, problems):
    if not problems:
        assert read(tmp_path, content).products == ()
        return
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, content)
    for problem in problems:
        assert problem in str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"market\.yaml: cannot be read: No such file"):
        read_market(tmp_path / "market.yaml")


@given(st.text(max_size=30))
def test_folding_twice_is_folding_once(name):
    assert folded(folded(name)) == folded(name)
