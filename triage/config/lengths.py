"""Least lengths of secrets that owners choose."""

from pydantic import SecretStr


def require_length(secret: SecretStr | None, least: int, owner: str = "") -> SecretStr | None:
    """Returns the secret. Raises ValueError, with a command that makes one, if it is shorter than `least` characters.

    `owner` begins the message where the setting's name alone does not say which secret is meant.
    """
    if secret is not None and len(secret.get_secret_value()) < least:
        begin = f"{owner}: " if owner else ""
        raise ValueError(f"{begin}fewer than {least} characters; make one by: openssl rand -hex {least}")
    return secret
