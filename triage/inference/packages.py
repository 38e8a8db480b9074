"""Detects installed runtimes and conflicting packages.

Uses distribution names instead of imports: the folder `onnx/` of this project would be imported as the package onnx,
and all builds of ONNX Runtime have the same import name.
"""

from importlib.metadata import PackageNotFoundError, version

from triage.errors import ConfigError

ONNXRUNTIME_CPU = "onnxruntime"
ONNXRUNTIME_GPU = "onnxruntime-gpu"
OPENVINO = "openvino"
_ONNXRUNTIMES = (ONNXRUNTIME_CPU, ONNXRUNTIME_GPU, "onnxruntime-openvino", "onnxruntime-directml")
_TRAINING = "optimum-onnx"


def installed(distribution: str) -> str | None:
    """Version of an installed distribution (the name on a package index); None if it is not installed."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def check_packages() -> None:
    """Raise ConfigError, which says what to uninstall, if packages conflict, such as two builds of ONNX Runtime."""
    problems = []
    runtimes = [name for name in _ONNXRUNTIMES if installed(name)]
    if len(runtimes) > 1:
        keep = ONNXRUNTIME_GPU if ONNXRUNTIME_GPU in runtimes else ONNXRUNTIME_CPU
        problems.append(
            f"{' and '.join(runtimes)} are installed together; they share one folder and break each other: "
            f"pip uninstall -y {' '.join(runtimes)} && pip install {keep}"
        )
    if installed(ONNXRUNTIME_GPU) and installed(_TRAINING):
        problems.append(
            f"the extras 'train' and 'gpu' are installed together ({_TRAINING} and {ONNXRUNTIME_GPU}); "
            "use one environment for training and another for serving"
        )
    if problems:
        raise ConfigError(problems, where="installed packages")
