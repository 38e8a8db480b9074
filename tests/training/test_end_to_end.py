"""Train, export, compare and evaluate a tiny encoder, in about a minute (needs the train extra)."""

import json
from dataclasses import replace

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")
pytestmark = [
    pytest.mark.training,
    # Deprecations inside torch and transformers.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]


@pytest.fixture(scope="module")
def options(tiny_base):
    from triage.training.loop.options import Options

    return Options(
        base=str(tiny_base),
        epochs=3,
        learning_rate=2e-3,
        head_learning_rate=4e-3,
        warmup_steps=20,
        bf16=False,
        seed=7,
        threads=1,
        ema_decay=0.95,
    )


@pytest.fixture(scope="module")
def corpus():
    from triage.training.release.workflow import build_corpus

    return build_corpus(None)


@pytest.fixture(scope="module")
def run(tmp_path_factory, options, corpus):
    from rich.console import Console

    from triage.training.release.workflow import train_model

    output = tmp_path_factory.mktemp("run") / "r"
    train_model(*corpus, options, output, Console(stderr=True))
    return output


@pytest.fixture(scope="module")
def model(tmp_path_factory, run):
    from triage.training.release.workflow import export_checkpoint

    folder = tmp_path_factory.mktemp("models") / "tiny"
    export_checkpoint(run, folder, "test-1")
    return folder


def test_the_run_leaves_a_calibrated_checkpoint(run):
    info = json.loads((run / "best" / "info.json").read_text(encoding="utf-8"))
    assert info["seed"] == 7
    assert info["texts"] > 5_000
    assert info["validation"]["intent"]["own"] > 0.4
    assert set(info["calibration"]["temperature"]) == {"intent", "sentiment", "entities", "aspects"}
    assert len(info["calibration"]["scaling"]["sentiment"]["by_intent"]) == 15
    assert 0.2 <= info["calibration"]["aspect_threshold"] <= 0.8
    assert 0 < info["calibration"]["low_confidence"]["intent"] < 1
    assert not (run / "resume.pt").exists()


OBVIOUS = [
    ("my parcel never arrived, still waiting for the delivery", "delivery", "negative"),
    ("the courier is a week late and the package is still not here", "delivery", "negative"),
    ("快递一直没到，客服也不理人，太差了", "delivery", "negative"),
    ("物流太慢了，等了十天还没有收到包裹", "delivery", "negative"),
    ("How do I reset my password?", "account_access", "neutral"),
    ("I forgot my password, how can I log in?", "account_access", "neutral"),
    ("I want to cancel my order", "order_change", "neutral"),
    ("I would like to get a refund of my money", "return_refund", "neutral"),
    ("质量很好，非常满意，推荐", "praise", "positive"),
    ("很喜欢，下次还会再来", "praise", "positive"),
    ("great product, I love it, works perfectly", "praise", "positive"),
    ("excellent, very happy with it, highly recommended", "praise", "positive"),
]


def test_the_export_serves_and_classifies_obvious_texts(model):
    from triage.config import ModelSettings
    from triage.inference.model import OnnxModel

    loaded = OnnxModel.load(ModelSettings(path=model, device="cpu"))
    assert loaded.version == "tiny@test-1"
    predictions = loaded.predict([text for text, _, _ in OBVIOUS])
    found = [(one.intents[0][0], max(one.sentiment, key=one.sentiment.get)) for one in predictions]
    right = [
        (intent == true_intent, sentiment == true_sentiment)
        for (intent, sentiment), (_, true_intent, true_sentiment) in zip(found, OBVIOUS, strict=True)
    ]
    # The decisions of so small an encoder depend on rounding; by chance one of fifteen intents would be correct.
    assert sum(intent for intent, _ in right) >= 8, found
    assert sum(sentiment for _, sentiment in right) >= 8, found


def test_the_export_finds_aspects(model):
    from triage.config import ModelSettings
    from triage.inference.model import OnnxModel

    loaded = OnnxModel.load(ModelSettings(path=model, device="cpu"))
    texts = ["terrible delivery, far too slow, never again", "too expensive for what it is", "ok"]
    slow, dear, nothing = ([(one.label, one.polarity) for one in p.aspects] for p in loaded.predict(texts))
    # A tiny encoder finds the aspects; their polarity takes a real one.
    assert slow[0][0] == "delivery"
    assert "price" in [label for label, _ in dear]
    assert not nothing


def test_a_model_without_aspects_is_exported_and_serves(tmp_path, run):
    from triage.config import ModelSettings
    from triage.inference.model import OnnxModel
    from triage.training.loop.checkpoint import load_checkpoint
    from triage.training.release.export import Calibration, export_model

    whole = load_checkpoint(run / "best")
    three_heads = replace(whole, taxonomy=replace(whole.taxonomy, aspects=()))
    three_heads.model.aspects = None
    export_model(three_heads, tmp_path / "three", Calibration(), "1")
    loaded = OnnxModel.load(ModelSettings(path=tmp_path / "three", device="cpu"))
    assert loaded.predict(["the delivery is late"])[0].aspects == []


def test_the_file_has_about_a_byte_per_parameter_and_predicts_the_same(run, model):
    from triage.training.loop.checkpoint import load_checkpoint
    from triage.training.release.workflow import check_parity

    parameters = sum(p.numel() for p in load_checkpoint(run / "best").model.parameters())
    assert (model / "model.onnx").stat().st_size < 1.3 * parameters
    parity = check_parity(run, model, None)
    assert parity.texts >= 100
    assert parity.intent_agreement >= 0.97
    assert parity.sentiment_agreement >= 0.97
    assert parity.entity_tag_agreement >= 0.97
    assert parity.aspect_agreement >= 0.97
    assert parity.max_probability_difference < 0.3


def test_manifest_matches_the_files(model):
    from triage.inference.manifest import read_manifest
    from triage.inference.model_files import verify_files

    manifest = read_manifest(model)
    verify_files(model, manifest)
    assert manifest.trained["seed"] == 7
    assert manifest.encoder["layers"] == 2


def test_evaluation_and_card(model):
    from triage.config import ModelSettings
    from triage.inference.manifest import read_manifest
    from triage.inference.model_files import verify_files
    from triage.training.evaluation.evaluate import evaluate_model
    from triage.training.release.card import write_card
    from triage.training.release.workflow import update_metrics

    seen = []
    settings = ModelSettings(path=model, device="cpu")
    metrics = evaluate_model(settings, only=["own_validation"], progress=lambda *call: seen.append(call))
    heads = metrics["packs"]["own_validation"]
    assert heads["intent"]["macro_f1"] > 0.4
    assert 0 <= heads["sentiment"]["ece"] <= 1
    assert heads["entities"]["entities"] > 50
    assert seen[-1][0] == "own_validation"
    update_metrics(model, lambda before: {**before, **metrics})
    write_card(model, [])
    verify_files(model, read_manifest(model))
    card = (model / "CARD.md").read_text(encoding="utf-8")
    assert "# tiny, version test-1" in card
    assert "| own_validation |" in card


def test_a_run_ended_by_time_leaves_a_model(tmp_path, options, corpus):
    from rich.console import Console

    from triage.training.release.workflow import train_model

    best = train_model(*corpus, replace(options, epochs=50, max_minutes=0.03), tmp_path / "r", Console(stderr=True))
    assert json.loads((best / "info.json").read_text(encoding="utf-8"))["minutes"] < 1


def test_unsuitable_bases_leave_nothing(tmp_path, options, corpus, tiny_base):
    from rich.console import Console

    from triage.errors import TrainingError
    from triage.training.release.workflow import train_model

    for broken, message in (
        (replace(options, base=str(tmp_path)), "config.json and tokenizer.json missing"),
        (replace(options, layers=9), "--layers 9 is not between 1 and the 2 layers"),
    ):
        with pytest.raises(TrainingError, match=message):
            train_model(*corpus, broken, tmp_path / "out", Console(stderr=True))
        assert not (tmp_path / "out" / "best").exists()


def test_export_refuses_folders_without_checkpoint_and_keeps_foreign_folders(tmp_path, run):
    from triage.errors import TrainingError
    from triage.training.release.workflow import export_checkpoint

    with pytest.raises(TrainingError, match=r"is not a checkpoint: model\.safetensors"):
        export_checkpoint(tmp_path, tmp_path / "m", "1")
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "thesis.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(TrainingError, match="is not a model folder"):
        export_checkpoint(run, foreign, "1")
    assert [path.name for path in foreign.iterdir()] == ["thesis.txt"]
    assert not list(tmp_path.glob("*.partial"))
