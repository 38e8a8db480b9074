"""Encoders of several families, from training to the exported file (needs the train extra)."""

import json
import shutil

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
pytestmark = [
    pytest.mark.training,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]

SHAPE = {"vocab_size": 3_600, "hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4, "pad_token_id": 1}
FAMILIES = {
    "xlm-roberta": lambda: transformers.XLMRobertaConfig(**SHAPE, intermediate_size=64, max_position_embeddings=130),
    "distilbert": lambda: transformers.DistilBertConfig(
        vocab_size=3_600, dim=32, n_layers=3, n_heads=4, hidden_dim=64, max_position_embeddings=128, pad_token_id=1
    ),
    "electra": lambda: transformers.ElectraConfig(
        **SHAPE, embedding_size=16, intermediate_size=64, max_position_embeddings=128
    ),
}


@pytest.fixture
def base(tmp_path, tiny_base, request):
    """A small untrained encoder of the family, with the tokenizer of the tests."""
    folder = tmp_path / request.param
    torch.manual_seed(0)
    transformers.AutoModel.from_config(FAMILIES[request.param]()).save_pretrained(folder)
    shutil.copyfile(tiny_base / "tokenizer.json", folder / "tokenizer.json")
    return folder


def run_of(base, work, **settings):
    from collections import Counter

    from rich.console import Console

    from triage.training.data.corpus import Corpus
    from triage.training.data.custom import project_texts
    from triage.training.data.labels import load_taxonomy
    from triage.training.loop.options import Options
    from triage.training.loop.train import TrainingRun

    taxonomy = load_taxonomy()
    train, validation = (project_texts(split, taxonomy) for split in ("train", "validation"))
    corpus = Corpus({"some": train[::40]}, {"some": validation[::40]}, {}, {}, Counter())
    given = {"bf16": False, "threads": 1, "max_steps": 2, "token_budget": 512, "validation_cap": 10} | settings
    return TrainingRun(corpus, taxonomy, Options(base=str(base), **given), work, Console(stderr=True))


@pytest.mark.parametrize("base", sorted(FAMILIES), indirect=True)
def test_a_family_is_trained_exported_and_served_with_equal_labels(base, tmp_path):
    from triage.training.loop.checkpoint import load_checkpoint
    from triage.training.release.parity import compare_with_export
    from triage.training.release.workflow import export_checkpoint

    run = run_of(base, tmp_path / "run", freeze="layers:1", layer_decay=0.5)
    frozen = [name for name, weight in run.model.encoder.named_parameters() if not weight.requires_grad]
    assert any(".0." in name for name in frozen)
    assert not any(".1." in name for name in frozen)
    run.fit()
    manifest = export_checkpoint(tmp_path / "run", tmp_path / "out", "v1", "fp32")
    assert manifest["max_tokens"] == 128
    assert manifest["encoder"]["layers"] == 3
    texts = ["我的包裹还没到", "How do I reset my password?", "great"]
    found = compare_with_export(load_checkpoint(tmp_path / "run" / "best"), tmp_path / "out", texts)
    assert (found.intent_agreement, found.sentiment_agreement, found.entity_tag_agreement) == (1.0, 1.0, 1.0)
    assert found.max_probability_difference < 1e-4


@pytest.mark.parametrize("base", ["distilbert"], indirect=True)
def test_layers_are_reduced_selected_and_adapted_in_another_family(base, tmp_path):
    from triage.errors import TrainingError

    teacher = run_of(base, tmp_path / "teacher")
    teacher.validate()
    folder = str(tmp_path / "teacher" / "best")
    student = run_of(base, tmp_path / "student", layers=1, start_from=folder, teacher=folder)
    name = "encoder.transformer.layer.{}.ffn.lin2.weight"
    student_weights, teacher_weights = student.model.state_dict(), teacher.model.state_dict()
    assert torch.equal(student_weights[name.format(0)], teacher_weights[name.format(2)])
    with pytest.raises(TrainingError, match="--layers 4 is not between 1 and the 3"):
        run_of(base, tmp_path / "deep", layers=4)
    pytest.importorskip("peft")
    run_of(base, tmp_path / "lora", peft="lora").fit()
    assert (tmp_path / "lora" / "best").exists()
    with pytest.raises(TrainingError, match="--peft ia3 does not support a DistilBertModel"):
        run_of(base, tmp_path / "ia3", peft="ia3")


def test_models_that_are_not_encoders_are_refused(tmp_path, tiny_base):
    from triage.errors import TrainingError
    from triage.training.loop.encoders import load_encoder

    with pytest.raises(TrainingError, match=r"config\.json and tokenizer\.json missing"):
        load_encoder(tmp_path)
    both = transformers.T5Config(vocab_size=50, d_model=16, d_kv=4, d_ff=16, num_layers=1, num_heads=2)
    pictures = transformers.ViTConfig(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16)
    for config, message in ((both, "with a decoder"), (pictures, "does not read text tokens")):
        folder = tmp_path / config.model_type
        transformers.AutoModel.from_config(config).save_pretrained(folder)
        shutil.copyfile(tiny_base / "tokenizer.json", folder / "tokenizer.json")
        with pytest.raises(TrainingError, match=message):
            load_encoder(folder)
    folder = tmp_path / "no-padding"
    shutil.copytree(tiny_base, folder)
    config = json.loads((folder / "config.json").read_text()) | {"pad_token_id": None}
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(TrainingError, match="no padding token"):
        load_encoder(folder)
