"""Allows one alerter per instance name: a second process does not start, and a displaced one ends.

If a static member joins a Kafka group with the name of another, it silently replaces that one, which then joins again
and replaces it in turn: two alerters with one name rebalance forever, and both send pages. Therefore each process puts
its identity into its client id, `<group>-<instance>@<host>.<pid>`, which anyone who may describe the group can read.
"""

import logging
import os
import re
import socket
import threading
from collections.abc import Callable
from pathlib import Path

from triage.clock import Clock
from triage.config import Settings
from triage.errors import ConfigError, TriageError
from triage.logging import get_logger

log = get_logger("triage.alerter")

_LOOK_S = 1.0
_MARGIN_S = 5.0


class Instance:
    """This process's membership in the alerters' consumer group, under the name `alerting.instance`.

    `host` and `pid` identify this process (default: the real ones). `alive(pid)` returns true if that process runs on
    this host. `members()` returns the client ids of the group's members.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        host: str | None = None,
        pid: int | None = None,
        alive: Callable[[int], bool] | None = None,
        members: Callable[[], list[str]] | None = None,
    ) -> None:
        self._settings = settings
        self._host = re.sub(r"[^A-Za-z0-9._-]", "-", host or socket.gethostname())
        self._pid = pid or os.getpid()
        self._alive = alive or _is_alive
        self._members = members or self._describe
        self._group = settings.kafka.topic(settings.alerting.group)
        self._name = f"{self._group}-{settings.alerting.instance}"

    @property
    def client_id(self) -> str:
        return f"{self._name}@{self._host}.{self._pid}"

    def other(self) -> str | None:
        """Return the other process (`host.pid`) that is in the group under this instance's name; None if none is alive.

        Blocks. Raises Unavailable, AccessDenied or ConfigError if the group cannot be described.
        """
        for client_id in self._members():
            name, separator, process = client_id.rpartition("@")
            if name == self._name and separator and client_id != self.client_id and self._may_live(process):
                return process
        return None

    def wait_until_free(self, clock: Clock, stop: threading.Event) -> None:
        """Wait until no other process is in the group under this instance's name, or until `stop` is set.

        A dead member leaves the group after the session timeout. Raises ConfigError if the name is still in use some
        seconds after that time. Continues without this check if the brokers cannot be asked.
        """
        patience_s = self._settings.alerting.session_timeout_s + _MARGIN_S
        started_s, said = clock.monotonic(), False
        while not stop.is_set():
            try:
                process = self.other()
            except TriageError as error:
                log.warning("instance_not_checked", error=str(error))
                return
            if process is None:
                return
            if clock.monotonic() - started_s > patience_s:
                raise self.taken(process)
            if not said:
                log.warning("instance_in_use", instance=self._settings.alerting.instance, by=process, wait_s=patience_s)
                said = True
            clock.sleep(_LOOK_S)

    def taken(self, process: str) -> ConfigError:
        """Build the error that ends this process because another process (`host.pid`) uses its name in the group."""
        instance = self._settings.alerting.instance
        return ConfigError(
            f"another alerter, {process} (host.pid), runs as instance {instance!r} of the group {self._group}; give "
            "each a name of its own: --instance, or alerting.instance",
            where="alerter",
        )

    def _may_live(self, process: str) -> bool:
        host, _, pid = process.rpartition(".")
        if host != self._host or not pid.isdigit():
            return True
        # In containers each process has the same number: it is this one's predecessor then.
        return int(pid) != self._pid and self._alive(int(pid))

    def _describe(self) -> list[str]:
        """The client ids of the group's members."""
        from triage.topics.connect import admin_client
        from triage.topics.group_offsets import described_groups

        # It warns of what Faust's members say of themselves, at length.
        logging.getLogger("kafka.admin._groups").setLevel(logging.ERROR)
        with admin_client(self._settings.kafka, timeout_s=0) as admin:
            found = described_groups(admin, [self._group])
        return [member["client_id"] for group in found.values() for member in group.get("members", ())]


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        stat = Path(f"/proc/{pid}/stat")
        # A zombie is dead, but its parent has not noticed.
        return not stat.exists() or stat.read_text("utf-8", "replace").rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
    except (OSError, IndexError):
        return True
