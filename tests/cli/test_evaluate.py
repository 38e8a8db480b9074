import json
import subprocess
import sys

import pytest
from checkout import TINY_MODEL


def evaluate(*arguments, **options):
    command = [sys.executable, "-m", "triage", "evaluate", "--threads", "1", *map(str, arguments)]
    return subprocess.run(command, check=False, capture_output=True, text=True, **options)


def test_evaluate_needs_no_torch():
    code = (
        "import sys; sys.modules |= dict.fromkeys(('torch', 'transformers', 'matplotlib', 'seqeval', 'sklearn'))\n"
        "import triage.training.evaluation.evaluate, triage.training.release.card\n"
        "import triage.training.release.workflow, triage.cli.evaluate"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_own_texts_give_a_row_for_each_head_and_the_figures(tmp_path):
    rows = [
        {"text": "my parcel never arrived", "intent": "delivery", "sentiment": "negative"},
        {"text": "快递三天还没到，气死我了", "intent": "delivery", "sentiment": "negative", "entities": []},
        {"text": "How do I reset my password?", "intent": "account_access", "sentiment": "neutral"},
    ]
    own = tmp_path / "own.jsonl"
    own.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    output = tmp_path / "figures.json"
    result = evaluate("--model", TINY_MODEL, "--own", own, "--output", output)
    assert result.returncode == 0, result.stderr
    words = [line.split() for line in result.stdout.splitlines()]
    assert ["head", "set", "texts", "macro_f1", "macro_recall", "accuracy", "f1", "ece", "interval"] in words
    shown = [line[:3] for line in words if line[1:2] == ["own"] and line[0] in {"intent", "sentiment", "entities"}]
    assert shown[:3] == [["intent", "own", "3"], ["sentiment", "own", "3"], ["entities", "own", "1"]]
    figures = json.loads(output.read_text(encoding="utf-8"))["packs"]["own"]
    assert figures["intent"]["accuracy"] == 1.0
    assert figures["sentiment"]["accuracy"] == 1.0


def test_the_model_is_the_one_that_serves_unless_named(tmp_path):
    (tmp_path / "tiny").symlink_to(TINY_MODEL)
    (tmp_path / "CURRENT").write_text("tiny\n", encoding="utf-8")
    result = evaluate("--set", f"model.registry={tmp_path}", "--only", "check_en", "--limit", "5")
    assert result.returncode == 0, result.stderr
    assert "check_en" in result.stdout
    assert "banking77" not in result.stdout


@pytest.mark.parametrize(
    ("model", "row", "code", "message"),
    [
        ("absent", '{"text": "a", "sentiment": "neutral"}', 2, "no model folder at"),
        (str(TINY_MODEL), '{"text": "a", "intent": "nonsense"}', 1, "line 1: intent 'nonsense' is not in the taxonomy"),
        (str(TINY_MODEL), '{"text": "a", "mood": "bad"}', 1, "no row has a label; the fields are text, mood"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, model, row, code, message):
    own = tmp_path / "own.jsonl"
    own.write_text(row + "\n", encoding="utf-8")
    result = evaluate("--model", model, "--own", own)
    assert result.returncode == code
    assert message in result.stderr
    assert result.stdout == ""
