"""Hostile files for `ingest` and `enrich`: bombs stream in bounded memory, damage is said."""

import gzip
import resource
import time
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triage.errors import ConfigError, SourceError
from triage.sources.files import read_rows

MEBIBYTE = 1024 * 1024
BOMB_MIB = 256


def _bomb(path, head, filler):
    with gzip.open(path, "wb", compresslevel=9) as file:
        file.write(head)
        for _ in range(BOMB_MIB):
            file.write(filler * (MEBIBYTE // len(filler)))
        file.write(b'\n{"text": "after it"}\n')
    assert path.stat().st_size < 2 * MEBIBYTE
    return path


@pytest.mark.parametrize(
    ("head", "filler"),
    [(b'{"text": "', b"a"), (b'{"text": "a"}\n', b"\x00"), (b"{", b" "), (b'{"text": "a"}\n', b"[[[[[[[[")],
)
def test_a_bomb_is_refused_as_one_row_in_bounded_memory(tmp_path, head, filler):
    path = _bomb(tmp_path / "bomb.jsonl.gz", head, filler)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.monotonic()
    rows = list(read_rows(str(path)))
    assert time.monotonic() - started < 120
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024 < 64
    assert [row.error is None for row in rows][-1]
    assert any(row.error is not None and row.error.reason == "too_long" for row in rows)


def test_a_csv_bomb_and_a_bomb_of_lines(tmp_path):
    path = tmp_path / "bomb.csv.gz"
    with gzip.open(path, "wb") as file:
        file.write(b"text\n" + b'"' + b"a" * (20 * MEBIBYTE) + b'"\nafter it\n')
    rows = list(read_rows(str(path)))
    assert rows[-1].error is None
    assert any(row.error is not None for row in rows)
    with gzip.open(path, "wb") as file:
        file.write(b"text\n" + b"a\n" * 200_000)
    assert sum(1 for _ in read_rows(str(path))) == 200_000


def test_a_bomb_in_a_bomb_stays_one_row(tmp_path):
    inner = gzip.compress(gzip.compress(b'{"text": "a"}\n' * 1_000))
    path = tmp_path / "twice.jsonl.gz"
    path.write_bytes(inner)
    rows = list(read_rows(str(path)))
    assert all(row.error is not None for row in rows)


@settings(max_examples=40, deadline=None)
@given(content=st.binary(max_size=400), packed=st.booleans(), suffix=st.sampled_from(["csv", "jsonl", "txt"]))
def test_any_file_gives_rows_or_one_clear_error(tmp_path_factory, content, packed, suffix):
    path = tmp_path_factory.mktemp("any") / f"file.{suffix}"
    path.write_bytes(gzip.compress(content)[: len(content) + 10] if packed else content)
    with suppress(ConfigError, SourceError):
        for row in read_rows(str(path)):
            assert (row.error is None) == (row.record is not None) == bool(row.payload)
