"""Tables in the terminal."""

from triage.cli.tables import aligned


def test_columns_are_aligned_by_the_places_that_characters_take():
    table = [["NAME", "EMPTY", "N"], ["华林", "", "1"], ["Hualin", "", "22"]]
    assert aligned(table) == ["NAME    N", "华林    1", "Hualin  22"]


def test_a_table_without_rows_is_its_first_header():
    assert aligned([["NAME", "N"]]) == ["NAME"]
