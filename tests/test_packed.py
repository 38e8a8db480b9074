"""Packed files are read by their name or first bytes; damaged ones are an OSError."""

import bz2
import gzip
import lzma

import pytest

from triage.packed import read_unpacked


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_gzip_is_known_by_name_or_content(tmp_path, name):
    (tmp_path / name).write_bytes(gzip.compress(b"line\n"))
    assert read_unpacked(tmp_path / name) == b"line\n"


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.xz"])
def test_xz_is_known_by_name_or_content(tmp_path, name):
    (tmp_path / name).write_bytes(lzma.compress(b"line\n"))
    assert read_unpacked(tmp_path / name) == b"line\n"


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.bz2"])
def test_bzip2_is_known_by_name_or_content(tmp_path, name):
    (tmp_path / name).write_bytes(bz2.compress(b"line\n"))
    assert read_unpacked(tmp_path / name) == b"line\n"


def test_plain_files_stay(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(b"line\n")
    assert read_unpacked(tmp_path / "a.jsonl") == b"line\n"


@pytest.mark.parametrize(("name", "packer"), [("a.gz", gzip), ("a.xz", lzma), ("a.bz2", bz2)])
def test_damage_is_an_oserror(tmp_path, name, packer):
    (tmp_path / name).write_bytes(packer.compress(b"line\n" * 99)[:-9])
    with pytest.raises(OSError, match="damaged"):
        read_unpacked(tmp_path / name)
