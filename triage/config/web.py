"""Settings of the processes with a web interface: address, logins and TLS."""

import ipaddress
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, model_validator

from triage.config.section import Section

_LEAST_TOKEN_CHARS = 16


class Token(Section):
    """The token of one person or system."""

    name: str = Field(pattern=r"^[^\s|]{1,100}$", description="Name in logs and on the user's actions")
    role: Literal["viewer", "operator"] = "viewer"
    token: SecretStr

    @model_validator(mode="after")
    def _long_enough(self) -> "Token":
        if len(self.token.get_secret_value()) < _LEAST_TOKEN_CHARS:
            raise ValueError(f"the token of {self.name} has fewer than {_LEAST_TOKEN_CHARS} characters")
        return self


class WebSettings(Section):
    """Address, logins and TLS of a web process. Viewers only read, operators may also change something."""

    host: str = "127.0.0.1"
    port: int = Field(8080, ge=0, le=65_535)
    tokens: list[Token] = Field([], description="Users who may log in: [{name, role, token}]")
    trusted_proxies: list[str] = Field(
        [],
        description="Addresses or networks of proxies whose headers name the client (X-Forwarded-For) and the user",
    )
    user_header: str = Field(
        "X-Forwarded-User",
        description="Header of a trusted proxy with the user's name; empty: it logs nobody in",
    )
    groups_header: str = Field("X-Forwarded-Groups", description="Header with the user's groups, comma-separated")
    operator_groups: list[str] = Field([], description="Groups whose members are operators; all others are viewers")
    allow_without_login: bool = Field(
        False, description="Listen beyond this machine although neither tokens nor proxies are set"
    )
    open_probes: bool = Field(True, description="Answer /live, /ready and /metrics without a login")
    tls_certfile: Path | None = Field(None, description="PEM file with the certificate to serve https")
    tls_keyfile: Path | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> "WebSettings":
        problems = []
        names = [each.name for each in self.tokens]
        if len(set(names)) < len(names):
            problems.append("tokens: names must differ")
        for network in self.trusted_proxies:
            try:
                ipaddress.ip_network(network)
            except ValueError:
                problems.append(f"trusted_proxies: {network!r} is not an address or network such as 10.0.0.0/8")
        if self.trusted_proxies and not self.user_header and not self.tokens:
            problems.append("tokens: set some, for with an empty user_header the proxies log nobody in")
        if (self.tls_certfile is None) != (self.tls_keyfile is None):
            problems.append("tls_certfile and tls_keyfile go together")
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @property
    def login(self) -> bool:
        """True if users have to log in."""
        return bool(self.tokens or self.trusted_proxies)
