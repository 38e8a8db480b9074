"""Containers of the chart's rendered objects: as a node would run them, with secrets and config maps as files."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from engine import Container

USER = 10001


def pods(objects: Iterable[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Objects with a pod template, by component."""
    found = [item for item in objects if item["kind"] in {"Job", "StatefulSet", "Deployment"}]
    return {item["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/component"]: item for item in found}


def container(
    item: Mapping[str, Any],
    objects: Iterable[Mapping[str, Any]],
    secrets: Mapping[str, Mapping[str, str]],
    folder: Path,
) -> Container:
    """The one container of the first pod of `item`; what is mounted is written below `folder`."""
    pod = item["spec"]["template"]["spec"]
    (spec,) = pod["containers"]
    name = f"{item['metadata']['name']}-0"
    maps = {one["metadata"]["name"]: one["data"] for one in objects if one["kind"] == "ConfigMap"}
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    group = pod["securityContext"]["fsGroup"]
    mounts = {}
    for mount in spec["volumeMounts"]:
        source = folder / name / mount["name"]
        source.mkdir(parents=True)
        # A claim of a stateful set is an empty volume too.
        volume = volumes.get(mount["name"], {"emptyDir": {}})
        if "secret" in volume:
            files, mode = secrets[volume["secret"]["secretName"]], volume["secret"].get("defaultMode", 0o644)
        elif "configMap" in volume:
            files, mode = maps[volume["configMap"]["name"]], 0o644
        else:
            files, mode = {}, 0
        fill(source, files, mode, group)
        mounts[mount["mountPath"]] = (source, "ro" if mount.get("readOnly") or files else "rw")
    security, context = spec["securityContext"], pod["securityContext"]
    ports = {port["name"]: port["containerPort"] for port in spec.get("ports", [])}
    probes = {
        probe: spec[probe]["httpGet"] for probe in ("startupProbe", "livenessProbe", "readinessProbe") if probe in spec
    }
    return Container(
        name=name,
        hostname=name,
        environment={one["name"]: one["value"] if "value" in one else downward(one, name) for one in spec["env"]},
        command=spec.get("args", ()),
        entrypoint=spec.get("command", ()),
        mounts=mounts,
        user=f"{context['runAsUser']}:{context['runAsGroup']}",
        read_only=security["readOnlyRootFilesystem"],
        drop=security["capabilities"]["drop"],
        security=() if security["allowPrivilegeEscalation"] else ("no-new-privileges",),
        memory=spec["resources"]["limits"]["memory"].removesuffix("i").lower(),
        grace_s=pod.get("terminationGracePeriodSeconds", 30),
        health={
            probe: ("GET", f"http://127.0.0.1:{ports.get(get['port'], get['port'])}{get['path']}")
            for probe, get in probes.items()
        },
    )


def downward(variable: Mapping[str, Any], name: str) -> str:
    """The value of a variable that Kubernetes sets; the chart asks for the pod's name alone."""
    path = variable["valueFrom"]["fieldRef"]["fieldPath"]
    if path != "metadata.name":
        raise ValueError(f"{variable['name']}: no value for {path} here")
    return name


def fill(folder: Path, files: Mapping[str, str], mode: int, group: int) -> None:
    """A volume as the kubelet leaves it for `fsGroup`: of root, and writable for the group where it is empty."""
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")
        os.chown(folder / name, 0, group)
        (folder / name).chmod(mode)
    os.chown(folder, 0, group)
    folder.chmod(0o2775)
