"""Resuming, freezing, adapters, averages and other options of a run, on a tiny encoder (needs the train extra)."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
pytestmark = [
    pytest.mark.training,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]


@pytest.fixture(scope="module")
def taxonomy():
    from triage.training.data.labels import load_taxonomy

    return load_taxonomy()


@pytest.fixture(scope="module")
def corpus(taxonomy):
    """A few hundred of the project's own texts: enough to see weights move."""
    from triage.training.data.corpus import Corpus
    from triage.training.data.custom import project_texts

    train, validation = (project_texts(split, taxonomy) for split in ("train", "validation"))
    return Corpus({"some": train[::12]}, {"some": validation[::12]}, {}, {}, Counter())


@pytest.fixture
def make(tmp_path, tiny_base, corpus, taxonomy):
    """A run of given options in a folder of its own."""
    from rich.console import Console

    from triage.training.loop.options import Options
    from triage.training.loop.train import TrainingRun

    def build(folder="run", labels=taxonomy, **settings):
        defaults = {"learning_rate": 2e-3, "head_learning_rate": 4e-3, "warmup_steps": 2, "token_budget": 512}
        given = defaults | {"bf16": False, "seed": 7, "threads": 1, "max_steps": 8, "validation_cap": 20} | settings
        return TrainingRun(
            corpus, labels, Options(base=str(tiny_base), **given), tmp_path / folder, Console(stderr=True)
        )

    return build


def weights(run):
    return {name: value.clone() for name, value in run.model.state_dict().items()}


def steps(run, count):
    return [run._one_step() for _ in range(count)]


@pytest.mark.parametrize("settings", [{}, {"ema_decay": 0.9, "augment": 0.5, "augmentations": ("typos", "drop")}])
def test_a_resumed_run_is_the_run_that_was_never_stopped(make, settings):
    whole = make("whole", **settings)
    losses = steps(whole, 6)
    stopped = make("stopped", **settings)
    assert steps(stopped, 3) == losses[:3]
    stopped.save()
    steps(stopped, 2)  # lost with the process
    resumed = make("stopped", **settings)
    assert resumed.resume()
    assert (resumed.step, resumed.texts) == (3, resumed.texts)
    assert steps(resumed, 3) == losses[3:]
    assert all(torch.equal(value, weights(whole)[name]) for name, value in weights(resumed).items())
    if whole.average:
        assert all(torch.equal(v, whole.average.weights[name]) for name, v in resumed.average.weights.items())
    assert resumed.texts == whole.texts


def test_resume_refuses_other_options_and_names_them(make):
    from triage.errors import TrainingError

    run = make()
    assert not run.resume()
    run.save()
    with pytest.raises(TrainingError, match=r"other options \(accumulate, seed\)"):
        make(seed=8, accumulate=2).resume()


def test_accumulated_batches_are_one_update(make):
    single, double = make("a", label_smoothing=0.0), make("b", label_smoothing=0.0, accumulate=2)
    single.model.dropout.p = double.model.dropout.p = 0.0
    steps(double, 1)
    assert double.step == 1
    assert double.texts == sum(len(single.stream.batch(index).input_ids) for index in (0, 1))
    assert double.schedule.steps <= 8


def test_the_history_has_losses_of_every_head_and_a_learning_curve(make):
    pytest.importorskip("matplotlib")
    run = make(max_steps=10)
    run.fit()
    lines = [json.loads(line) for line in (run.work / "history.jsonl").read_text(encoding="utf-8").splitlines()]
    assert set(lines[0]["losses"]) == {"intent", "sentiment", "entities", "aspects"}
    assert set(lines[-1]["validation"]) == {"overall", "intent", "sentiment", "entities", "aspects"}
    assert (run.work / "learning_curve.png").stat().st_size > 10_000


def test_patience_ends_a_run_without_improvement(make):
    run = make(max_steps=1_000, patience=2, validate_minutes=1e-9, learning_rate=1e-12, head_learning_rate=1e-12)
    run.fit()
    assert 3 <= run.step <= 60


def test_the_average_is_validated_and_saved_and_the_run_continues_with_its_own_weights(make):
    from triage.training.loop.checkpoint import load_checkpoint

    run = make(ema_decay=0.9)
    steps(run, 5)
    own = weights(run)
    run.validate()
    assert all(torch.equal(value, own[name]) for name, value in weights(run).items())
    kept = load_checkpoint(run.work / "best").model.state_dict()
    name = "intent.weight"
    assert torch.equal(kept[name], run.average.weights[name])
    assert not torch.equal(kept[name], own[name])


