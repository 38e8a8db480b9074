"""State of keys: columns that grow, move and come back from bytes."""

import numpy as np
import pytest

from triage.alerting.detection.state import Added, KeyStates, Layout


def states(keys=0):
    layout = Layout({"one": 1, "ring": 3})
    found = KeyStates(layout, 2, np.array([7.0, 1.0, 2.0, 3.0]))
    for number in range(keys):
        found.locate([f"k{number}"])
        found.rows("ring")[:, number] = number
        found.tables()[:, number] = number
    return found


def test_names_have_rows_one_after_the_other():
    layout = Layout({"one": 1, "ring": 3, "two": 1})
    assert layout.slices == {"one": slice(0, 1), "ring": slice(1, 4), "two": slice(4, 5)}
    assert layout.rows == 5


def test_a_new_key_begins_blank_and_a_known_one_keeps_its_column():
    found = states(2)
    assert found.locate(["k1", "new", "k0", "new"]).tolist() == [1, 2, 0, 2]
    assert found.row("one").tolist() == [7.0] * 3
    assert found.rows("ring")[:, 2].tolist() == [1, 2, 3]
    assert found.tables()[:, 2].tolist() == [0, 0]


def test_columns_stay_while_their_number_grows():
    found = states(40)
    assert found.rows("ring").tolist() == [list(map(float, range(40)))] * 3
    assert found.tables().tolist() == [list(map(float, range(40)))] * 2
    assert len(found) == 40


def test_the_last_key_takes_the_column_of_one_that_is_forgotten():
    found = states(3)
    found.forget("k0")
    assert (found.names, found.index) == (["k2", "k1"], {"k2": 0, "k1": 1})
    assert found.rows("ring")[0].tolist() == [2, 1]
    assert found.tables()[1].tolist() == [2, 1]
    found.forget("k1")
    found.forget("k1")
    assert found.names == ["k2"]
    assert found.locate(["k0"]).tolist() == [1]
    assert found.rows("ring")[:, 1].tolist() == [1, 2, 3], "blank again"


def test_bytes_are_a_head_of_four_numbers_doubles_and_singles():
    found, other = states(2), states()
    state = found.dump(["k1"], 99)[0]
    assert np.frombuffer(state[:32], "<i8").tolist() == [3, 4, 2, 99]
    assert np.frombuffer(state[32:64], "<f8").tolist() == [7, 1, 1, 1]
    assert np.frombuffer(state[64:], "<f4").tolist() == [1, 1]
    assert other.load("k1", state) == 99
    assert other.dump(["k1"], 99)[0] == state


def test_a_state_from_before_budgets_is_read_and_its_new_rows_are_blank():
    """Version 1 has neither the last two rows nor the second row of the tables."""
    found = KeyStates(Layout({"one": 1, "ring": 3}), 3, np.array([7.0, 1.0, 2.0, 3.0]), Added(2, slice(1, 2)))
    rows, tables = np.array([5.0, 6.0]), np.array([8.0, 9.0], "<f4")
    before = np.array([1, 2, 2, 99], "<i8").tobytes() + rows.tobytes() + tables.tobytes()
    assert found.load("k", before) == 99
    assert (found.row("one").tolist(), found.rows("ring")[:, 0].tolist()) == ([5.0], [6.0, 2.0, 3.0])
    assert found.tables()[:, 0].tolist() == [8.0, 0.0, 9.0]
    with pytest.raises(ValueError, match="another version"):
        found.load("k", before[:-4])
    with pytest.raises(ValueError, match="another version"):
        found.load("k", np.array([0, 2, 2, 99], "<i8").tobytes() + before[32:])


def test_a_state_from_before_echoes_lacks_only_the_last_rows():
    found = KeyStates(Layout({"one": 1, "ring": 3}), 2, np.array([7.0, 1.0, 2.0, 3.0]), Added(1, slice(1, 2), 1))
    rows, tables = np.array([5.0, 6.0, 7.0]), np.array([8.0, 9.0], "<f4")
    assert found.load("k", np.array([2, 3, 2, 99], "<i8").tobytes() + rows.tobytes() + tables.tobytes()) == 99
    assert (found.row("one").tolist(), found.rows("ring")[:, 0].tolist()) == ([5.0], [6.0, 7.0, 3.0])
    assert found.tables()[:, 0].tolist() == [8.0, 9.0]
    oldest = np.array([1, 2, 1, 98], "<i8").tobytes() + rows[:2].tobytes() + tables[:1].tobytes()
    assert found.load("k", oldest) == 98
    assert found.rows("ring")[:, 0].tolist() == [6.0, 2.0, 3.0]


@pytest.mark.parametrize("number", range(3))
def test_bytes_of_another_layout_are_refused(number):
    state = states(1).dump(["k0"], 5)[0]
    head = np.frombuffer(state[:32], "<i8").copy()
    head[number] += 1
    for bad in (head.tobytes() + state[32:], state[:-1], state + b"0", state[:32], state[:31]):
        other = states()
        with pytest.raises(ValueError, match="key 'k0' is of another version, step or setting"):
            other.load("k0", bad)
        assert len(other) == 0
