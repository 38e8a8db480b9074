"""Reports the model and rules in use, and the device that runs the model, in metrics and on the health page."""

from triage.config import ModelSettings
from triage.inference.model import OnnxModel
from triage.inference.packages import ONNXRUNTIME_GPU, installed
from triage.metrics import Metrics
from triage.schemas.enriched import Versions
from triage.types import Model


def show_model(metrics: Metrics, model: Model, versions: Versions, settings: ModelSettings) -> None:
    """Set the metric `model_info` to the model in use, and `model_fallback` to 1 if it had to fall back.

    A fallback means that the model does not run on the configured device.
    """
    about = model.describe() if isinstance(model, OnnxModel) else {}
    device, runtime = str(about.get("device", "")), str(about.get("runtime", ""))
    metrics.model_info.clear()
    metrics.model_info.labels(
        versions.model, versions.taxonomy, versions.rules, device, runtime, str(about.get("precision", ""))
    ).set(1)
    metrics.model_fallback.set(bool(about) and fell_back(settings, device, runtime, installed(ONNXRUNTIME_GPU)))


def runs_on(model: Model) -> dict[str, object]:
    """Return device, runtime, precision, threads and streams of a model for the health page; {} if it reports none."""
    about = model.describe() if isinstance(model, OnnxModel) else {}
    return {name: about[name] for name in ("device", "runtime", "precision", "threads", "streams") if name in about}


def fell_back(settings: ModelSettings, device: str, runtime: str, gpu_build: str | None) -> bool:
    """True if the model does not run on the device that it should run on.

    That is the device of the settings; for `auto` it is the GPU if a GPU build of ONNX Runtime is installed
    (`gpu_build` is its version, None without one).
    """
    match settings.device:
        case "cuda":
            return device != "cuda"
        case "openvino":
            return not runtime.lower().startswith("openvino")
        case "auto":
            return gpu_build is not None and device != "cuda"
    return False
