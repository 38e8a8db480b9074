"""Facts about the source tree. Which package may import which is checked by `lint-imports`, see pyproject.toml."""

import ast
import subprocess
import sys

import pytest
from checkout import ROOT

MODULES = sorted((ROOT / "triage").rglob("*.py"))


def _package(path):
    parts = path.relative_to(ROOT / "triage").with_suffix("").parts
    return parts[0]


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