def test_average_of_checkpoints(make):
    from triage.errors import TrainingError
    from triage.training.loop.averaging import average_checkpoints

    folders = []
    for seed in (1, 2):
        run = make(f"s{seed}", seed=seed)
        steps(run, 1)
        run.validate()
        folders.append(run.work / "best")
    both = average_checkpoints(folders, [1, 3]).model.state_dict()["intent.bias"]
    from triage.training.loop.checkpoint import load_checkpoint

    one, two = (load_checkpoint(folder).model.state_dict()["intent.bias"] for folder in folders)
    torch.testing.assert_close(both, one / 4 + two * 3 / 4)
    with pytest.raises(TrainingError, match="at least two"):
        average_checkpoints(folders[:1])
    with pytest.raises(TrainingError, match="none negative"):
        average_checkpoints(folders, [1, -1])


def test_a_stage_is_averaged_with_its_start_which_had_no_aspects(make):
    from dataclasses import replace

    from triage.training.loop.averaging import main
    from triage.training.loop.checkpoint import load_checkpoint, save_checkpoint
    from triage.training.loop.model import MultiHeadModel

    run = make("late")
    steps(run, 1)
    run.validate()
    late = load_checkpoint(run.work / "best")
    narrow = replace(late.taxonomy, aspects=())
    early = run.work / "early"
    save_checkpoint(early, MultiHeadModel(late.model.encoder, narrow), narrow, late.tokenizer, late.info)

    main([f"{run.work}=3", f"{early}=1", str(run.work / "mean")])

    mean = load_checkpoint(run.work / "mean")
    before, after = late.model.state_dict(), mean.model.state_dict()
    kept = [name for name in before if name.startswith("aspects.")]
    assert kept
    for name in kept:
        torch.testing.assert_close(after[name], before[name])
    other = load_checkpoint(early).model.state_dict()["intent.weight"]
    torch.testing.assert_close(after["intent.weight"], before["intent.weight"] * 0.75 + other * 0.25)
    assert mean.info["averaged_with"][0]["share"] == 0.25
    assert mean.taxonomy == late.taxonomy


@pytest.mark.parametrize(
    ("freeze", "frozen", "trained"),
    [
        ("embeddings", ["embeddings.word_embeddings"], ["encoder.layer.0.", "encoder.layer.1."]),
        ("layers:1", ["embeddings.word_embeddings", "encoder.layer.0."], ["encoder.layer.1."]),
        ("encoder", ["embeddings.word_embeddings", "encoder.layer.0.", "encoder.layer.1."], []),
    ],
)
def test_frozen_weights_do_not_change(make, freeze, frozen, trained):
    run = make(freeze=freeze)
    before = weights(run)
    steps(run, 2)
    moved = {name for name, value in weights(run).items() if not torch.equal(value, before[name])}
    assert not [name for name in moved if any(name.startswith(f"encoder.{part}") for part in frozen)]
    for part in trained:
        assert [name for name in moved if name.startswith(f"encoder.{part}")]
    assert "intent.weight" in moved


def test_more_frozen_layers_than_the_encoder_has(make):
    from triage.errors import TrainingError

    with pytest.raises(TrainingError, match="layers:3, but the encoder has only 2 layers"):
        make(freeze="layers:3")


def test_lower_layers_have_a_lower_learning_rate(make):
    run = make(layer_decay=0.5)
    peaks = {id(p): group["peak"] for group in run.optimizer.param_groups for p in group["params"]}
    by_name = {name: peaks[id(parameter)] for name, parameter in run.model.named_parameters()}
    assert by_name["encoder.encoder.layer.1.attention.self.query.weight"] == pytest.approx(2e-3)
    assert by_name["encoder.encoder.layer.0.attention.self.query.weight"] == pytest.approx(1e-3)
    assert by_name["encoder.embeddings.word_embeddings.weight"] == pytest.approx(5e-4)
    assert by_name["intent.weight"] == pytest.approx(4e-3)


