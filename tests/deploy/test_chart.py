"""The Helm chart names only what is there, and its numbers fit together.

Rendering it needs Helm, and validating it Kubernetes' schemas: deploy/checks/run.sh does both, and hands what was
rendered to this file's tests of rendered objects by TRIAGE_TEST_CHART.
"""

import json
import os
import re
from pathlib import Path

import jsonschema
import pytest
import yaml
from checkout import ROOT
from deployed import check_command, variable_problem

from triage import __version__
from triage.config import Settings
from triage.topics.definitions import RAW_TOPICS

CHART = ROOT / "deploy" / "helm" / "triage"
VALUES = yaml.safe_load((CHART / "values.yaml").read_text("utf-8"))
SCHEMA = json.loads((CHART / "values.schema.json").read_text("utf-8"))
TEMPLATES = {path.name: path.read_text("utf-8") for path in sorted((CHART / "templates").iterdir())}
TEXT = "\n".join(TEMPLATES.values())
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text("utf-8")
VARIANTS = [{}, *(yaml.safe_load(path.read_text("utf-8")) for path in sorted((CHART / "ci").glob("*.yaml")))]


def merged(base, over):
    return {
        name: merged(base[name], over[name])
        if isinstance(over.get(name), dict) and isinstance(base.get(name), dict)
        else over.get(name, base.get(name))
        for name in {**base, **over}
    }


def paths(values, prefix=""):
    """Dotted names of all values; an empty object or one of free keys is one value."""
    for name, value in values.items():
        if isinstance(value, dict) and value and name not in {"resources", "podDisruptionBudget"}:
            yield from paths(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def test_versions_are_those_of_the_program():
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text("utf-8"))
    assert chart["appVersion"] == __version__


@pytest.mark.parametrize("values", VARIANTS)
def test_values_fit_their_schema(values):
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    jsonschema.validate(merged(VALUES, values), SCHEMA)


@pytest.mark.parametrize(
    "wrong",
    [
        {"worker": {"replica": 3}},
        {"env": {"TRIAGE_KAFKA": "x"}},
        {"env": {"PATH": "/bin"}},
        {"elasticsearch": {"url": "elasticsearch:9200"}},
        {"secrets": {"keys": ["password"]}},
        {"image": {"pullPolicy": "Sometimes"}},
        {"image": {"digest": "latest"}},
        {"image": {"gpuDigest": "latest"}},
        {"worker": {"autoscaling": {"maxReplicas": 0}}},
    ],
)
def test_values_that_are_wrong_are_refused(wrong):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(merged(VALUES, wrong), SCHEMA)


def test_every_value_is_used_and_every_used_value_is_there():
    used = set(re.findall(r"\.Values\.([\w.]+\w)", TEXT))
    for name in paths(VALUES):
        parts = name.split(".")
        whole = any(".".join(parts[: count + 1]) in used for count in range(1, len(parts)))
        tail = re.search(rf"[.$]\w*\.?{re.escape(parts[-1])}\b", TEXT)
        assert whole or tail, f"values.yaml: {name} does nothing"
    for name in used:
        value = VALUES
        for part in name.split("."):
            assert part in value, f"templates use .Values.{name}"
            value = value[part]


def test_variables_are_settings():
    named = set(re.findall(r"\bTRIAGE_\w+", TEXT)) | set(VALUES["secrets"]["keys"])
    for values in VARIANTS:
        named |= set(values.get("env", {}))
        secret = values.get("secrets", {}).get("keys", [])
        assert [problem for key in secret if (problem := variable_problem(f"{key}_FILE"))] == []
    assert [problem for name in named if (problem := variable_problem(name))] == []


def test_commands_are_commands():
    found = re.findall(r"args: \[([\w, ]+)\]", TEXT)
    assert sorted(found) == ["alerter", "console", "serve", "worker"]
    for words in found:
        check_command(words.split(", "))
    script = TEMPLATES["setup.yaml"]
    assert re.findall(r"triage (topics|index) apply", script) == ["topics", "index"]
    check_command(["index", "apply", "--kibana", "http://kibana:5601"])


def test_paths_and_users_are_those_of_the_image():
    assert "runAsUser: 10001" in TEXT
    assert "USER 10001:10001" in DOCKERFILE
    assert "mountPath: /var/lib/triage" in TEXT
    assert 'VOLUME ["/var/lib/triage"]' in DOCKERFILE


def test_pods_end_after_their_drain_and_scale_in_is_slower():
    worker = VALUES["worker"]
    assert worker["drainTimeoutSeconds"] == Settings().worker.drain_timeout_s
    assert worker["terminationGracePeriodSeconds"] > worker["drainTimeoutSeconds"]
    assert worker["autoscaling"]["scaleDown"]["periodSeconds"] > worker["terminationGracePeriodSeconds"]


def test_scaling_follows_the_raw_topics_and_their_partitions():
    topics = yaml.safe_load((ROOT / "topics/topics.yaml").read_text("utf-8"))
    partitions = topics["environments"]["production"]["defaults"]["partitions"]
    assert VALUES["kafka"]["environment"] == "production"
    assert VALUES["kafka"]["rawPartitions"] == partitions * len(RAW_TOPICS)
    (listed,) = re.findall(r"range list ([^}]+)}}", TEMPLATES["scaling.yaml"])
    assert sorted(re.findall(r'"(\w+)"', listed)) == sorted(RAW_TOPICS.values())
    assert Settings().worker.group in TEMPLATES["scaling.yaml"]


