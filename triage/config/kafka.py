"""How Kafka is reached, and the names of the topics."""

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, model_validator

from triage.config.section import Section
from triage.oauth import TokenSource, token_source


class KafkaSettings(Section):
    """Connection and names; security follows kafka-python's names."""

    bootstrap_servers: str = Field("127.0.0.1:9092", description="Comma-separated host:port of the brokers")
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"] | None = None
    sasl_username: str | None = None
    sasl_password: SecretStr | None = None
    oauth_token_url: str | None = Field(None, description="Token endpoint for OAUTHBEARER (client credentials grant)")
    oauth_client_id: str | None = None
    oauth_client_secret: SecretStr | None = None
    oauth_scope: str | None = None
    oauth_cafile: Path | None = Field(
        None, description="PEM file of the authority that signed the endpoint's certificate"
    )
    ssl_cafile: Path | None = Field(None, description="PEM file of the authority that signed the brokers' certificates")
    ssl_certfile: Path | None = Field(None, description="PEM file with the client's certificate, for mutual TLS")
    ssl_keyfile: Path | None = None
    ssl_password: SecretStr | None = Field(None, description="Of the file with the client's key")
    ssl_check_hostname: bool = Field(True, description="Whether a broker's certificate must name its host")
    topic_prefix: str = Field("feedback", pattern=r"^[a-zA-Z0-9._-]{1,100}$", description="Prefix of every topic")
    environment: str = Field("local", description="Section of topics/topics.yaml: local, production, ...")
    request_timeout_ms: int = Field(30_000, ge=1_000, le=600_000)
    start_timeout_s: float = Field(60, gt=0, description="How long a process waits at start for the brokers")

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

    def client(self) -> dict[str, Any]:
        """Keyword arguments that every kafka-python client takes."""
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
        """Where the tokens of OAUTHBEARER come from; the clients of one process share it."""
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
