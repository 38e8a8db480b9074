"""Containers of one image by podman, each in a network of its own that reaches only what is forwarded to it."""

import json
import os
import shlex
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self


class CheckError(Exception):
    """A container did otherwise than its file says."""


@dataclass(frozen=True)
class Container:
    """A service of the Compose file or a container of the chart, with what its file says of it."""

    name: str
    hostname: str
    environment: Mapping[str, str]
    command: Sequence[str] = ()
    entrypoint: Sequence[str] = ()
    mounts: Mapping[str, tuple[Path, str]] = field(default_factory=dict)  # by target: source on the host and options
    tmpfs: Sequence[str] = ()
    user: str = ""
    read_only: bool = False
    drop: Sequence[str] = ()
    security: Sequence[str] = ()
    memory: str = ""
    grace_s: float = 10
    # Argument lists: those that start with CMD run in the container, those with GET ask a URL from its network.
    health: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def arguments(self) -> list[str]:
        """Options of `podman run`."""
        given = [f"--hostname={self.hostname}", *(f"--env={name}={value}" for name, value in self.environment.items())]
        given += [f"--volume={source}:{target}:{options}" for target, (source, options) in self.mounts.items()]
        given += [f"--tmpfs={each}" for each in self.tmpfs]
        given += [f"--cap-drop={each.lower()}" for each in self.drop]
        given += [f"--security-opt={each}" for each in self.security]
        given += [f"--entrypoint={json.dumps(list(self.entrypoint))}"] if self.entrypoint else []
        given += [f"--user={self.user}"] if self.user else []
        given += ["--read-only", "--read-only-tmpfs=false"] if self.read_only else []
        given += [f"--memory={self.memory}"] if self.memory else []
        return given