@pytest.mark.parametrize("method", ["lora", "adalora", "ia3"])
def test_adapters_train_with_a_frozen_encoder_and_are_merged_when_saved(make, method):
    pytest.importorskip("peft")
    from triage.training.loop.adapters import parameter_counts
    from triage.training.loop.checkpoint import load_checkpoint
    from triage.training.loop.validation import predict

    run = make(peft=method, peft_rank=4, max_steps=20)
    trainable, parameters = parameter_counts(run.model)
    assert trainable < 0.2 * parameters
    steps(run, 3)
    run.validate()
    saved = load_checkpoint(run.work / "best").model
    assert type(saved.encoder).__name__ == "BertModel"
    expected, found = (predict(model, run.validation_encoded, run.pad_id, bf16=False) for model in (run.model, saved))
    torch.testing.assert_close(found.intent, expected.intent, atol=1e-4, rtol=1e-4)


def test_prefixes_learn_but_cannot_be_saved(make):
    pytest.importorskip("peft")
    from triage.errors import TrainingError
    from triage.training.loop.adapters import merge_adapters

    run = make(peft="prefix")
    steps(run, 2)
    assert run.validate()["validation"]["overall"] >= 0
    assert not (run.work / "best").exists()
    with pytest.raises(TrainingError, match="cannot be merged"):
        merge_adapters(run.model)


def test_fgm_adds_a_gradient_and_restores_the_embeddings(make):
    from triage.training.loop.losses import adversarial_step

    table = torch.nn.Parameter(torch.eye(3))

    def loss():
        return (table**2).sum()

    loss().backward()
    plain = table.grad.clone()
    adversarial_step(table, 0.5, loss)
    assert torch.equal(table.detach(), torch.eye(3))
    assert table.grad.norm() > 2 * plain.norm()

    def broken():
        raise ValueError("x")

    with pytest.raises(ValueError, match="x"):
        adversarial_step(table, 0.5, broken)
    assert torch.equal(table.detach(), torch.eye(3))
    assert steps(make(adversarial=0.5), 2) != steps(make("plain"), 2)


def test_a_student_starts_from_spaced_layers_and_learns_from_its_teacher(make):
    from triage.errors import TrainingError

    teacher = make("teacher")
    steps(teacher, 2)
    teacher.validate()
    folder = str(teacher.work / "best")
    student = make("student", layers=1, start_from=folder, teacher=folder)
    name = "encoder.encoder.layer.{}.output.dense.weight"
    assert torch.equal(weights(student)[name.format(0)], weights(teacher)[name.format(1)])
    assert steps(student, 1)[0] > 0
    student.validate()
    assert json.loads((student.work / "best" / "info.json").read_text())["earlier_stages"][0]["steps"] == 2
    with pytest.raises(TrainingError, match="1 layers, fewer than the 2"):
        make("grown", start_from=str(student.work / "best"))


def test_a_second_stage_may_add_aspects_but_no_other_label(make, taxonomy):
    from triage.errors import TrainingError

    first = make("first", replace(taxonomy, aspects=()))
    assert first.model.aspects is None
    steps(first, 1)
    first.validate()
    folder = str(first.work / "best")
    second = make("second", start_from=folder)
    assert torch.equal(weights(second)["intent.weight"], weights(first)["intent.weight"])
    assert second.model.aspects is not None
    with pytest.raises(TrainingError, match="another taxonomy"):
        make("third", replace(taxonomy, intents=(*taxonomy.intents[:-1], "noise")), start_from=folder)


def test_heads_with_weight_zero_are_not_trained(make):
    run = make(head_weights={"intent": 0.0, "entities": 0.0, "aspects": 0.0})
    before = weights(run)
    run._one_step()
    after = weights(run)
    assert torch.equal(after["intent.weight"], before["intent.weight"])
    assert torch.equal(after["aspects.own"], before["aspects.own"])
    assert not torch.equal(after["sentiment.weight"], before["sentiment.weight"])


def test_a_full_disk_ends_a_run_with_its_last_good_checkpoint(make, monkeypatch):
    from triage.errors import TrainingError
    from triage.training.loop import checkpoint

    run = make()
    run.validate()
    before = (run.work / "best" / "model.safetensors").read_bytes()
    run.best = -1.0

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint.shutil, "copyfile", full)
    steps(run, 1)
    with pytest.raises(TrainingError, match="best cannot be written: no space is left on the disk"):
        run.validate()
    assert (run.work / "best" / "model.safetensors").read_bytes() == before
    assert not list(Path(run.work).glob("*.partial"))
    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(TrainingError, match=r"resume\.pt cannot be written"):
        run.save()
    assert not list(Path(run.work).glob("resume*"))
