"""The wheel is complete: it runs in an empty directory, without a checkout."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from harness import ROOT

from triage import __version__

COPIED = ["LICENSE", "README.md", "pyproject.toml", "setup.py", "benchmarks/data", "onnx", "topics", "triage"]
NOT_SHIPPED = shutil.ignore_patterns("__pycache__", "*.partial", "HISTORY")


pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built from a copy, so that the checkout gets no build folder and the wheel nothing left in one."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    for name in COPIED:
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=NOT_SHIPPED)
        else:
            shutil.copy(ROOT / name, source / name)
    (source / "onnx" / "my-own").mkdir()
    (source / "onnx" / "my-own" / "model.onnx").write_bytes(b"not the one that serves")
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", folder, source]
    subprocess.run(command, check=True, capture_output=True, text=True)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def site(wheel):
    """The unpacked wheel, as pip would lay it into site-packages."""
    folder = wheel.parent / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture
def run(site, tmp_path):
    """Run Python on the unpacked wheel, in an empty directory."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TRIAGE_")}

    def python(*arguments, given=""):
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=tmp_path,
            env=environment | {"PYTHONPATH": str(site)},
            input=given,
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    return python


def files(folder):
    return {
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and not path.name.endswith(".pyc")
    }


def test_its_name_and_version(wheel):
    assert wheel.name == f"triage_feedback-{__version__}-py3-none-any.whl"


def test_it_holds_the_whole_package(site):
    packaged = {name for name in files(site / "triage") if not name.startswith("_data/")}
    assert packaged == files(ROOT / "triage")


@pytest.mark.parametrize("name", ["topics", "benchmarks/data"])
def test_it_holds_the_data_as_it_is_in_the_checkout(site, name):
    data = site / "triage" / "_data" / name
    assert files(data) == files(ROOT / name)
    for path in files(data):
        assert (data / path).read_bytes() == (ROOT / name / path).read_bytes()


def test_it_holds_the_model_that_serves_and_no_other(site):
    models = site / "triage" / "_data" / "onnx"
    name = (ROOT / "onnx" / "CURRENT").read_text().strip()
    assert files(models) == {"CURRENT", *(f"{name}/{path}" for path in files(ROOT / "onnx" / name))}


def test_nothing_is_installed_besides_the_package(wheel):
    with zipfile.ZipFile(wheel) as archive:
        tops = {Path(name).parts[0] for name in archive.namelist()}
    assert tops == {"triage", f"triage_feedback-{__version__}.dist-info"}


def test_commands_run_without_a_checkout(run, site):
    assert run("-m", "triage", "--version") == f"triage {__version__}\n"
    run("-m", "triage", "config", "check")
    (model,) = map(json.loads, run("-m", "triage", "model", "list", "--json").splitlines())
    assert model["serves"]
    assert Path(model["folder"]).is_relative_to(site)


def test_a_text_is_enriched_without_a_checkout(run):
    out = run("-m", "triage", "enrich", "-", given='{"text": "My parcel never arrived"}\n')
    record = json.loads(out)
    assert record["intent"]["label"] == "delivery"


def test_what_other_commands_read_is_there(run):
    code = (
        "from triage.config import Settings\n"
        "from triage.topics.definitions import load_definitions\n"
        "from triage.local.feed import load_feed\n"
        "from triage.translations import catalogue\n"
        "from triage.training.data.datasets import committed_folder\n"
        "print(len(load_definitions(Settings().kafka)), len(load_feed().lines))\n"
        "print(len(catalogue('zh')), committed_folder())"
    )
    topics, lines, messages, committed = run("-c", code).split()
    assert (int(topics), int(lines), int(messages) > 100) == (12, 6036, True)
    assert "_data" in committed


def test_the_shipped_registry_is_not_changed(run):
    code = (
        "from triage.clock import SystemClock\n"
        "from triage.config import Settings\n"
        "from triage.errors import ModelError\n"
        "from triage.inference.promotion import promote\n"
        "try:\n    promote(Settings(), 'triage-en-zh', SystemClock())\n"
        "except ModelError as error:\n    print(error)"
    )
    assert "part of the installed package" in run("-c", code)
