"""Packs a playbook into a conversation, which thereby keeps the version it began with."""

import base64
import zlib
from functools import lru_cache

import msgspec

from triage.assist.playbooks.model import Playbook

_MAX_BYTES = 1024 * 1024


@lru_cache(256)
def packed(playbook_json: bytes) -> str:
    """Compress a playbook's JSON and encode it in base64."""
    return base64.b64encode(zlib.compress(playbook_json, 9)).decode()


def pack(playbook: Playbook) -> str:
    """Encode a playbook as a short text, for `unpack`."""
    return packed(msgspec.json.encode(playbook))


@lru_cache(256)
def unpack(text: str) -> Playbook:
    """Decode the playbook from a text that `pack` made."""
    body = zlib.decompressobj().decompress(base64.b64decode(text), _MAX_BYTES)
    return msgspec.json.decode(body, type=Playbook)
