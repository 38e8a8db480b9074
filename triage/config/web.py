"""Settings of the processes with a web interface: address, logins and TLS."""

import ipaddress
import re
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, model_validator

from triage.config.exposure import Exposure, is_loopback
from triage.config.lengths import require_length
from triage.config.section import Section

_LEAST_TOKEN_CHARS = 16
# Letters that mean the same in a path, a header, a script and a cookie's name; no segment "." or "..".
_PREFIX = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~-]+)+")
_MAX_PREFIX_CHARS = 200


def normalized_prefix(text: str) -> str:
    """Normalize a URL path prefix.

    `/a/b/` and `a/b` become `/a/b`; `/` becomes empty. Raises ValueError for text that is not such a path.
    """
    inner = text.strip().strip("/")
    if not inner:
        return ""
    if len(inner) >= _MAX_PREFIX_CHARS or not _PREFIX.fullmatch(f"/{inner}"):
        raise ValueError(f"{text!r} is not a path such as /triage: letters, digits, '.', '_', '~', '-' between slashes")
    return f"/{inner}"


Role = Literal["viewer", "operator", "webhook"]


class Token(Section):
    """The access token of one person or system."""

    name: str = Field(pattern=r"^[^\s|]{1,100}$", description="Name in logs and on the user's actions")
    role: Role = Field("viewer", description="viewer, operator, or in api.tokens webhook: sends webhooks only")
    token: SecretStr

    @model_validator(mode="after")
    def _long_enough(self) -> "Token":
        require_length(self.token, _LEAST_TOKEN_CHARS, f"the token of {self.name}")
        return self


class WebSettings(Section):
    """Address, logins and TLS of a web process. Viewers only read; operators can also make changes."""

    host: str = Field("127.0.0.1", description="Address to listen on")
    port: int = Field(8080, ge=0, le=65_535, description="Port to listen on; 0: any free one")
    tokens: list[Token] = Field([], description="Users who may log in: [{name, role, token}]")
    trusted_proxies: list[str] = Field(
        [],
        description="Addresses or networks of proxies whose X-Forwarded-* headers describe the client",
    )
    proxy_login: bool = Field(
        False, description="Log in the user whom a trusted proxy names in user_header, without a token"
    )
    user_header: str = Field("X-Forwarded-User", description="With proxy_login, the header with the user's name")
    groups_header: str = Field(
        "X-Forwarded-Groups", description="With proxy_login, the header with the user's groups, comma-separated"
    )
    operator_groups: list[str] = Field([], description="Groups whose members are operators; all others are viewers")
    allow_without_login: bool = Field(
        False, description="Listen beyond this machine although neither tokens nor proxies are set"
    )
    open_probes: bool = Field(True, description="Answer /live, /ready and /metrics without a login")
    health_port: int | None = Field(
        None,
        ge=0,
        le=65_535,
        description="Also answer /live, /ready and /metrics on this port, on a listener of its own and without a login",
    )
    max_connections: int = Field(1_000, ge=8, description="Most open connections; at most half of the process's files")
    max_connections_per_address: int = Field(
        250, ge=4, description="Most open connections of one IPv4 address or IPv6 /64; not limited for trusted_proxies"
    )
    header_timeout_s: float = Field(10, gt=0, description="A connection without a complete request is closed then")
    body_timeout_s: float = Field(
        30, gt=0, description="A request whose body is incomplete, or whose answer is not read, ends then"
    )
    tls_certfile: Path | None = Field(None, description="PEM file with the certificate to serve https")
    tls_keyfile: Path | None = Field(None, description="PEM file with the private key of the certificate")

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
        if self.proxy_login and not (self.trusted_proxies and self.user_header):
            problems.append("proxy_login: also set trusted_proxies and user_header")
        if self.proxy_login and any(_is_everybody(network) for network in self.trusted_proxies):
            problems.append(
                "trusted_proxies: with proxy_login, a network of all addresses lets everybody in as any user"
            )
        if self.trusted_proxies and not self.login and not self.allow_without_login:
            problems.append(
                "trusted_proxies: they alone log nobody in; set tokens, or proxy_login = true if they log people in"
            )
        if (self.tls_certfile is None) != (self.tls_keyfile is None):
            problems.append("tls_certfile and tls_keyfile go together")
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @property
    def login(self) -> bool:
        """True if the settings require users to log in."""
        return bool(self.tokens or self.proxy_login)

    @property
    def beyond_loopback(self) -> bool:
        """True if other machines can connect to `host`: it is not a loopback address."""
        return not is_loopback(self.host)

    def remarks(self, section: str) -> list[str]:
        """Risks of settings that are valid, as messages with a remedy; `section` is the section's name in them."""
        found = []
        if any(_is_everybody(network) for network in self.trusted_proxies):
            found.append(
                f"{section}.trusted_proxies holds all addresses: each client can say where it comes from, and none is "
                "slowed down for wrong tokens; name the proxy's address or network"
            )
        if self.trusted_proxies and self.proxy_login:
            found.append(
                f"{section}.trusted_proxies also log people in (proxy_login): whoever can send from these addresses "
                f"can be any user, by {self.user_header}; let only the proxy reach the port, and have it remove the "
                "header from requests"
            )
        elif self.trusted_proxies:
            found.append(
                f"{section}.trusted_proxies describe clients (X-Forwarded-For, -Proto, -Host, -Prefix), and log nobody "
                "in; set proxy_login = true if they do"
            )
        return found

    def in_clear_text(self) -> list[Exposure]:
        """Tokens and sessions, if neither the service nor a proxy uses TLS and other machines can connect."""
        if not self.login or not self.beyond_loopback or self.tls_certfile or self.trusted_proxies:
            return []
        remedy = "set tls_certfile and tls_keyfile, or put a proxy with TLS before it and name it in trusted_proxies"
        return [Exposure("host", "tokens and sessions cross the network", remedy)]


def _is_everybody(network: str) -> bool:
    try:
        return ipaddress.ip_network(network).prefixlen == 0
    except ValueError:
        return False
