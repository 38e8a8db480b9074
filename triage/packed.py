"""Reads files that may be packed by gzip, xz or bzip2."""

import bz2
import gzip
import lzma
from collections.abc import Callable
from pathlib import Path
from typing import IO

OPENERS: dict[str, Callable[..., IO[str]]] = {".gz": gzip.open, ".xz": lzma.open, ".bz2": bz2.open}
"""Functions that open packed files, by the suffix of the name."""
_GZIP, _XZ, _BZIP2 = b"\x1f\x8b", b"\xfd7zXZ\x00", b"BZh"


def read_unpacked(path: Path) -> bytes:
    """Return the content of a file, unpacked if its name or its first bytes say gzip, xz or bzip2.

    Raises OSError for a file that cannot be read or is damaged.
    """
    content = path.read_bytes()
    try:
        if path.suffix == ".gz" or content.startswith(_GZIP):
            return gzip.decompress(content)
        if path.suffix == ".xz" or content.startswith(_XZ):
            return lzma.decompress(content)
        if path.suffix == ".bz2" or content.startswith(_BZIP2):
            return bz2.decompress(content)
    except (EOFError, OSError, ValueError, lzma.LZMAError) as error:
        raise OSError(f"damaged: {error}") from error
    return content
