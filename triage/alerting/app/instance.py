"""One process per instance name: a second one is refused, and one whose place was taken ends.

A static member of a Kafka group takes the place of a member with the same name without a word. The other one joins
again and takes it back: two alerters of one name rebalance for ever, and both send pages. Each process therefore names
itself in its client id, `<group>-<instance>@<host>.<pid>`, which everyone who may read the group can see.
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
    """This process as a member of the alerters' consumer group, under the name `alerting.instance`.

    `host` and `pid` are its own; `alive(pid)` says if a process of this host is running. `members()` returns the client
    ids of the group's members.
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
        """The process (`host.pid`) that has this instance's place in the group now; None if it is this one, or dead.

        Blocks; raises the errors of the Kafka admin client.
        """
        for client_id in self._members():
            name, separator, process = client_id.rpartition("@")
            if name == self._name and separator and client_id != self.client_id and self._may_live(process):
                return process
        return None

    def wait_until_free(self, clock: Clock, stop: threading.Event) -> None:
        """Wait until no other process has this instance's place in the group, or until `stop` is set.

        A member that died loses its place after the session timeout. Raises ConfigError if one keeps it for longer.
        Brokers that cannot be asked do not stop the start.
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
        """The error that ends this process because another one, `process` (`host.pid`), has its place in the group."""
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

        # It warns of what Faust's members say of themselves, at length.
        logging.getLogger("kafka.admin._groups").setLevel(logging.ERROR)
        with admin_client(self._settings.kafka, timeout_s=0) as admin:
            found = admin.describe_groups([self._group])
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
