"""With `redaction.names`, planted names and addresses are searched for in all that a worker writes."""

import json

import pytest
from names import NameModel
from prometheus_client import generate_latest
from worker_rig import Rig

PERSONS = ("Karen Whitlow", "王小明")
ADDRESSES = ("48 Fernhollow Road", "上海市青浦区听松街99号")
# What must be found nowhere, in small letters: each value, and its telling parts.
NEEDLES = {"karen", "whitlow", "王小明", "fernhollow", "听松街"}


def _records():
    """Each value in every field that a source can fill, but brand and product, which name what is sold."""
    for number, value in enumerate((*PERSONS, *ADDRESSES)):
        yield {"id": f"a-{number}", "text": f"My parcel never arrived, ask {value} about it", "brand": "Acme"}
        yield {
            "id": f"b-{number}",
            "text": f"Thanks.\n\nOn Tue, 24 Nov 2026 at 09:12, {value} <a@mail.example> wrote:\n> it goes to {value}",
            "source": value,
            "region": value,
            "url": f"https://shop.example/by/{value}",
            "attributes": {"note": f"from {value} again", f"of {value}": "as a key", "deep": {"er": [value]}},
        }
        yield {
            "id": f"c-{number}",
            "text": f"Automatic reply: I am away, {value} is there",
            "unknown": {"deep": [value]},
        }


def test_no_name_is_found_in_index_topics_logs_and_metrics(capfd: pytest.CaptureFixture[str]) -> None:
    rig = Rig(model=NameModel(dict.fromkeys(PERSONS, "person")), **{"redaction.names": True, "logging.level": "DEBUG"})
    records = list(_records())
    rig.send(*(json.dumps(record, ensure_ascii=False).encode() for record in records))
    rig.run()
    assert len(rig.bodies()) == len(records)
    assert not rig.produced("dead-letter")
    places = [json.dumps(body, ensure_ascii=False) for body in rig.bodies()]
    places += [str(message) for message in rig.source.produced]
    places += [(message.value or b"").decode("utf-8", "replace") for message in rig.source.produced]
    places += [generate_latest(rig.metrics.registry).decode(), *capfd.readouterr()]
    found = [(needle, place) for place in places for needle in NEEDLES if needle in place.lower()]
    assert found == []


def test_a_dead_letter_keeps_names_since_no_model_has_read_it() -> None:
    rig = Rig(model=NameModel(dict.fromkeys(PERSONS, "person")), **{"redaction.names": True})
    rig.send(json.dumps({"text": "", "note": f"ask {PERSONS[0]}, a@mail.example"}).encode())
    rig.run()
    (letter,) = rig.produced("dead-letter")
    assert PERSONS[0] in json.dumps(letter)
    assert "a@mail.example" not in json.dumps(letter)
