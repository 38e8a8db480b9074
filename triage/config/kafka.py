"""Settings of Kafka: connection and names of the topics."""

import re
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, model_validator

from triage.config.exposure import Exposure, is_loopback, leaves_in_clear
from triage.config.section import Section
from triage.oauth import TokenSource, token_source

LINGER_MS = 5
"""Time in ms that a transactional producer waits for more records of a partition."""

_PORT = re.compile(r":\d*$")


class KafkaSettings(Section):
    """Connection to Kafka and names of the topics. The security settings are named as in kafka-python."""

    bootstrap_servers: str = Field("127.0.0.1:9092", description="host:port of the brokers, comma-separated")
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="Encryption and authentication of the connections"
    )
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"] | None = Field(
        None, description="Mechanism for SASL_PLAINTEXT and SASL_SSL"
    )
    sasl_username: str | None = Field(None, description="User, for PLAIN and SCRAM")
    sasl_password: SecretStr | None = Field(None, description="Password of that user")
    oauth_token_url: str | None = Field(None, description="Token endpoint, for OAUTHBEARER (client credentials grant)")
    oauth_client_id: str | None = Field(None, description="Client id at the token endpoint")
    oauth_client_secret: SecretStr | None = Field(None, description="Client secret at the token endpoint")
    oauth_scope: str | None = Field(None, description="Scope to request, if the endpoint needs one")
    oauth_cafile: Path | None = Field(None, description="PEM file with the CA certificate of the token endpoint")
    ssl_cafile: Path | None = Field(None, description="PEM file with the CA certificate of the brokers")
    ssl_certfile: Path | None = Field(None, description="PEM file with the client certificate, for mutual TLS")
    ssl_keyfile: Path | None = Field(None, description="PEM file with the client's private key")
    ssl_password: SecretStr | None = Field(None, description="Password of the client's private key")
    ssl_check_hostname: bool = Field(True, description="Whether the host name in a broker's certificate is checked")
    topic_prefix: str = Field("feedback", pattern=r"^[a-zA-Z0-9._-]{1,100}$", description="Prefix of every topic")
    environment: str = Field(
        "local", description="Section of topics/topics.yaml that `triage topics` uses: local, production, ..."
    )
    request_timeout_ms: int = Field(
        30_000, ge=1_000, le=300_000, description="Timeout of a request to a broker; a commit takes three at most"
    )
    start_timeout_s: float = Field(60, gt=0, description="How long a process waits for the brokers when it starts")

    @model_validator(mode="after")
    def _sasl_is_whole(self) -> "KafkaSettings":
        if not self.security_protocol.startswith("SASL"):
            return self
        if self.sasl_mechanism == "OAUTHBEARER":
            if not (self.oauth_token_url and self.oauth_client_id and self.oauth_client_secret):
                raise ValueError("OAUTHBEARER needs oauth_token_url, oauth_client_id and oauth_client_secret")
        elif not (self.sasl_mechanism and self.sasl_username and self.sasl_password):
            raise ValueError(f"{self.security_protocol} needs sasl_mechanism, sasl_username and sasl_password")
        return self

    @property
    def delivery_timeout_ms(self) -> int:
        """Time in which the records of a transaction must be acknowledged: the minimum that kafka-python accepts."""
        return self.request_timeout_ms + LINGER_MS

    @property
    def commit_timeout_ms(self) -> int:
        """The longest duration of a worker's commit: metadata, delivery including offsets, and the commit or abort."""
        return 2 * self.request_timeout_ms + self.delivery_timeout_ms

    def in_clear_text(self) -> list[Exposure]:
        """Credentials sent to another machine in clear text, over SASL_PLAINTEXT or to a token endpoint over http."""
        found = []
        if self.security_protocol == "SASL_PLAINTEXT" and not self.on_this_machine():
            sent = {"PLAIN": "sasl_password crosses", "OAUTHBEARER": "the token crosses"}.get(
                self.sasl_mechanism or "", "records, and a proof from which sasl_password can be guessed, cross"
            )
            found.append(Exposure("security_protocol", f"{sent} the network", "use SASL_SSL"))
        if self.sasl_mechanism == "OAUTHBEARER" and leaves_in_clear(self.oauth_token_url or ""):
            found.append(Exposure("oauth_token_url", "oauth_client_secret crosses the network", "use https"))
        return found

    def on_this_machine(self) -> bool:
        """True if the addresses of all brokers are loopback addresses."""
        servers = [server.strip() for server in self.bootstrap_servers.split(",")]
        return all(is_loopback(_PORT.sub("", server)) for server in servers)

    def client(self) -> dict[str, Any]:
        """Keyword arguments, from the settings, for the constructor of any kafka-python client."""
        options: dict[str, Any] = {
            "bootstrap_servers": [server.strip() for server in self.bootstrap_servers.split(",")],
            "security_protocol": self.security_protocol,
        }
        if self.security_protocol.startswith("SASL"):
            options["sasl_mechanism"] = self.sasl_mechanism
            if self.sasl_mechanism == "OAUTHBEARER":
                options["sasl_oauth_token_provider"] = self.oauth().for_kafka_python()
            elif self.sasl_password:
                options["sasl_plain_username"] = self.sasl_username
                options["sasl_plain_password"] = self.sasl_password.get_secret_value()
        if self.security_protocol.endswith("SSL"):
            options["ssl_check_hostname"] = self.ssl_check_hostname
            for name in ("ssl_cafile", "ssl_certfile", "ssl_keyfile"):
                if (path := getattr(self, name)) is not None:
                    options[name] = str(path)
            if self.ssl_password is not None:
                options["ssl_password"] = self.ssl_password.get_secret_value()
        return options

    def oauth(self) -> TokenSource:
        """The source of OAUTHBEARER tokens, which all clients of a process share."""
        assert self.oauth_token_url is not None
        assert self.oauth_client_id is not None
        assert self.oauth_client_secret is not None
        return token_source(
            self.oauth_token_url,
            self.oauth_client_id,
            self.oauth_client_secret.get_secret_value(),
            self.oauth_scope,
            self.oauth_cafile,
        )

    def topic(self, name: str) -> str:
        """Full name of a topic: `complaints` -> `feedback.complaints`."""
        return f"{self.topic_prefix}.{name}"
