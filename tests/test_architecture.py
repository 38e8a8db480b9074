"""Facts about the source tree. Which package may import which is checked by `lint-imports`, see pyproject.toml."""

import ast
import subprocess
import sys

from checkout import ROOT

MODULES = sorted((ROOT / "triage").rglob("*.py"))


def _package(path):
    parts = path.relative_to(ROOT / "triage").with_suffix("").parts
    return parts[0]


def test_serving_modules_never_import_the_training_libraries():
    libraries = {"torch", "transformers", "optimum", "sklearn"}
    for path in MODULES:
        if _package(path) in {"training"}:
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module]
            assert libraries.isdisjoint(name.split(".")[0] for name in names), f"{path} imports {names}"


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


def test_the_worker_and_the_alerter_never_load_assist():
    """Knowledge and its encoder must cost the pipeline nothing, whatever the settings say."""
    code = (
        "import sys; import triage.cli.worker, triage.cli.alerter, triage.pipeline.assemble;"
        "import triage.alerting.app.process;"
        "print([name for name in sys.modules if name.startswith('triage.assist')])"
    )
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


# Methods of the client that read documents. Its methods take keyword arguments only, so `pattern.search(text)` is none.
READS = {
    "async_search", "count", "fieldcaps", "get", "get_source", "knn_search", "mget", "msearch", "msearch_template",
    "open_point_in_time", "refresh", "scan", "scroll", "search", "search_mvt", "search_template", "terms_enum",
}  # fmt: skip
READ_PATHS = ("_search", "_count", "_msearch", "_mget", "_pit", "_async_search", "_query", "_sql", "_refresh")


def test_documents_are_read_through_one_module():
    """What is read elsewhere could take a response about a part of the data for the whole."""
    offences = []
    for path in MODULES:
        text = path.read_text("utf-8")
        if path == ROOT / "triage" / "elastic" / "reading.py" or "lastic" not in text:
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.keyword) and node.arg in {"ignore_unavailable", "allow_partial_search_results"}:
                offences.append(f"{path}:{node.value.lineno} {node.arg}")
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            keywords = {keyword.arg for keyword in node.keywords}
            of_client = not node.args and keywords & {"index", "docs", "scroll_id", "searches", "body", "id", None}
            if node.func.attr in READS and of_client and ast.unparse(node.func.value).split(".")[-1] != "indices":
                offences.append(f"{path}:{node.lineno} {node.func.attr}")
            if node.func.attr == "refresh" and "indices" in ast.unparse(node.func.value):
                offences.append(f"{path}:{node.lineno} indices.refresh")
            sent = [each.value for each in node.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
            if node.func.attr == "perform_request" and any(part in each for each in sent for part in READ_PATHS):
                offences.append(f"{path}:{node.lineno} {sent}")
    assert offences == []


def test_too_deep_nesting_is_caught_in_one_place():
    """Others parse by themselves: YAML with lines, regular expressions, frames of NiceGUI."""
    own = {"rules/source.py", "rules/syntax.py", "console/web/sockets.py", "decoding.py"}
    package = ROOT / "triage"
    found = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if "except" in (text := path.read_text("utf-8")) and "RecursionError" in text
    }
    assert found == own
