import pytest

from triage.errors import ConfigError
from triage.inference import packages


@pytest.fixture
def only(monkeypatch):
    """Make exactly these distributions installed."""
    return lambda *names: monkeypatch.setattr(packages, "installed", lambda name: "1.0" if name in names else None)


@pytest.mark.parametrize(
    "names", [(), ("onnxruntime",), ("onnxruntime-gpu",), ("onnxruntime", "optimum-onnx"), ("onnxruntime", "openvino")]
)
def test_compatible_packages(only, names):
    only(*names)
    packages.check_packages()


def test_two_builds_of_onnxruntime_conflict(only):
    only("onnxruntime", "onnxruntime-gpu")
    with pytest.raises(ConfigError, match="break each other: pip uninstall -y onnxruntime onnxruntime-gpu && pip inst"):
        packages.check_packages()


def test_train_and_gpu_extras_conflict(only):
    only("onnxruntime-gpu", "optimum-onnx")
    with pytest.raises(ConfigError, match="'train' and 'gpu' are installed together"):
        packages.check_packages()


def test_every_problem_is_reported_at_once(only):
    only("onnxruntime", "onnxruntime-gpu", "optimum-onnx")
    with pytest.raises(ConfigError) as caught:
        packages.check_packages()
    assert len(caught.value.problems) == 2


def test_installed_looks_up_distributions():
    assert packages.installed("numpy")
    assert packages.installed("no-such-distribution") is None
