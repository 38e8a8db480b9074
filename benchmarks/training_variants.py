"""The variants that `benchmarks.training` compares, in groups of runs that differ in one respect."""

from dataclasses import dataclass, field
from typing import Any

E5, MINILM = "multilingual-e5-small-en-zh", "all-MiniLM-L6-v2"


@dataclass(frozen=True)
class Variant:
    """One training run to compare.

    `language` restricts the texts to one language, `only` to those with a label for that head. `options` are fields
    of Options; `times` multiplies the number of texts; `from_teacher` starts from the weights of the group's teacher,
    with evenly spaced layers.
    """

    name: str
    base: str = MINILM
    language: str | None = "en"
    only: str | None = None
    options: dict[str, Any] = field(default_factory=dict)
    times: int = 1
    from_teacher: bool = False


def _peft(method: str) -> Variant:
    return Variant(method, options={"peft": method, "head_learning_rate": 2e-3})


def _student(layers: int, how: str, **options: Any) -> Variant:
    return Variant(f"{layers} of 6 layers, {how}", options={"layers": layers, **options}, from_teacher=True)


TEACHER = Variant("teacher, three times as many texts", times=3)


def _single(head: str) -> Variant:
    heads = {name: float(name == head) for name in ("intent", "sentiment", "entities", "aspects")}
    return Variant(f"{head} alone", only=head, options={"head_weights": heads})


GROUPS: dict[str, tuple[Variant, ...]] = {
    "encoders": (
        Variant("all-MiniLM-L6-v2, English"),
        Variant("multilingual-e5-small-en-zh, Chinese", base=E5, language="zh"),
        Variant("bge-small-zh-v1.5, Chinese", base="bge-small-zh-v1.5", language="zh"),
        Variant("multilingual-e5-small-en-zh, English", base=E5),
        Variant("bge-small-en-v1.5, English", base="bge-small-en-v1.5"),
    ),
    "methods": (
        Variant("full fine-tuning"),
        Variant("embeddings frozen", options={"freeze": "embeddings"}),
        Variant("embeddings and 3 of 6 layers frozen", options={"freeze": "layers:3"}),
        Variant("heads only", options={"freeze": "encoder", "head_learning_rate": 5e-3}),
        *(_peft(method) for method in ("lora", "adalora", "ia3", "prefix")),
        Variant("layer-wise decay 0.9", options={"layer_decay": 0.9}),
    ),
    "tasks": (
        Variant("all heads"),
        *(_single(head) for head in ("intent", "sentiment", "entities")),
    ),
    "extras": (
        Variant("plain"),
        Variant("augmentation 0.2", options={"augment": 0.2, "augmentations": ("typos", "drop", "case", "emoji")}),
        Variant("FGM 0.5", options={"adversarial": 0.5}),
        Variant("weight average 0.98", options={"ema_decay": 0.98}),
    ),
    "students": (
        TEACHER,
        Variant("3 of 6 layers of the encoder", options={"layers": 3}),
        _student(3, "initialized from the teacher"),
        _student(3, "initialized from the teacher, distilled", distill_weight=0.3),
        _student(2, "initialized from the teacher, distilled", distill_weight=0.3),
    ),
}
