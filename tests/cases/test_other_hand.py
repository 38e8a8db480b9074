"""The cases of `other_hand` hold, but for those in `OPEN`.

Their author had not read the code. A case in `OPEN` has the right values, which the program does not reach yet; when
it does, its test fails until the number is removed here.
"""

import pytest
from cases import FOLDER, built_once, failures, in_this_process, load, run

KINDS = sorted(f"other_hand/{path.name.partition('.')[0]}" for path in (FOLDER / "other_hand").glob("*.jsonl.xz"))
CASES = [case for kind in KINDS for case in load(kind) if not case.unclear]
# `other_hand/KIND:LINE`, each with its reason.
# "Make it Thursday, please" in Cantonese reads as negative to the model, with the quote and without; the part is right.
# The risk head of 2026.11.30-2 takes the newest part of message 19 for a danger.
OPEN = frozenset({"other_hand/threads:19", "other_hand/threads:25"})


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    with built_once():
        return run(CASES, tmp_path_factory.mktemp("other_hand"), in_this_process)


@pytest.mark.parametrize(
    "case",
    [pytest.param(case, marks=pytest.mark.xfail(case.name in OPEN, reason="open", strict=True)) for case in CASES],
    ids=lambda case: case.name,
)
def test_case(case, results):
    assert failures(case, results[case.name]) == []


def test_open_cases_exist():
    assert {case.name for case in CASES} >= OPEN
