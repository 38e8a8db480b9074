import errno

import pytest

from triage.errors import TrainingError
from triage.training.data.files import disk_errors, whole_folder


def half(folder):
    with whole_folder(folder) as parts:
        (parts / "model.onnx").write_text("ne")
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_leaves_the_folder_as_it_was(tmp_path):
    folder = tmp_path / "m"
    folder.mkdir()
    (folder / "model.onnx").write_text("old")
    with pytest.raises(TrainingError, match="m cannot be written: no space is left on the disk"):
        half(folder)
    assert (folder / "model.onnx").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


def test_a_full_disk_leaves_nothing_where_nothing_was(tmp_path):
    with pytest.raises(TrainingError, match="no space"):
        half(tmp_path / "m")
    assert list(tmp_path.iterdir()) == []


def test_a_good_end_replaces_the_folder(tmp_path):
    folder = tmp_path / "m"
    folder.mkdir()
    (folder / "old").write_text("old")
    with whole_folder(folder) as parts:
        (parts / "new").write_text("new")
    assert [path.name for path in folder.iterdir()] == ["new"]
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


@pytest.mark.parametrize(
    "error", [RuntimeError("PytorchStreamWriter failed writing file data/3"), ValueError("I/O error: No space left")]
)
def test_what_libraries_raise_for_a_full_disk(error, tmp_path):
    with pytest.raises(TrainingError, match="is the disk full"), disk_errors(tmp_path):
        raise error


def test_other_errors_stay_what_they_are(tmp_path):
    with pytest.raises(KeyError), disk_errors(tmp_path):
        raise KeyError("x")
    with pytest.raises(TrainingError, match="mine"), disk_errors(tmp_path):
        raise TrainingError("mine")
