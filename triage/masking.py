"""Removes credentials from URLs that are shown: in `config show`, messages and logs."""

import re
from typing import Any

MASK = "**********"  # as pydantic shows a SecretStr
_CREDENTIALS = re.compile(
    # All before the last @ of the host's part, ...
    r"(?<=://)[^\s/?#,\"']*@"
    # ... and a password with a raw / or ?, unless what follows the colon is a port.
    r"|(?<=://)[^\s/?#,:@\"']*:(?!\d{1,5}(?:[/?#,\s]|$))[^\s,@\"']*@"
)
_PARAMETER = re.compile(
    r"([?&](?:[a-z0-9]+[_-])*(?:token|key|apikey|secret|password|passwd|pwd|sig|signature|auth)=)[^&#\s,\"']+",
    re.IGNORECASE,
)


def without_credentials(text: str) -> str:
    """Mask `user:password@` of each URL in a text, and the values of parameters with names of secrets.

    `http://ann:pw@es:9200` becomes `http://**********@es:9200`.
    """
    if "://" not in text:
        return text
    return _PARAMETER.sub(rf"\g<1>{MASK}", _CREDENTIALS.sub(f"{MASK}@", text))


def masked(value: Any) -> Any:
    """Copy a value with credentials masked in all its strings, also inside lists and dicts; tuples become lists."""
    if isinstance(value, str):
        return without_credentials(value)
    if isinstance(value, (list, tuple)):
        return [masked(item) for item in value]
    if isinstance(value, dict):
        return {key: masked(item) for key, item in value.items()}
    return value
