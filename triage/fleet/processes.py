"""Requests metrics and health from the processes of the fleet over HTTP."""

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
    """The response of one process, or the `error` if it did not respond.

    `samples` are its metrics; `about` is the JSON of its /ready, empty if that is not an object.
    """

    address: str
    samples: Samples = field(default_factory=Samples)
    about: dict[str, Any] = field(default_factory=dict)
    error: str | None = None

    @property
    def kind(self) -> str:
        return next((kind for kind in ("worker", "alerter", "api") if kind in self.about), "process")

    @property
    def name(self) -> str:
        """The name that the process reports in its `/ready`, else its address."""
        return str(self.about.get(self.kind, self.address))


def ask_all(addresses: Iterable[str], timeout_s: float) -> list[Answer]:
    """Request metrics and health from all addresses (host:port) concurrently; returns their answers in order.

    Errors are part of the answers. A repeated address is asked once.
    """
    unique = list(dict.fromkeys(addresses))
    if not unique:
        return []
    with httpx.Client(timeout=timeout_s) as client, ThreadPoolExecutor(min(_MAX_CONCURRENT, len(unique))) as threads:
        return list(threads.map(lambda address: _ask(client, address), unique))


def console_error(url: str, timeout_s: float) -> str | None:
    """The reason why no console answers at this URL; None if it answers with any status below 500.

    A login page or a proxy in front of the console counts as an answer.
    """
    try:
        answer = httpx.get(f"{url}/live", timeout=timeout_s)
    except httpx.TimeoutException:
        return "does not answer in time"
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return _reason(error)
    return f"/live answers {answer.status_code}" if answer.is_server_error else None


def resolved(addresses: Sequence[str]) -> list[str]:
    """Replace each `name:port` by an `address:port` for each IP address of the name.

    IPv6 addresses are used only if there are no IPv4 ones. A name that cannot be resolved is kept.
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
