"""Runs the Compose file's or the chart's containers of the built image on the Kafka and Elasticsearch of TRIAGE_TEST_*.

python deploy/checks/containers compose RESOLVED.json PODMAN    RESOLVED.json: from deploy/checks/compose
python deploy/checks/containers chart RENDERED.yaml PODMAN      RENDERED.yaml: from helm with values.yaml

PODMAN is the command with its global options. Kafka, Elasticsearch and a receiver of pages are forwarded to where the
files expect them, so that commands, environments, mounts, users and health checks are those of the files. Elasticsearch
may be one without users, since passwords are sent but not asked for. Exit 1 for the first thing that goes wrong.
"""

import json
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import chart
import compose
import yaml
from engine import CheckError, Container, Engine
from flow import Receiver, commands, end, follow

IMAGE = "localhost/triage:cpu"
HERE = Path(__file__).parent
DOCS = HERE.parents[2] / "docs" / "deploying.md"
# `triage alerts test` also tries receivers, and has a step of its own below.
EXECUTED = re.compile(r"^docker compose exec (?:-T )?(\w+) (triage [^#>|\n]*)", re.MULTILINE)


@contextmanager
def engine(podman: str, receiver: Receiver) -> Iterator[Engine]:
    """Containers find Kafka and Elasticsearch at the ports of the files, and at those which the broker advertises."""
    kafka, elasticsearch = (
        os.environ["TRIAGE_TEST_KAFKA"],
        os.environ["TRIAGE_TEST_ELASTICSEARCH"].removeprefix("http://"),
    )
    forwards = {
        19092: kafka,
        9092: kafka,
        int(kafka.rpartition(":")[2]): kafka,
        9200: elasticsearch,
        8999: receiver.address,
    }
    with Engine(podman, IMAGE, forwards, ["kafka", "elasticsearch", "receiver"]) as made:
        yield made


def run_compose(file: Path, podman: str) -> None:
    """Services in their order, until the record's page has come."""
    project, receiver, elasticsearch = (
        json.loads(file.read_text("utf-8")),
        Receiver(),
        os.environ["TRIAGE_TEST_ELASTICSEARCH"],
    )
    running: dict[str, tuple[Container, float]] = {}
    secrets = {name: Path(each["file"]) for name, each in project["secrets"].items()}
    with tempfile.TemporaryDirectory() as folder, engine(podman, receiver) as started:
        Path(folder).chmod(0o755)
        for name, service in compose.ordered(project):
            if "kibana" in service.get("depends_on", {}):
                print(f"   {name} is left out: it waits for Kibana")
                continue
            one = compose.container(name, service, project, Path(folder))
            if service["restart"].startswith("on-failure"):
                started.finish(one, 180)
                print(f"   {name} did its work")
                continue
            started.start(one)
            running[name] = (one, compose.start_limit_s(service))
        for one, limit_s in running.values():
            print(f"   {one.name} is healthy after {started.until_healthy(one, limit_s):.0f} s")
        tokens = {
            door: secrets[f"{door}_tokens"].with_name(f"{door}_token").read_text("utf-8") for door in ("console", "api")
        }
        made = {name: one for name, (one, _) in running.items()}
        follow(started, made, tokens, receiver, elasticsearch.removeprefix("http://"), "feedback")
        lines = EXECUTED.findall(DOCS.read_text("utf-8"))
        commands(started, [(made[service], line.strip()) for service, line in lines])
        end(started, made.values())


def run_chart(file: Path, podman: str) -> None:
    """The setup job, then one pod of each kind, until the record's page has come."""
    objects = [item for item in yaml.safe_load_all(file.read_text("utf-8")) if item]
    receiver, elasticsearch = Receiver(), os.environ["TRIAGE_TEST_ELASTICSEARCH"]
    tokens = {"console": "console-token-of-the-check", "api": "api-token-of-the-check"}
    lists = {door: json.dumps([{"name": "ann", "role": "operator", "token": token}]) for door, token in tokens.items()}
    secret = {
        "TRIAGE_ELASTICSEARCH__API_KEY": "not-asked-for",
        "TRIAGE_REDACTION__AUTHOR_KEY": "0123456789abcdef0123456789abcdef",
        "TRIAGE_CONSOLE__TOKENS": lists["console"],
        "TRIAGE_API__TOKENS": lists["api"],
        "TRIAGE_ALERTING__WEBHOOK_URL": "http://receiver:8999/",
    }
    found = chart.pods(objects)
    with tempfile.TemporaryDirectory() as folder, engine(podman, receiver) as started:
        Path(folder).chmod(0o755)
        made = {name: chart.container(item, objects, {"triage": secret}, Path(folder)) for name, item in found.items()}
        started.finish(made.pop("setup"), 180)
        print("   the setup job did its work")
        for one in made.values():
            started.start(one)
        for one in made.values():
            print(f"   {one.name} passes {', '.join(one.health)} after {started.until_healthy(one, 300):.0f} s")
        follow(started, made, tokens, receiver, elasticsearch.removeprefix("http://"), "chart")
        end(started, made.values())


def main(kind: str, file: str, podman: str) -> int:
    """1 if anything goes wrong."""
    try:
        {"compose": run_compose, "chart": run_chart}[kind](Path(file), podman)
    except CheckError as error:
        print(f"   {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
