import pytest

from triage.config import ModelSettings
from triage.errors import ModelError
from triage.inference.manifest import read_manifest
from triage.inference.model_files import verify_files
from triage.inference.registry import find_folder


@pytest.fixture
def home(folder, monkeypatch, tmp_path):
    """A TRIAGE_HOME whose onnx/ holds the tiny model, and no CURRENT yet."""
    (tmp_path / "home").mkdir()
    folder.parent.rename(tmp_path / "home" / "onnx")
    monkeypatch.setenv("TRIAGE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_model_path_overrides_current(folder):
    assert find_folder(ModelSettings(path=folder)) == folder


def test_current_names_the_model(home):
    (home / "onnx" / "CURRENT").write_text("tiny-model\n")
    assert find_folder(ModelSettings()) == home / "onnx" / "tiny-model"


def test_no_folder_at_path(tmp_path):
    with pytest.raises(ModelError, match=r"no model folder at .*absent \(model\.path\); train one"):
        find_folder(ModelSettings(path=tmp_path / "absent"))


def test_no_current(home):
    with pytest.raises(ModelError, match=r"no model: onnx/CURRENT is not there.*`triage train`"):
        find_folder(ModelSettings())


def test_current_with_a_name_that_no_folder_can_have(home):
    (home / "onnx" / "CURRENT").write_text("x" * 5_000)
    with pytest.raises(ModelError, match="CURRENT names 'xxx"):
        find_folder(ModelSettings())


def test_current_names_a_missing_folder(home):
    (home / "onnx" / "CURRENT").write_text("absent")
    with pytest.raises(ModelError, match=r"CURRENT names 'absent', but .* is not there"):
        find_folder(ModelSettings())


@pytest.mark.parametrize("name", ["", "..", "../elsewhere", "a/b"])
def test_current_cannot_leave_the_folder(home, name):
    (home / "onnx" / "CURRENT").write_text(name)
    with pytest.raises(ModelError, match="must hold the name of one folder"):
        find_folder(ModelSettings())


def test_exported_files_are_accepted(folder):
    verify_files(folder, read_manifest(folder))


def test_all_damaged_files_are_named(folder):
    model, tokenizer = folder / "model.onnx", folder / "tokenizer.json"
    content = bytearray(model.read_bytes())
    content[len(content) // 2] ^= 1
    model.write_bytes(content)
    tokenizer.write_bytes(tokenizer.read_bytes()[:-1])
    with pytest.raises(ModelError) as caught:
        verify_files(folder, read_manifest(folder))
    assert "model.onnx is damaged: its SHA-256 begins" in str(caught.value)
    assert "tokenizer.json is damaged" in str(caught.value)
    assert "bytes, the manifest says" in str(caught.value)
    assert "export the model again" in str(caught.value)


def test_absent_file(folder):
    (folder / "model.onnx").unlink()
    with pytest.raises(ModelError, match=r"model\.onnx is not there"):
        verify_files(folder, read_manifest(folder))
