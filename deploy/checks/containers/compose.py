"""The project's services of a Compose file as containers, in the order in which they wait for one another."""

import os
import re
from collections.abc import Iterator, Mapping
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from engine import Container

OURS = "triage:cpu"


def ordered(project: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Services that run the image for CPUs, each after those that it waits for. `project` is the resolved file."""
    services = project["services"]
    for name in TopologicalSorter({name: one.get("depends_on") or {} for name, one in services.items()}).static_order():
        if services[name]["image"] == OURS:
            yield name, services[name]


def container(name: str, service: Mapping[str, Any], project: Mapping[str, Any], folder: Path) -> Container:
    """What `docker compose` would run. Below `folder` is what podman has no form for: a tmpfs of a user."""
    mounts = {
        given.get("target") or f"/run/secrets/{given['source']}": (
            Path(project["secrets"][given["source"]]["file"]),
            "ro",
        )
        for given in service.get("secrets", [])
    }
    mounts = {
        target if target.startswith("/") else f"/run/secrets/{target}": source for target, source in mounts.items()
    }
    for volume in service.get("volumes", []):
        if volume["type"] == "bind":
            mounts[volume["target"]] = (Path(volume["source"]), "ro" if volume.get("read_only") else "rw")
    tmpfs = []
    for target, _, options in (each.partition(":") for each in service.get("tmpfs", ())):
        if owner := re.fullmatch(r"uid=(\d+),gid=(\d+)", options):
            mounts[target] = (folder / name / target.strip("/"), "rw")
            mounts[target][0].mkdir(parents=True)
            os.chown(mounts[target][0], int(owner[1]), int(owner[2]))
        else:
            tmpfs.append(f"{target}:{options}".rstrip(":"))
    limits = service.get("deploy", {}).get("resources", {}).get("limits", {})
    health = (service.get("healthcheck") or {}).get("test")
    return Container(
        name=name,
        hostname=service.get("hostname", name),
        environment={key: value or "" for key, value in (service.get("environment") or {}).items()},
        command=service.get("command") or (),
        entrypoint=service.get("entrypoint") or (),
        mounts=mounts,
        tmpfs=tmpfs,
        user=service.get("user", ""),
        read_only=service.get("read_only", False),
        drop=service.get("cap_drop", ()),
        security=service.get("security_opt", ()),
        memory=str(limits.get("memory", "")),
        grace_s=seconds(service.get("stop_grace_period", "10s")),
        health={"healthcheck": health} if health else {},
    )


def start_limit_s(service: Mapping[str, Any]) -> float:
    """Seconds after which Docker calls a service that never answered unhealthy."""
    check = service["healthcheck"]
    return seconds(check["start_period"]) + check["retries"] * seconds(check["interval"])


def seconds(duration: str) -> float:
    """Of a duration as 1m30s."""
    units = {"h": 3600.0, "m": 60.0, "s": 1.0}
    return sum(float(number) * units[unit] for number, unit in re.findall(r"([\d.]+)([hms])", duration))
