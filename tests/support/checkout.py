"""Places in the checkout that tests read."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TINY_MODEL = ROOT / "tests" / "assets" / "tiny-model"
SHIPPED_MODEL = ROOT / "onnx" / "triage-en-zh"
