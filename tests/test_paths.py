import pytest

import triage.paths
from triage.errors import ConfigError
from triage.paths import PACKAGED, resource


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """An empty working directory, and no TRIAGE_HOME."""
    monkeypatch.delenv("TRIAGE_HOME", raising=False)
    folder = tmp_path / "cwd"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def put(folder, name="topics/topics.yaml"):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("")
    return path


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """A site-packages folder with the wheel's data, next to a package that has the name of one of our folders."""
    data = tmp_path / "site-packages" / "triage" / "_data"
    put(data)
    put(data, "onnx/CURRENT")
    put(tmp_path / "site-packages", "onnx/__init__.py")
    monkeypatch.setattr(triage.paths, "PACKAGED", data)
    return data


def test_a_checkout_has_the_files_at_its_top():
    assert resource("topics/topics.yaml") == PACKAGED.parent.parent / "topics" / "topics.yaml"


def test_an_installed_wheel_has_them_inside_the_package(installed):
    assert resource("topics/topics.yaml") == installed / "topics" / "topics.yaml"
    assert resource("onnx") == installed / "onnx"


def test_another_package_of_that_name_is_not_taken(installed):
    with pytest.raises(ConfigError, match=r"onnx/__init__.py is not there .* install triage again"):
        resource("onnx/__init__.py")


def test_the_working_directory_comes_before_what_ships(installed, elsewhere):
    own = put(elsewhere)
    assert resource("topics/topics.yaml") == own


def test_home_is_the_only_place_where_it_is_set(installed, elsewhere, tmp_path, monkeypatch):
    put(elsewhere)
    monkeypatch.setenv("TRIAGE_HOME", str(tmp_path / "home"))
    with pytest.raises(ConfigError, match=r"looked at .*home/topics/topics.yaml\); put it there, or unset TRIAGE_HOME"):
        resource("topics/topics.yaml")
    own = put(tmp_path / "home")
    assert resource("topics/topics.yaml") == own


def test_an_absolute_path_is_taken_as_it_is(tmp_path):
    assert resource(str(tmp_path / "absent")) == tmp_path / "absent"
