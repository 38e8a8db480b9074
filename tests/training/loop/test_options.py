import pytest

from triage.errors import ConfigError
from triage.training.loop.options import Options


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epochs": 0}, "epochs must be above 0, is 0"),
        ({"learning_rate": -1e-5}, "learning_rate must be above 0"),
        ({"accumulate": 0}, "accumulate must be at least 1, is 0"),
        ({"patience": 0}, "patience must be at least 1"),
        ({"ema_decay": 1.0}, "ema_decay must be from 0 to below 1, is 1.0"),
        ({"label_smoothing": -0.1}, "label_smoothing must be from 0"),
        ({"layer_decay": 0}, "layer_decay must be above 0 and at most 1"),
        ({"augment": 1.5}, "augment must be from 0 to 1, the share of augmented texts, is 1.5"),
        ({"augmentations": ("typos", "rhymes")}, "augmentation 'rhymes' is not known"),
        ({"peft": "magic"}, "peft is 'magic', known are lora"),
        ({"freeze": "layers:0"}, "freeze is 'layers:0', must be none, embeddings, layers:N"),
        ({"freeze": "layers:2", "peft": "lora"}, "leave freeze at none"),
        ({"adversarial": 0.5, "freeze": "embeddings"}, "adversarial needs the gradient"),
        ({"head_weights": {"mood": 1.0}}, "head_weights names 'mood'"),
        ({"head_weights": {"intent": -1.0}}, "head_weights.intent must not be negative"),
        ({"head_weights": dict.fromkeys(("intent", "sentiment", "entities", "aspects"), 0.0)}, "every head off"),
    ],
)
def test_invalid_options_are_refused(settings, message):
    with pytest.raises(ConfigError, match=message):
        Options(base="b", **settings)


def test_every_problem_is_named_at_once():
    with pytest.raises(ConfigError) as caught:
        Options(base="b", epochs=-1, accumulate=0, freeze="all")
    for name in ("epochs", "accumulate", "freeze"):
        assert name in str(caught.value)


def test_bf16_is_the_default_only_where_the_cpu_multiplies_it():
    from triage.inference.hardware import has_fast_bf16

    assert Options(base="b").bf16 is has_fast_bf16()
    assert Options(base="b", bf16=True).bf16 is True


def test_published_options_contain_no_path():
    options = Options(base="/secret/base", start_from="/secret/before", teacher="/secret/teacher", freeze="layers:3")
    assert "secret" not in str(options.published())
    assert options.frozen_layers == 3
    assert options.identity() != Options(base="/secret/base", seed=2).identity()
    assert Options(base="b", threads=1).identity() == Options(base="b", threads=4, max_minutes=3).identity()
