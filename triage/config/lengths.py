"""Minimum lengths of secrets that operators choose."""

from pydantic import SecretStr


def require_length(secret: SecretStr | None, least: int, owner: str = "") -> SecretStr | None:
    """Return the secret.

    Raises ValueError if it is shorter than `least` characters; the message says how to create one.

    `owner` begins the message if the setting's name alone does not identify the secret.
    """
    if secret is not None and len(secret.get_secret_value()) < least:
        begin = f"{owner}: " if owner else ""
        raise ValueError(f"{begin}fewer than {least} characters; make one by: openssl rand -hex {least}")
    return secret
