import errno

import pytest

from triage.errors import TrainingError
from triage.training.data.files import atomic_folder, disk_errors


def write_half(folder):
    with atomic_folder(folder) as staging:
        (staging / "model.onnx").write_text("ne")
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_leaves_the_folder_as_it_was(tmp_path):
    folder = tmp_path / "m"
    folder.mkdir()
    (folder / "model.onnx").write_text("old")
    with pytest.raises(TrainingError, match="m cannot be written: no space is left on the disk"):
        write_half(folder)
    assert (folder / "model.onnx").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


def test_a_full_disk_leaves_no_new_folder(tmp_path):
    with pytest.raises(TrainingError, match="no space"):
        write_half(tmp_path / "m")
    assert list(tmp_path.iterdir()) == []


def test_a_completed_folder_replaces_the_old_one(tmp_path):
    folder = tmp_path / "m"
    folder.mkdir()
    (folder / "old").write_text("old")
    with atomic_folder(folder) as staging:
        (staging / "new").write_text("new")
    assert [path.name for path in folder.iterdir()] == ["new"]
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


@pytest.mark.parametrize(
    "error", [RuntimeError("PytorchStreamWriter failed writing file data/3"), ValueError("I/O error: No space left")]
)
def test_errors_of_libraries_on_a_full_disk(error, tmp_path):
    with pytest.raises(TrainingError, match="is the disk full"), disk_errors(tmp_path):
        raise error


def test_other_errors_are_not_converted(tmp_path):
    with pytest.raises(KeyError), disk_errors(tmp_path):
        raise KeyError("x")
    with pytest.raises(TrainingError, match="mine"), disk_errors(tmp_path):
        raise TrainingError("mine")