class Engine:
    """Runs containers of `image`; as a context, ends all that it started.

    `podman` is the command with its global options. `forwards`: ports of 127.0.0.1 in each container's network and the
    HOST:PORT outside that answers there; `names` are hosts that a container finds at 127.0.0.1.
    """

    def __init__(self, podman: str, image: str, forwards: Mapping[int, str], names: Sequence[str] = ()) -> None:
        self._podman = shlex.split(podman)
        self._image = image
        self._forwards = forwards
        self._hosts = [f"--add-host={name}:127.0.0.1" for name in names]
        self._prefix = f"triage-check-{os.getpid()}"
        self._folder = tempfile.TemporaryDirectory(prefix="triage-check-")
        self._sockets: dict[str, Path] = {}
        self._forwarders: list[subprocess.Popen[bytes]] = []
        self._started: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name in self._started:
            self._call("rm", "--force", "--time=0", "--volumes", self._id(name))
        for process in self._forwarders:
            process.kill()
            process.wait()
        for name in self._started:
            subprocess.run(["ip", "netns", "del", self._id(name)], check=False, capture_output=True)  # noqa: S603, S607
        self._folder.cleanup()

    def start(self, container: Container) -> None:
        """Start it; its logs are kept."""
        self._network(container.name)
        # Limits of the host that podman may not raise here.
        limits = ["--ulimit=nofile=16384:16384", "--ulimit=nproc=16384:16384"]
        network = f"--network=ns:/var/run/netns/{self._id(container.name)}"
        shown = ["run", "--detach", f"--name={self._id(container.name)}", "--init", network, *limits, *self._hosts]
        result = self._call(*shown, *container.arguments(), self._image, *container.command)
        if result.returncode:
            raise CheckError(f"{container.name} does not start: {result.stderr.strip()}")

    def finish(self, container: Container, limit_s: float) -> None:
        """Run it to its end. Raises CheckError unless it exits 0 within `limit_s`."""
        self.start(container)
        result = self._call("wait", self._id(container.name), limit_s=limit_s)
        if result.stdout.strip() != "0":
            raise CheckError(
                f"{container.name} ended with {result.stdout.strip() or 'a time-out'}:\n{self.logs(container)}"
            )

    def until_healthy(self, container: Container, limit_s: float) -> float:
        """Seconds until all its health checks passed. Raises CheckError after `limit_s`, or once it has ended."""
        began, passed = time.monotonic(), set[str]()
        while missing := [name for name in container.health if name not in passed]:
            passed |= {name for name in missing if self.healthy(container, name)}
            if not self._running(container):
                raise CheckError(f"{container.name} ended by itself:\n{self.logs(container)}")
            if time.monotonic() - began > limit_s:
                raise CheckError(f"{container.name}: {', '.join(missing)} did not pass:\n{self.logs(container)}")
            time.sleep(0.5)
        return time.monotonic() - began

    def healthy(self, container: Container, check: str) -> bool:
        """The state of one health check now."""
        kind, *words = container.health[check]
        if kind == "GET":
            return self.ask(container, words[0])[0] == 200
        words = ["sh", "-c", *words] if kind == "CMD-SHELL" else words
        return self._call("exec", self._id(container.name), *words).returncode == 0

    def execute(self, container: Container, words: Sequence[str], given: str | None = None) -> str:
        """Standard output of a command in it. Raises CheckError if it fails."""
        result = self._call("exec", "--interactive", self._id(container.name), *words, given=given)
        if result.returncode:
            raise CheckError(
                f"{shlex.join(words)} in {container.name}: exit {result.returncode}\n{result.stderr}{result.stdout}"
            )
        return result.stdout

    def ask(self, container: Container, url: str, token: str = "", body: str | None = None) -> tuple[int, str]:
        """Status and body of an HTTP answer in the container's network; status 0: nobody answers."""
        words = [
            "ip",
            "netns",
            "exec",
            self._id(container.name),
            "curl",
            "-sS",
            "--max-time",
            "60",
            "-w",
            "\n%{http_code}",
            url,
        ]
        words += ["-H", f"Authorization: Bearer {token}"] if token else []
        words += ["-H", "Content-Type: application/json", "-d", "@-"] if body is not None else []
        result = subprocess.run(words, check=False, capture_output=True, text=True, input=body)  # noqa: S603
        text, _, status = result.stdout.rpartition("\n")
        return int(status or 0), text

    def stop(self, container: Container) -> float:
        """End it by SIGTERM as its file says; seconds it took. Raises CheckError if it had to be killed, or failed."""
        began = time.monotonic()
        self._call("stop", f"--time={container.grace_s:.0f}", self._id(container.name), limit_s=container.grace_s + 60)
        took = time.monotonic() - began
        code = self._call("inspect", "--format={{.State.ExitCode}}", self._id(container.name)).stdout.strip()
        if code != "0":
            raise CheckError(
                f"{container.name} ended with {code} after {took:.0f} of {container.grace_s:.0f} s:\n"
                f"{self.logs(container)}"
            )
        return took

    def logs(self, container: Container, lines: int = 25) -> str:
        """What it printed last."""
        result = self._call("logs", f"--tail={lines}", self._id(container.name))
        return result.stdout + result.stderr

    def _running(self, container: Container) -> bool:
        return self._call("inspect", "--format={{.State.Running}}", self._id(container.name)).stdout.strip() == "true"

    def _id(self, name: str) -> str:
        return f"{self._prefix}-{name}"

    def _network(self, name: str) -> None:
        """A network namespace with loopback alone, in which each forwarded port leads out through a Unix socket."""
        self._started.append(name)
        for words in (["netns", "add", self._id(name)], ["-n", self._id(name), "link", "set", "lo", "up"]):
            subprocess.run(["ip", *words], check=True)  # noqa: S603, S607
        for port, address in self._forwards.items():
            if address not in self._sockets:
                self._sockets[address] = Path(self._folder.name) / f"{len(self._sockets)}.sock"
                self._forward(["socat", f"UNIX-LISTEN:{self._sockets[address]},fork", f"TCP:{address}"])
            inside = [f"TCP-LISTEN:{port},fork,reuseaddr,bind=127.0.0.1", f"UNIX-CONNECT:{self._sockets[address]}"]
            self._forward(["ip", "netns", "exec", self._id(name), "socat", *inside])

    def _forward(self, words: list[str]) -> None:
        # What a client breaks off is no news.
        self._forwarders.append(subprocess.Popen(words, stderr=subprocess.DEVNULL))  # noqa: S603

    def _call(self, *words: str, given: str | None = None, limit_s: float = 300) -> subprocess.CompletedProcess[str]:
        command = [*self._podman, *words]
        try:
            return subprocess.run(command, check=False, capture_output=True, text=True, input=given, timeout=limit_s)  # noqa: S603
        except subprocess.TimeoutExpired as error:
            return subprocess.CompletedProcess(command, 124, "", f"{error}")
