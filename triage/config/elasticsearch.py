"""Settings of Elasticsearch: connection, names and retention of the indices."""

from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, model_validator

from triage.config.exposure import Exposure, has_credentials, is_loopback, leaves_in_clear
from triage.config.section import Section


class ElasticsearchSettings(Section):
    """Elasticsearch 9: connection, names of indices, limits. Authentication is by user and password or by API key."""

    url: str = Field("http://127.0.0.1:9200", description="URLs of the nodes, comma-separated")
    username: str | None = Field(None, description="User, for basic authentication")
    password: SecretStr | None = Field(None, description="Password of that user")
    api_key: SecretStr | None = Field(None, description="API key, encoded as base64 of id:key")
    ca_certs: Path | None = Field(None, description="PEM file with the CA certificate of the nodes")
    client_cert: Path | None = Field(None, description="PEM file with the client certificate, for mutual TLS")
    client_key: Path | None = Field(None, description="PEM file with its private key, if not in the same file")
    index_prefix: str = Field(
        "feedback",
        pattern=r"^[a-z0-9][a-z0-9_-]{0,80}$",
        description="Name of the alias, and prefix of the daily indices",
    )
    alerts_index: str = Field("alerts", pattern=r"^[a-z0-9][a-z0-9_-]{0,80}$", description="Index of alerts")
    corrections_index: str | None = Field(
        None,
        pattern=r"^[a-z0-9][a-z0-9_-]{0,80}$",
        description="Index of people's corrections; default: `index_prefix` and `_corrections`",
    )
    conversations_index: str | None = Field(
        None,
        pattern=r"^[a-z0-9][a-z0-9_-]{0,80}$",
        description="Index of conversations; default: `index_prefix` and `_conversations`",
    )
    knowledge_index: str | None = Field(
        None,
        pattern=r"^[a-z0-9][a-z0-9_-]{0,80}$",
        description="Index of passages of knowledge; default: `index_prefix` and `_knowledge`",
    )
    answers_index: str | None = Field(
        None,
        pattern=r"^[a-z0-9][a-z0-9_-]{0,80}$",
        description="Index of verdicts on answers and of unanswered questions; default: `index_prefix` and `_answers`",
    )
    cases_index: str | None = Field(
        None,
        pattern=r"^[a-z0-9][a-z0-9_-]{0,80}$",
        description="Index of resolved cases; default: `index_prefix` and `_cases`",
    )
    catalogue_index: str | None = Field(
        None,
        pattern=r"^[a-z0-9][a-z0-9_-]{0,80}$",
        description="Index of the guide's catalogue; default: `index_prefix` and `_catalogue`",
    )
    topics_index: str | None = Field(
        None,
        pattern=r"^[a-z0-9][a-z0-9_-]{0,80}$",
        description="Index of emerging topics; default: `index_prefix` and `_topics`",
    )
    request_timeout_s: float = Field(30, gt=0, le=600, description="Timeout of a request")
    start_timeout_s: float = Field(60, gt=0, description="How long a process waits for Elasticsearch when it starts")
    bulk_bytes: int = Field(
        5 * 1024 * 1024, ge=10_000, le=100 * 1024 * 1024, description="Maximum size of a bulk request"
    )
    bulk_retries: int = Field(
        3, ge=0, le=20, description="Retries of refused documents within one write, before the partitions are paused"
    )
    daily_days: int = Field(
        30, ge=0, le=3650, description="Days before the first `triage index apply` that get daily indices"
    )
    retention_days: int = Field(180, ge=1, description="Days after which daily indices are deleted (by ILM)")
    shards: int = Field(1, ge=1, le=100, description="Primary shards per index")
    replicas: int = Field(0, ge=0, le=10, description="Replicas per shard")

    @model_validator(mode="after")
    def _fits_together(self) -> "ElasticsearchSettings":
        problems = []
        for url in self.urls():
            try:
                parts = urlsplit(url)
                valid = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
            except ValueError:
                valid = False
            if not valid:
                problems.append("url must be http(s)://host:port, or several, comma-separated")
        if (self.username is None) != (self.password is None):
            problems.append("username and password must be set together")
        if self.username is not None and self.api_key is not None:
            problems.append("set either username and password or api_key, not both")
        taken: dict[str, str] = {}
        for name, index in (
            ("alerts_index", self.alerts_index),
            ("corrections_index", self.corrections()),
            ("conversations_index", self.conversations()),
            ("knowledge_index", self.knowledge()),
            ("cases_index", self.cases()),
            ("answers_index", self.answers()),
            ("catalogue_index", self.catalogue()),
            ("topics_index", self.topics()),
        ):
            if index == self.index_prefix or index.startswith(f"{self.index_prefix}-"):
                problems.append(f"{name} must not be {self.index_prefix} or begin with {self.index_prefix}-")
            if index in taken:
                problems.append(f"{name} must not be {taken[index]} ({index})")
            taken.setdefault(index, name)
        if problems:
            raise ValueError("; ".join(dict.fromkeys(problems)))
        return self

    def in_clear_text(self) -> list[Exposure]:
        """The API key or password, if it is sent over http to another machine."""
        name = "the API key" if self.api_key else "the password" if self.password else ""
        if not any(leaves_in_clear(url) and (name or has_credentials(url)) for url in self.urls()):
            return []
        remedy = "use https, with ca_certs for an authority of your own"
        return [Exposure("url", f"{name or 'its password'} crosses the network", remedy)]

    def on_this_machine(self) -> bool:
        """True if the addresses of all nodes are loopback addresses."""
        return all(is_loopback(urlsplit(url).hostname or "") for url in self.urls())

    def corrections(self) -> str:
        """Name of the index of corrections."""
        return self.corrections_index or f"{self.index_prefix}_corrections"

    def conversations(self) -> str:
        """Name of the index of conversations."""
        return self.conversations_index or f"{self.index_prefix}_conversations"

    def knowledge(self) -> str:
        """Name of the index of knowledge."""
        return self.knowledge_index or f"{self.index_prefix}_knowledge"

    def answers(self) -> str:
        """Name of the index of verdicts on answers and of unanswered questions."""
        return self.answers_index or f"{self.index_prefix}_answers"

    def cases(self) -> str:
        """Name of the index of resolved cases."""
        return self.cases_index or f"{self.index_prefix}_cases"

    def catalogue(self) -> str:
        """Name of the index of the guide's catalogue."""
        return self.catalogue_index or f"{self.index_prefix}_catalogue"

    def topics(self) -> str:
        """Name of the index of emerging topics."""
        return self.topics_index or f"{self.index_prefix}_topics"

    def urls(self) -> list[str]:
        return [url.strip() for url in self.url.split(",")]
