"""Every metric and label that rules and dashboards name exists, and so does what a rule's runbook says."""

import json
import re
import shutil
import subprocess

import pytest
import yaml
from checkout import ROOT
from deployed import metrics

PROMETHEUS = ROOT / "deploy" / "prometheus"
RULES = yaml.safe_load((PROMETHEUS / "rules" / "triage.yml").read_text("utf-8"))
DASHBOARDS = sorted((ROOT / "deploy" / "grafana" / "dashboards").glob("*.json"))
ENTRIES = [rule for group in RULES["groups"] for rule in group["rules"]]
ALERTS = [rule for rule in ENTRIES if "alert" in rule]
RECORDED = {rule["record"] for rule in ENTRIES if "record" in rule}
OF_PROMETHEUS = {"job", "instance"}
SOURCE = "".join(path.read_text("utf-8") for path in (ROOT / "triage").rglob("*.py"))


def panels():
    for path in DASHBOARDS:
        for panel in json.loads(path.read_text("utf-8"))["panels"]:
            for target in panel.get("targets", []):
                yield f"{path.stem}: {panel['title']}", target["expr"], target["legendFormat"]


def expressions():
    yield from ((rule.get("alert") or rule["record"], rule["expr"], "") for rule in ENTRIES)
    yield from panels()


def series(expression):
    """(name, label -> value) of each series selector."""
    for name, matchers in re.findall(r"\b(triage_\w+|up)\b(?:\{([^}]*)\})?", expression):
        yield name, dict(re.findall(r"(\w+)\s*=~?\s*\"([^\"]*)\"", matchers))


@pytest.mark.parametrize(("where", "expression", "legend"), list(expressions()))
def test_metrics_labels_and_values_exist(where, expression, legend):
    known = metrics() | {"up": set()}
    used = set()
    for name, matchers in series(expression):
        assert name in known, name
        assert matchers.keys() <= known[name] | OF_PROMETHEUS
        used |= known[name]
        for label in matchers.keys() - OF_PROMETHEUS:
            for value in matchers[label].split("|"):
                assert f'"{value}"' in SOURCE, f"nothing records {label}={value}"
    for recorded in re.findall(r"\btriage:[\w:]+", expression):
        assert recorded in RECORDED
        used |= {"intent"} if "intent" in recorded else set()
    grouped = {label for labels in re.findall(r"\bby \(([^)]*)\)", expression) for label in re.findall(r"\w+", labels)}
    assert grouped <= used | OF_PROMETHEUS
    assert set(re.findall(r"{{(\w+)}}", legend)) <= used | OF_PROMETHEUS


def test_every_metric_of_trouble_is_watched():
    watched = {name for _, expression, _ in expressions() for name, _ in series(expression)}
    missing = {name for name in metrics() if name.removesuffix("_bucket").removesuffix("_sum") not in watched}
    unseen = {name for name in missing if not re.search(r"_(bucket|sum|count)$", name)} - watched
    # These are read in a console or a log, not on a chart.
    assert unseen <= {
        "triage_unknown_fields_total",
        "triage_records_forgotten_total",
    }


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_an_alert_says_what_is_wrong_and_what_to_do(rule):
    assert rule["labels"]["severity"] in {"critical", "warning", "info"}
    assert rule["annotations"]["summary"]
    page, _, anchor = rule["annotations"]["runbook_url"].partition("#")
    headings = re.findall(r"^#+ (.+)$", (ROOT / page).read_text("utf-8"), re.MULTILINE)
    assert anchor in [heading.lower() for heading in headings]
    assert rule["alert"].lower() == anchor


def test_jobs_are_those_that_are_scraped():
    jobs = {job["job_name"] for job in yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())["scrape_configs"]}
    used = {
        matchers["job"] for _, expression, _ in expressions() for _, matchers in series(expression) if "job" in matchers
    }
    assert all(any(re.fullmatch(value, job) for job in jobs) for value in used)


def test_scraped_ports_are_those_of_the_services():
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    for job in yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())["scrape_configs"]:
        (found,) = job["dns_sd_configs"]
        for name in found["names"]:
            assert f":{found['port']}/live" in services[name]["healthcheck"]["test"][-1]


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_dashboards_hold_together(path):
    board = json.loads(path.read_text("utf-8"))
    assert board["uid"].startswith("triage-")
    taken, ids = set(), set()
    for panel in board["panels"]:
        grid = panel["gridPos"]
        cells = {
            (x, y) for x in range(grid["x"], grid["x"] + grid["w"]) for y in range(grid["y"], grid["y"] + grid["h"])
        }
        assert grid["x"] + grid["w"] <= 24
        assert not taken & cells, panel["title"]
        taken |= cells
        ids.add(panel["id"])
        for target in panel.get("targets", []):
            assert target["datasource"]["uid"] == "${datasource}"
    assert len(ids) == len(board["panels"])


PROMTOOL = shutil.which("promtool")


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed (Debian: apt-get install prometheus)")
@pytest.mark.parametrize(
    "arguments",
    [("check", "config", "prometheus.yml"), ("test", "rules", "rules_test.yml", "drift_test.yml")],
    ids=" ".join,
)
def test_promtool_agrees(arguments):
    ran = subprocess.run([PROMTOOL, *arguments], cwd=PROMETHEUS, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed (Debian: apt-get install prometheus)")
def test_promtool_reads_every_expression_of_the_dashboards(tmp_path):
    rules = [
        {"record": f"panel:{number}", "expr": expression.replace("$__rate_interval", "5m")}
        for number, (_, expression, _) in enumerate(panels())
    ]
    file = tmp_path / "panels.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    ran = subprocess.run([PROMTOOL, "check", "rules", str(file)], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
