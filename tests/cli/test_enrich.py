"""`triage enrich`: offline, in order, refusals named, nothing else printed on standard output."""

import gzip
import json
import shutil

import pytest
from checkout import TINY_MODEL
from cli import run


@pytest.fixture
def enrich(capfd):
    return lambda *arguments: run(capfd, "enrich", "--model", TINY_MODEL, *arguments)


def _jsonl(path, *rows):
    path.write_bytes(b"\n".join(row if isinstance(row, bytes) else json.dumps(row).encode() for row in rows) + b"\n")
    return path


def test_accepted_rows_come_out_in_order_and_refused_ones_are_named(enrich, tmp_path):
    path = _jsonl(
        tmp_path / "feed.jsonl",
        {"text": "My parcel never arrived"},
        b'{"text": ""}',
        b"not json",
        {"text": "快递一直没到", "channel": "social"},
        b"\xff\xfe",
        b"[1]",
        {"id": "no text"},
        {"text": "a", "created_at": "2099-01-01T00:00:00Z"},
    )
    outcome = enrich(path)
    assert outcome.code == 0
    records = [json.loads(line) for line in outcome.out.splitlines()]
    assert [r["text"] for r in records] == ["My parcel never arrived", "快递一直没到"]
    assert [r["channel"] for r in records] == ["complaint", "social"]
    assert [r["language"] for r in records] == ["en", "zh"]
    for line, says in (
        (2, "text is empty"),
        (3, "not JSON"),
        (5, "not UTF-8"),
        (6, "not a list"),
        (7, "text is missing"),
    ):
        assert any(f"feed.jsonl:{line}: " in shown and says in shown for shown in outcome.err.splitlines())
    assert "more than 24 h ahead of the clock" in outcome.err
    assert "6 rows refused" in outcome.err


def test_strict_exits_with_1(enrich, tmp_path):
    path = _jsonl(tmp_path / "feed.jsonl", {"text": "fine"}, b"oops")
    assert enrich(path, "--strict").code == 1


def test_output_and_gzip(enrich, tmp_path):
    path = tmp_path / "feed.jsonl"
    path.write_bytes(gzip.compress(b'{"text": "My parcel never arrived", "id": 7}\n'))
    outcome = enrich(path, "--output", tmp_path / "out.jsonl")
    assert (outcome.code, outcome.out) == (0, "")
    assert json.loads((tmp_path / "out.jsonl").read_text())["event"]["id"] == "7"


def test_a_megabyte_of_text_is_cut_and_flagged(enrich, tmp_path):
    outcome = enrich(_jsonl(tmp_path / "big.jsonl", {"text": "slow parcel " * 90_000}))
    (record,) = [json.loads(line) for line in outcome.out.splitlines()]
    assert len(record["text"]) <= 20_000
    assert "truncated" in record["flags"]


def test_emoji_and_right_to_left_text_keep_their_offsets(enrich, tmp_path):
    text = "😡😡 הזמנה 12345 لم تصل, mail me: a@example.com 👨‍👩‍👧"
    outcome = enrich(_jsonl(tmp_path / "rtl.jsonl", {"text": text}))
    record = json.loads(outcome.out)
    for entity in record["entities"]:
        assert record["text"][entity["start"] : entity["end"]] == entity["text"]
    assert "a@example.com" not in outcome.out


def test_a_csv_without_a_text_column_names_the_columns(enrich, tmp_path):
    path = tmp_path / "feed.csv"
    path.write_text("comment,brand\nMy parcel never arrived,Acme\n")
    outcome = enrich(path)
    assert outcome.code == 2
    assert "text" in outcome.err
    assert "comment" in outcome.err


def test_a_missing_file(enrich, tmp_path):
    outcome = enrich(tmp_path / "absent.jsonl")
    assert outcome.code == 2
    assert "absent.jsonl" in outcome.err


def test_a_missing_model_file(capfd, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(TINY_MODEL, folder)
    (folder / "model.onnx").unlink()
    outcome = run(capfd, "enrich", "--model", folder, _jsonl(tmp_path / "a.jsonl", {"text": "a"}))
    assert outcome.code == 2
    assert "model.onnx" in outcome.err


def test_a_damaged_model_file(capfd, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(TINY_MODEL, folder)
    (folder / "model.onnx").write_bytes(b"nothing")
    outcome = run(capfd, "enrich", "--model", folder, _jsonl(tmp_path / "a.jsonl", {"text": "a"}))
    assert outcome.code == 2
    assert "model.onnx" in outcome.err


def test_an_invalid_rules_file(capfd, tmp_path):
    rules = tmp_path / "rules.yaml"
    rules.write_text("version: '1'\nrouting:\n  - name: x\n    when: {intnt: [delivery]}\n    queue: [\n")
    feed = _jsonl(tmp_path / "a.jsonl", {"text": "a"})
    outcome = run(capfd, "enrich", "--model", TINY_MODEL, "--set", f"rules.path={rules}", feed)
    assert outcome.code == 2
    assert "rules.yaml" in outcome.err


def test_explain_says_which_words_and_which_evidence(enrich, tmp_path):
    path = _jsonl(
        tmp_path / "feed.jsonl",
        {"text": "My parcel never arrived, my lawyer will write to a@example.com"},
        {"text": "快递一直没到，第三次了，我要投诉到12315"},
    )
    outcome = enrich(path, "--explain")
    assert outcome.code == 0
    plain = [json.loads(line) for line in enrich(path).out.splitlines()]
    for line, without in zip(outcome.out.splitlines(), plain, strict=True):
        record = json.loads(line)
        explanation = record.pop("explanation")
        record["event"]["ingested"] = without["event"]["ingested"]
        record["@timestamp"] = without["@timestamp"]
        assert record == without
        assert explanation["method"] == "occlusion"
        for head in ("intent", "sentiment"):
            assert explanation[head]["label"] == record[head]["label"]
            assert explanation[head]["confidence"] == pytest.approx(record[head]["confidence"], abs=1e-3)
            assert explanation[head]["words"]
            for word in explanation[head]["words"]:
                assert record["text"][word["start"] : word["end"]] == word["text"]
        legal = next(rule for rule in explanation["rules"] if rule["effect"] == "queue legal")
        assert {evidence.get("text") for evidence in legal["evidence"]} & {"lawyer will", "12315"}
    assert "a@example.com" not in outcome.out
