"""Imports point down the list of layers only, and `onnx/` never shadows the package of that name."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
# Top first; packages of one tier don't import each other unless it says so below.
LAYERS = [
    {"cli", "__main__", "reference"},
    {"local"},
    {"console", "serving"},
    {"web"},
    {"alerting"},
    {"pipeline", "fleet"},
    {"training"},
    {"inference"},
    {"redaction", "rules", "sources", "sinks", "elastic", "topics"},
    {"schemas"},
    {"metrics", "logging", "config", "paths", "oauth", "tracing"},
    {"clock", "types"},
    {"errors"},
]
TIER = {name: tier for tier, names in enumerate(LAYERS) for name in names}
WITHIN_A_TIER = {
    ("__main__", "cli"),
    ("reference", "cli"),
    ("sinks", "elastic"),
    ("sources", "topics"),
    ("config", "paths"),
    ("config", "oauth"),
    ("tracing", "config"),
}
MODULES = sorted((ROOT / "triage").rglob("*.py"))


def _package(path):
    parts = path.relative_to(ROOT / "triage").with_suffix("").parts
    return parts[0]


def _imports(path):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("triage."):
            yield node.module.split(".")[1]
        elif isinstance(node, ast.Import):
            yield from (alias.name.split(".")[1] for alias in node.names if alias.name.startswith("triage."))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_down(path):
    package = _package(path)
    if package == "__init__":
        return
    assert package in TIER, f"{package} has no place in the layers"
    for imported in _imports(path):
        assert imported in TIER, f"{imported} has no place in the layers"
        fine = imported == package or TIER[imported] > TIER[package] or (package, imported) in WITHIN_A_TIER
        assert fine, f"{package} must not import {imported}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_that_serves_imports_training(path):
    package = _package(path)
    if package not in {"training", "cli"}:
        assert "training" not in set(_imports(path))


@pytest.mark.parametrize("library", ["torch", "transformers", "optimum", "sklearn"])
def test_serving_modules_never_import_the_training_libraries(library):
    for path in MODULES:
        if _package(path) in {"training"}:
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module]
            assert all(name.split(".")[0] != library for name in names), f"{path} imports {library}"


def test_no_python_below_onnx():
    assert list((ROOT / "onnx").rglob("*.py")) == []


def test_the_onnx_folder_does_not_shadow_the_package():
    """From the checkout, `import onnx` must find PyPI's package or nothing, never a namespace of our folder."""
    code = "import triage, importlib.metadata as m; print([d for d in m.packages_distributions().get('onnx', [])])"
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.strip() in {"[]", "['onnx']"}


def test_no_test_package_markers():
    assert list((ROOT / "tests").rglob("__init__.py")) == []


def test_help_is_fast_and_imports_nothing_heavy():
    code = (
        "import sys; from triage.cli import main; main.build_app(); "
        "heavy = {'torch', 'transformers', 'onnxruntime', 'kafka', 'elasticsearch', 'faust', 'nicegui'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
