"""docker-compose.yml and the Dockerfile name only what is there: commands, settings, ports, files, secrets."""

import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml
from checkout import ROOT
from deployed import check_command, settings, variable_problem

from triage.config import Settings

COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
RECEIVERS = yaml.safe_load((ROOT / "deploy/compose/receivers.yml").read_text("utf-8"))
SERVICES = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"].startswith("triage:")}
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text("utf-8")
LINES = re.sub(r"\\\n", " ", DOCKERFILE).splitlines()


def image_environment():
    return dict(re.findall(r"(TRIAGE_\w+)=(\S+)", DOCKERFILE.partition("\nRUN groupadd")[0]))


def commands(service):
    if service.get("entrypoint") == ["sh", "-ec"]:
        return [shlex.split(line)[1:] for line in service["command"][0].splitlines() if line.startswith("triage ")]
    return [service["command"]]


@pytest.mark.parametrize("name", OURS)
def test_commands_are_commands(name):
    found = commands(SERVICES[name])
    assert found
    for words in found:
        check_command(words)


def test_the_check_of_commands_sees_mistakes():
    for wrong in (["wroker"], ["worker", "--sloth", "a"], ["index", "apply", "--kibana"], ["topics", "make"]):
        with pytest.raises(Exception, match=r"No such (command|option)|requires an argument"):
            check_command(wrong)


@pytest.mark.parametrize("name", [*OURS, "alerter with receivers"])
def test_variables_are_settings(name):
    service = RECEIVERS["services"]["alerter"] if " " in name else SERVICES[name]
    problems = [variable_problem(variable) for variable in service["environment"]]
    assert [problem for problem in problems if problem] == []


def test_the_image_sets_only_settings():
    assert image_environment()
    assert [problem for name in image_environment() if (problem := variable_problem(name))] == []


def test_secret_files_are_those_mounted():
    declared = COMPOSE["secrets"] | RECEIVERS["secrets"]
    for service in [*SERVICES.values(), RECEIVERS["services"]["alerter"]]:
        mounted = set(service.get("secrets", []))
        assert mounted <= declared.keys()
        text = yaml.safe_dump({key: service.get(key) for key in ("environment", "command", "healthcheck")})
        assert set(re.findall(r"/run/secrets/(\w+)", text)) <= mounted
        # No secret stands in the file itself.
        for variable, value in (service.get("environment") or {}).items():
            if re.search(r"PASSWORD|SECRET|TOKEN|_KEY", variable):
                assert str(value).startswith("/run/secrets/"), variable


def test_the_script_makes_every_secret_once(tmp_path):
    script = ["sh", str(ROOT / "deploy/compose/secrets.sh"), str(tmp_path / "secrets")]
    subprocess.run(script, check=True, capture_output=True)
    made = {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()}
    assert made.keys() == COMPOSE["secrets"].keys() | {"console_token", "api_token"}
    lists = {door: made.pop(f"{door}_tokens") for door in ("console", "api")}
    for door, tokens in lists.items():
        (admin,) = json.loads(tokens)
        assert admin == {"name": "admin", "role": "operator", "token": made[f"{door}_token"]}
    assert all(re.fullmatch(r"[0-9a-f]{48}", secret) for secret in made.values())
    assert len(set(made.values())) == len(made)
    subprocess.run(script, check=True, capture_output=True)
    again = {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()}
    assert again == made | {f"{door}_tokens": tokens for door, tokens in lists.items()}


def test_scripts_are_valid_shell():
    subprocess.run(["bash", "-n", str(ROOT / "deploy/compose/users.sh")], check=True)


def test_ports_are_published_on_this_machine_alone_and_are_listened_on():
    inside = {"kafka": 9092, "kibana": 5601, "prometheus": 9090, "grafana": 3000, "console": Settings().console.port}
    inside["api"] = Settings().api.port
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published == {name: [f"127.0.0.1:{port}:{port}"] for name, port in inside.items()}


