"""Writes the settings of a running demo to a file for other commands: `triage top --config FILE`."""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from pydantic import SecretStr

from triage.paths import replace_file


def write_settings(path: Path, flags: Mapping[str, object]) -> None:
    """Write `flags`, settings by dotted name (`kafka.bootstrap_servers`), as TOML without None, secrets and tables.

    Raises OSError if the file cannot be written.
    """
    sections: dict[str, list[str]] = {}
    for name, value in flags.items():
        shown = _toml(value)
        if shown is not None:
            section, _, field = name.partition(".")
            sections.setdefault(section, []).append(f"{field} = {shown}")
    text = "\n".join("\n".join([f"[{section}]", *lines, ""]) for section, lines in sections.items())
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, text.encode())


def _toml(value: object) -> str | None:
    if value is None or isinstance(value, SecretStr):
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, list):
        items = [_toml(item) for item in value]
        return None if None in items else f"[{', '.join(item for item in items if item)}]"
    if isinstance(value, dict):
        return None
    # TOML strings have the same escapes as JSON strings.
    return json.dumps(value.isoformat() if isinstance(value, datetime) else str(value))
