"""Targets in this process: what owners and sources give as files. Each is read, or refused with a message."""

import contextlib
import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from checkout import ROOT, TINY_MODEL
from fuzzing import Target, bounded, mutated
from hostile import RECORDS
from worker_rig import Rig

from triage.alerting.rules.loader import parse_alert_rules
from triage.config import load_settings
from triage.config.worker import ModelSettings
from triage.errors import ConfigError, InvalidRecord, ModelError, SourceError
from triage.inference.model import OnnxModel
from triage.inference.registry import find_folder, model_folders
from triage.rules import Facts, load_rules
from triage.rules.loader import DEFAULT_RULES
from triage.sources.files import read_rows

_ROWS = [
    b'text,rating,created_at\n"late, again",1,2026-01-02\nfine,5,03.01.2026 10:00\n',
    "id;文本;评分;时间\n1;快递三天没到;1;2026-01-02 10:00\n2;很好;5;\n".encode("gb18030"),
    'sep=;\r\n"text";"id"\r\n"a ""quoted"" text";="0012"\r\n'.encode("utf-16"),
    b"text\tbrand\nlate\tA\n",
    b'{"text": "late", "rating": 1}\n{"text": "fine", "attributes": {"a": {"b": 1}}}\n',
    b'{"data": [{"text": "late"}, {"text": "fine"}]}',
    b'[{"text": "late"}]',
]
_RULES = [
    r"""version: "1"
default: {severity: low, queue: general}
severity:
  - name: a
    when: {text_regex: "第[三四]次|(a+)+b|\\bété\\b"}
    set: high
  - {name: b, raise: 1, when: {any: [{text_any: [late, 退款]}, {not: {flags: quoted}}]}}
routing:
  - {name: c, queue: q, when: {sentiment_below: -0.5, rating_at_most: 2, all: [{channel: review}]}}
""".encode(),
    DEFAULT_RULES.read_bytes(),
]
_SETTINGS = [
    b"""[kafka]
bootstrap_servers = "a:9092"
[elasticsearch]
url = "http://a:9200"
[worker]
slot = "a"
max_batch_records = 10
""",
    b"""[console]
host = "0.0.0.0"
tokens = [{name = "a", role = "viewer", token = "a-token-0123456789abcdef"}]
[redaction]
also = ["date"]
""",
    b"""[alerting]
slack_url = "https://a.example/x"
[api.mappings.desk]
text = "ticket.comment.0.body"
""",
]
_BOMB = b"a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nrules: [*c, *c]\n"
_TEXT = "aaaa abab 第三次 été 3 times ab " * 50
_MODEL_FILES = ("manifest.json", "CURRENT", "tokenizer.json", "model.onnx", "weights.bin", ".hidden")


def targets(folder: Path) -> list[Target]:
    """All of them; `folder` is for their files."""
    alert_rules = (ROOT / "topics" / "feed" / "alert-rules.yaml").read_bytes()
    return [
        Target("rows", _rows(folder), [b"csv\n" + each for each in _ROWS], _rows_input),
        Target("records", _record, [each for each in RECORDS.values() if len(each) < 20_000]),
        Target("rules", _rules(folder), _RULES),
        Target("alert-rules", _alert_rules, [alert_rules, _BOMB]),
        Target("settings", _settings(folder), _SETTINGS),
        Target("models", _models(folder), (), _model_input),
    ]


def _rows_input(chance: random.Random) -> bytes:
    kind = chance.choice([b"csv", b"tsv", b"jsonl", b"txt", b"csv.gz"])
    return kind + b"\n" + mutated(chance, chance.choice(_ROWS), _ROWS)


def _rows(folder: Path) -> Callable[[bytes], None]:
    def run(content: bytes) -> None:
        kind, _, rows = content.partition(b"\n")
        path = folder / f"rows.{kind.decode('ascii', 'replace')}"
        path.write_bytes(rows)

        def read() -> None:
            for row in read_rows(str(path)):
                assert (row.error is None) == (row.record is not None)

        bounded(read, ConfigError, SourceError)

    return run


def _record(content: bytes) -> None:
    def process() -> None:
        rig = Rig()
        rig.send(content)
        rig.run()
        assert len(rig.produced("enriched")) + len(rig.produced("dead-letter")) == 1

    bounded(process)


def _rules(folder: Path) -> Callable[[bytes], None]:
    path = folder / "rules.yaml"

    def run(content: bytes) -> None:
        path.write_bytes(content)
        bounded(lambda: load_rules(path).decide(Facts(text=_TEXT)), ConfigError)

    return run


def _alert_rules(content: bytes) -> None:
    settings = load_settings(None, {}).alerting
    bounded(lambda: parse_alert_rules(content, settings, "rules"), ConfigError)


def _settings(folder: Path) -> Callable[[bytes], None]:
    path = folder / "triage.toml"

    def run(content: bytes) -> None:
        path.write_bytes(content)
        bounded(lambda: load_settings(path), ConfigError)

    return run


def _model_input(chance: random.Random) -> bytes:
    name = chance.choice(_MODEL_FILES[:1] * 6 + _MODEL_FILES)
    source = TINY_MODEL / name
    content = source.read_bytes() if source.is_file() else b"tiny\n"
    if name == "manifest.json" and chance.random() < 0.5:
        return b"manifest.json\n" + json.dumps(_changed(chance, json.loads(content))).encode()
    return name.encode() + b"\n" + mutated(chance, content)


def _changed(chance: random.Random, manifest: dict[str, Any]) -> dict[str, Any]:
    """The manifest with a value of another kind, or without it."""
    key = chance.choice(list(manifest))
    values: tuple[Any, ...] = (
        None,
        -1,
        0,
        2**63,
        1e308,
        "",
        "../x",
        "é" * 1_000,
        [],
        {},
        [[]],
        {"a": 1},
        True,
        list(manifest.values()),
    )
    inner = manifest[key]
    if isinstance(inner, dict) and inner and chance.random() < 0.7:
        return {**manifest, key: _changed(chance, inner)}
    if chance.random() < 0.2:
        return {name: value for name, value in manifest.items() if name != key}
    return {**manifest, key: chance.choice(values)}


def _models(folder: Path) -> Callable[[bytes], None]:
    registry = folder / "models"

    def run(content: bytes) -> None:
        name, _, rest = content.partition(b"\n")
        shutil.rmtree(registry, ignore_errors=True)
        shutil.copytree(TINY_MODEL, registry / "tiny")
        (registry / "CURRENT").write_text("tiny\n", "utf-8")
        file = name.decode("ascii", "replace")
        assert file in _MODEL_FILES, file
        (registry / ("" if file == "CURRENT" else "tiny") / file).write_bytes(rest)

        def load() -> None:
            with contextlib.suppress(OSError):
                model_folders(registry)
            chosen = find_folder(ModelSettings(registry=registry))
            OnnxModel.load(ModelSettings(path=chosen, device="cpu", threads=1))

        bounded(load, ModelError, ConfigError, InvalidRecord)

    return run
