"""Requests metrics and health from processes."""

import json
import socket
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import httpx

from triage.fleet.exposition import Samples, parse

_MAX_CONCURRENT = 16


@dataclass(frozen=True)
class Answer:
    """The answer of one address, or `error`. `about` is its /ready, empty where it has none."""

    address: str
    samples: Samples = field(default_factory=Samples)
    about: dict[str, Any] = field(default_factory=dict)
    error: str | None = None

    @property
    def kind(self) -> str:
        return next((kind for kind in ("worker", "alerter", "api") if kind in self.about), "process")

    @property
    def name(self) -> str:
        """The name that the process reports, else its address."""
        return str(self.about.get(self.kind, self.address))


def ask_all(addresses: Iterable[str], timeout_s: float) -> list[Answer]:
    """Answers of all addresses, requested concurrently, in order; errors are part of the answers."""
    unique = list(dict.fromkeys(addresses))
    if not unique:
        return []
    with httpx.Client(timeout=timeout_s) as client, ThreadPoolExecutor(min(_MAX_CONCURRENT, len(unique))) as threads:
        return list(threads.map(lambda address: _ask(client, address), unique))


def resolved(addresses: Sequence[str]) -> list[str]:
    """Addresses of a name and port.

    `name:port` as `address:port` for each address of the name; an unknown name is kept.
    """
    found: list[str] = []
    for each in addresses:
        host, _, port = each.rpartition(":")
        try:
            known = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)
        except OSError:
            found.append(each)
            continue
        families = {family for family, *_ in known}
        # A local name has an address of each family, and a process listens on one of them.
        family = socket.AF_INET if socket.AF_INET in families else socket.AF_INET6
        found += [shown(str(where[0]), int(port)) for of, _, _, _, where in known if of == family]
    return list(dict.fromkeys(found))


def shown(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _ask(client: httpx.Client, address: str) -> Answer:
    try:
        metrics = client.get(f"http://{address}/metrics")
        metrics.raise_for_status()
        samples = parse(metrics.text)
        ready = client.get(f"http://{address}/ready")
        about = json.loads(ready.text)
    except httpx.HTTPStatusError as error:
        return Answer(address, error=f"/metrics answers {error.response.status_code}")
    except httpx.TimeoutException:
        return Answer(address, error="does not answer in time")
    except httpx.HTTPError as error:
        return Answer(address, error=_reason(error))
    except ValueError as error:
        return Answer(address, error=f"is not a process of triage: {str(error)[:80]}")
    return Answer(address, samples, about if isinstance(about, dict) else {})


def _reason(error: Exception) -> str:
    text = str(error)
    return "connection refused" if "refused" in text else text or type(error).__name__
