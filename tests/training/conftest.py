import importlib.util
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory):
    """Folder of a tiny untrained encoder (needs torch and transformers)."""
    specification = importlib.util.spec_from_file_location("tiny_base", Path(__file__).with_name("tiny_base.py"))
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module.build(tmp_path_factory.mktemp("tiny") / "base")