def test_rules_and_dashboards_are_those_of_deploy():
    assert (CHART / "files/rules.yml").resolve() == ROOT / "deploy/prometheus/rules/triage.yml"
    assert (CHART / "files/dashboards").resolve() == ROOT / "deploy/grafana/dashboards"
    for component in ("worker", "alerter", "console", "api"):
        assert f'"{component}"' in TEMPLATES["monitoring.yaml"]


def test_variables_that_the_chart_sets_are_refused_in_env():
    refused = TEMPLATES["_helpers.tpl"].partition('define "triage.variables"')[2].partition("triage.connection")[0]
    assert set(re.findall(r"name: TRIAGE_(\w+), value", TEXT)) <= set(re.findall(r'(?:TRIAGE_|")(\w+)(?::|")', refused))


def test_network_policies_are_on_and_probes_have_a_listener_of_their_own():
    assert VALUES["networkPolicy"]["enabled"] is True
    for component in ("console", "api"):
        template = TEMPLATES[f"{component}.yaml"]
        assert f'TRIAGE_{component.upper()}__HEALTH_PORT, value: "9090"' in template
        assert "{name: metrics, containerPort: 9090}" in template
        assert 'include "triage.probes" "metrics"' in template


RENDERED = sorted(Path(os.environ["TRIAGE_TEST_CHART"]).glob("*.yaml")) if "TRIAGE_TEST_CHART" in os.environ else []


def rendered(path):
    return [item for item in yaml.safe_load_all(path.read_text("utf-8")) if item]


def pods(objects):
    for item in objects:
        if item["kind"] in {"StatefulSet", "Deployment", "Job"}:
            yield item, item["spec"]["template"]["spec"]


@pytest.mark.parametrize("path", RENDERED, ids=lambda path: path.stem)
def test_rendered_pods_have_no_more_rights_than_they_need(path):
    found = list(pods(rendered(path)))
    assert found
    for _, pod in found:
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["automountServiceAccountToken"] is False
        for container in pod["containers"]:
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
            assert container["resources"]["requests"]
            assert container["resources"]["limits"]["memory"]


@pytest.mark.parametrize("path", RENDERED, ids=lambda path: path.stem)
def test_rendered_mounts_have_volumes_and_selectors_match(path):
    for item, pod in pods(rendered(path)):
        volumes = {volume["name"] for volume in pod["volumes"]}
        volumes |= {claim["metadata"]["name"] for claim in item["spec"].get("volumeClaimTemplates", [])}
        for container in pod["containers"]:
            assert {mount["name"] for mount in container["volumeMounts"]} == volumes
            assert [v for one in container["env"] if (v := variable_problem(one["name"]))] == []
        if item["kind"] != "Job":
            labels = item["spec"]["template"]["metadata"]["labels"]
            assert item["spec"]["selector"]["matchLabels"].items() <= labels.items()


@pytest.mark.parametrize("path", RENDERED, ids=lambda path: path.stem)
def test_rendered_scaling_stays_within_the_partitions(path):
    objects = rendered(path)
    workers = next(
        item for item in objects if item["kind"] == "StatefulSet" and item["metadata"]["name"].endswith("worker")
    )
    scaled = [item for item in objects if item["kind"] == "ScaledObject"]
    assert ("replicas" in workers["spec"]) == (not scaled)
    for item in scaled:
        assert item["spec"]["maxReplicaCount"] <= 9
        assert item["spec"]["minReplicaCount"] <= item["spec"]["maxReplicaCount"]
        assert item["spec"]["scaleTargetRef"]["name"] == workers["metadata"]["name"]


@pytest.mark.parametrize("path", RENDERED, ids=lambda path: path.stem)
def test_rendered_policies_let_pods_reach_what_the_values_name(path):
    objects = rendered(path)
    policies = {
        item["spec"]["podSelector"]["matchLabels"]["app.kubernetes.io/component"]: item["spec"]
        for item in objects
        if item["kind"] == "NetworkPolicy"
    }
    environment = {one["name"]: one.get("value") for one in next(pods(objects))[1]["containers"][0]["env"]}
    brokers = {int(each.rpartition(":")[2]) for each in environment["TRIAGE_KAFKA__BOOTSTRAP_SERVERS"].split(",")}
    for policy in policies.values():
        reached = {port["port"] for rule in policy["egress"] for port in rule["ports"]}
        assert brokers | {53, 9200} <= reached
    for item, pod in pods(objects):
        component = item["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/component"]
        named = {port["name"] for container in pod["containers"] for port in container.get("ports", [])}
        opened = {port["port"] for rule in policies[component]["ingress"] for port in rule["ports"]}
        assert opened == named


@pytest.mark.parametrize("path", RENDERED, ids=lambda path: path.stem)
def test_rendered_images_are_by_digest_where_one_is_given(path):
    for _, pod in pods(rendered(path)):
        for container in pod["containers"]:
            assert re.fullmatch(r"[\w./-]+(:\w+|@sha256:[0-9a-f]{64})", container["image"])
            assert ("@sha256:" in container["image"]) == (path.stem == "all-values")


def test_a_gpu_worker_never_runs_the_image_for_cpus():
    helper = TEMPLATES["_helpers.tpl"].partition('define "triage.image"')[2].partition("define")[0]
    assert re.search(
        r"if and \$gpu \$digest.*\n.*required \"[^\"]*gpuDigest[^\"]*\" \.root\.Values\.image\.gpuDigest", helper
    )
