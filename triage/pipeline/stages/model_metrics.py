"""Reports the model and rules in force, and the device that computes, to the metrics and the health page."""

from triage.config import ModelSettings
from triage.inference.model import OnnxModel
from triage.inference.packages import ONNXRUNTIME_GPU, installed
from triage.metrics import Metrics
from triage.schemas.enriched import Versions
from triage.types import Model


def show_model(metrics: Metrics, model: Model, versions: Versions, settings: ModelSettings) -> None:
    """Replace the series of `model_info` by that of the model in force, and say whether it had to fall back."""
    about = model.describe() if isinstance(model, OnnxModel) else {}
    device, runtime = str(about.get("device", "")), str(about.get("runtime", ""))
    metrics.model_info.clear()
    metrics.model_info.labels(
        versions.model, versions.taxonomy, versions.rules, device, runtime, str(about.get("precision", ""))
    ).set(1)
    metrics.model_fallback.set(bool(about) and fell_back(settings, device, runtime, installed(ONNXRUNTIME_GPU)))


def runs_on(model: Model) -> dict[str, object]:
    """Device, runtime and precision for the health page; empty for a model that does not report them."""
    about = model.describe() if isinstance(model, OnnxModel) else {}
    return {name: about[name] for name in ("device", "runtime", "precision", "threads", "streams") if name in about}


def fell_back(settings: ModelSettings, device: str, runtime: str, gpu_build: str | None) -> bool:
    """True if the settings, or a GPU build that is installed under `auto`, ask for another device."""
    match settings.device:
        case "cuda":
            return device != "cuda"
        case "openvino":
            return not runtime.lower().startswith("openvino")
        case "auto":
            return gpu_build is not None and device != "cuda"
    return False