def test_health_checks_ask_the_ports_of_the_image():
    given = image_environment()
    for name in ("worker", "worker-gpu", "alerter"):
        section = "ALERTING" if name == "alerter" else "WORKER"
        port = given[f"TRIAGE_{section}__HEALTH_PORT"]
        assert f"http://127.0.0.1:{port}/live" in SERVICES[name]["healthcheck"]["test"][-1]
    assert f":{Settings().console.port}/live" in SERVICES["console"]["healthcheck"]["test"][-1]
    assert f":{Settings().api.port}/live" in SERVICES["api"]["healthcheck"]["test"][-1]
    exposed = next(line for line in LINES if line.startswith("EXPOSE")).split()[1:]
    assert exposed == [str(Settings().console.port), given["TRIAGE_WORKER__HEALTH_PORT"], str(Settings().api.port)]


@pytest.mark.parametrize("name", SERVICES)
def test_containers_have_no_more_rights_than_they_need(name):
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service.get("privileged")
    if name in OURS:
        assert service["read_only"] is True
    if service["restart"] == "unless-stopped":
        assert service["deploy"]["resources"]["limits"]["memory"]


def test_what_is_waited_for_can_come_about():
    for name, service in SERVICES.items():
        for other, wanted in service.get("depends_on", {}).items():
            needed = SERVICES[other]
            if wanted["condition"] == "service_healthy":
                assert "healthcheck" in needed, f"{name} waits for the health of {other}"
            else:
                assert needed["restart"].startswith("on-failure"), f"{name} waits for the end of {other}"
            # A service that is always there must not wait for one that a profile switches on.
            assert set(needed.get("profiles", [])) <= set(service.get("profiles", [])), other


def test_containers_are_given_longer_to_end_than_a_drain():
    assert int(SERVICES["worker"]["stop_grace_period"].removesuffix("s")) > Settings().worker.drain_timeout_s


def test_mounted_files_are_there():
    for service in SERVICES.values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("./"):
                assert (ROOT / source).exists(), source
            elif ":" in volume:
                assert source in COMPOSE["volumes"]


def test_what_the_dockerfile_copies_is_there_and_not_ignored():
    ignored = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and line[0] not in "#"]
    assert ignored[0] == "*"
    allowed = {line[1:] for line in ignored if line.startswith("!")}
    copied = set()
    for line in LINES:
        words = line.split()
        if words[:1] == ["COPY"] and not words[1].startswith("--from"):
            copied |= {source.rstrip("/") for source in words[1:-1]}
    assert copied == allowed
    for source in copied:
        assert (ROOT / source).exists(), source
    for lock in re.findall(r"-r (requirements/\S+)", DOCKERFILE):
        assert (ROOT / lock).is_file(), lock


def test_stages_copy_from_stages_before_them():
    seen = set()
    for line in LINES:
        if found := re.match(r"FROM (\S+) AS (\S+)", line):
            assert found[1] == "${PYTHON}" or found[1] in seen
            seen.add(found[2])
        for source in re.findall(r"COPY --from=(\S+)", line):
            assert source in seen
    assert {service["build"]["target"] for service in OURS.values()} == {"cpu", "gpu"} <= seen


def test_every_lock_file_has_hashes():
    includes = {"base": [], "cpu": ["-r base.txt"], "gpu": ["-r base.txt"], "openvino": ["-r base.txt"], "image": []}
    for name, wanted in {**includes, "dev": ["-r cpu.txt"]}.items():
        text = re.sub(r"\\\n", " ", (ROOT / f"requirements/{name}.txt").read_text())
        included = [line for line in text.splitlines() if line.startswith("-r ")]
        assert included == wanted
        pinned = [line for line in text.splitlines() if line and line[0] not in " #" and line not in included]
        assert pinned
        assert all("--hash=sha256:" in line for line in pinned)


def test_the_image_writes_only_where_it_may():
    folders = {name: Path(value) for name, value in image_environment().items() if name.endswith("_DIR")}
    wanted = {name for name, field in settings().items() if name.endswith("_DIR") and "LOCAL" not in name}
    assert folders.keys() == wanted
    assert all(path.is_relative_to("/var/lib/triage") for path in folders.values())
