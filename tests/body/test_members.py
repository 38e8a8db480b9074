"""Members of each kind of message, as mail clients, help desks, shops and phones of many makers write them.

`members.jsonl.xz` holds one a line: `kind`, `text` and, where a part is to be found, `new` (null: the whole text).
They are written for this purpose; names and addresses are invented or reserved for examples.
"""

import json
from pathlib import Path

import pytest

from triage.body import plain_text, read_body
from triage.packed import read_unpacked

MEMBERS = [json.loads(line) for line in read_unpacked(Path(__file__).parent / "members.jsonl.xz").decode().splitlines()]


def _of(*kinds):
    found = [member for member in MEMBERS if member["kind"] in kinds]
    return pytest.mark.parametrize("member", found, ids=[f"{one['kind']}-{at}" for at, one in enumerate(found, 1)])


@_of("thread", "footer", "html")
def test_the_new_part_is_found(member):
    plain = plain_text(member["text"])
    found = read_body(plain).parts.joined(plain)
    assert found.split() == (plain if member["new"] is None else member["new"]).split()


@_of("automatic", "person")
def test_programs_and_persons_are_told_apart(member):
    assert read_body(member["text"]).automatic is (member["kind"] == "automatic")


@_of("no_text", "some_text")
def test_stand_ins_are_told_from_texts(member):
    assert read_body(member["text"]).no_text is (member["kind"] == "no_text")
