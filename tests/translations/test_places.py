"""Spellings of one place are one place, and an owner's file adds to those that come with the package."""

import pytest

from triage.errors import ConfigError
from triage.translations import Places, places_of


@pytest.mark.parametrize("spelling", ["Wuhan", "wuhan", " WUHAN ", "武汉", "武漢", "武汉市", "武漢市"])
def test_a_place_has_one_name_and_one_in_each_language(spelling):
    places = places_of()
    assert places.one_name(spelling) == "Wuhan"
    assert (places.name_in(spelling, "en"), places.name_in(spelling, "zh")) == ("Wuhan", "武汉")
    assert {"Wuhan", "武汉", "武汉市"} <= set(places.spellings(spelling))


def test_what_is_no_known_place_stays_as_it_is():
    places = places_of()
    assert places.one_name("FastShip") == places.name_in("FastShip", "zh") == "FastShip"
    assert places.spellings("FastShip") == ("FastShip",)
    assert Places().one_name("武汉") == "武汉"


def test_counts_of_spellings_add_up():
    assert places_of().merged({"武汉": 12, "Wuhan": 9, "parcel": 3}) == {"Wuhan": 21, "parcel": 3}


def test_an_owners_file_adds_places_and_replaces_shipped_ones(tmp_path):
    path = tmp_path / "places.yaml"
    path.write_text(
        "version: 1\nplaces:\n"
        "  - {name: Depot 7, also: [仓库七号]}\n  - {name: Greater Wuhan, zh: 大武汉, also: [武汉]}\n"
    )
    places = places_of(path)
    assert places.one_name("仓库七号") == places.name_in("仓库七号", "zh") == "Depot 7"
    assert places.one_name("武汉") == "Greater Wuhan"
    assert places.one_name("Wuhan") == "Wuhan", "no name of the owner's place"
    assert places.one_name("上海") == "Shanghai"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("places: []", "version: 1"),
        ("version: 1\nplaces: Wuhan", "a list `places`"),
        ("version: 1\nplaces: [Wuhan]", "place 1: a place is"),
        ("version: 1\nplaces: [{zh: 武汉}]", "place 1: a place is"),
        ("version: 1\nplaces: [{name: a, alias: [b]}]", "place 1: a place is"),
        ("version: 1\nplaces: [{name: a, also: b}]", "place 1: a place is"),
        ("version: 1\nplaces: [{name: a, also: [c]}, {name: b, also: [C]}]", "place 2: 'C' is also a name of a"),
        ("a: [", "not valid YAML"),
    ],
)
def test_a_file_that_is_not_valid_says_what_is_wrong(tmp_path, content, said):
    path = tmp_path / "places.yaml"
    path.write_text(content)
    with pytest.raises(ConfigError) as caught:
        places_of(path)
    assert said in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"no-such\.yaml: cannot be read"):
        places_of(tmp_path / "no-such.yaml")
