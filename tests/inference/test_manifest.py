import pytest

from triage.errors import ModelError
from triage.inference.manifest import read_manifest


def test_reads_the_tiny_model(tiny_folder):
    manifest = read_manifest(tiny_folder)
    assert manifest.label == f"{manifest.name}@{manifest.version}"
    assert manifest.entity_tags[0] == "O"
    assert set(manifest.files) >= {"model.onnx", "tokenizer.json"}


def test_no_manifest(tmp_path):
    with pytest.raises(ModelError, match=r"manifest\.json is not there: .* is not a model folder; `triage model list`"):
        read_manifest(tmp_path)


@pytest.mark.parametrize("content", ["{", "", b"\xff\xfe", "[" * 5_000 + "]" * 5_000])
def test_damaged_manifest(folder, content):
    (folder / "manifest.json").write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ModelError, match=r"not valid JSON.*restore or export"):
        read_manifest(folder)


def test_manifest_that_is_not_an_object(folder):
    (folder / "manifest.json").write_text("[]")
    with pytest.raises(ModelError, match="must hold a JSON object, not list"):
        read_manifest(folder)


@pytest.mark.parametrize("number", [2, "1", None])
def test_wrong_format(folder, edit_manifest, number):
    edit_manifest(format=number)
    with pytest.raises(ModelError, match=rf"format is {number!r}, this version of triage reads format 1; export"):
        read_manifest(folder)


def test_every_missing_field_is_named(folder, edit_manifest):
    edit_manifest(intents=None, entity_tags=None)
    with pytest.raises(ModelError, match="lacks intents, entity_tags; export the model again"):
        read_manifest(folder)


def test_wrong_type_names_the_field(folder, edit_manifest):
    edit_manifest(max_tokens="many")
    with pytest.raises(ModelError, match=r"Expected `int`, got `str` - at `\$\.max_tokens`"):
        read_manifest(folder)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "a/b"}, "name 'a/b' may hold"),
        ({"max_tokens": 0}, "max_tokens is 0"),
        ({"pad_id": -1}, "pad_id is -1"),
        ({"pad_id": 2**31}, "pad_id is 2147483648, must not be negative, and below 2.31"),
        ({"max_tokens": 2**63}, "must be at least 8, and at most 100000"),
        ({"intents": ["a", "a"]}, "intents must be a list of distinct names"),
        ({"sentiments": ["bad", "good"]}, "sentiments must be negative, neutral, positive"),
        ({"entity_tags": ["B-x", "O"]}, "entity_tags must begin with O"),
        ({"entity_tags": ["O", "I-x"]}, "'I-x' but no B-x"),
        ({"entity_tags": ["O", "person"]}, "'person', which is not a B-label"),
        (
            {"temperature": {"intent": 0, "sentiment": 1}},
            "temperature.intent must be above 0, is 0.*temperature.entities",
        ),
        ({"low_confidence": {"intent": 2}}, "low_confidence.intent must be from 0 to 1.*low_confidence.sentiment"),
        ({"files": {"../x": {"sha256": "", "bytes": 0}}}, r"files lacks model\.onnx.*'\.\./x', which is not a plain"),
    ],
)
def test_invalid_values_are_named(folder, edit_manifest, changes, message):
    edit_manifest(**changes)
    with pytest.raises(ModelError, match=message):
        read_manifest(folder)


def test_fields_of_a_later_training_are_ignored(folder, edit_manifest):
    edit_manifest(pruned=True)
    assert read_manifest(folder).format == 1
