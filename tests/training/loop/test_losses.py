"""Masked losses, batches and padding (need torch)."""

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.training


@pytest.fixture(scope="module")
def taxonomy():
    from triage.training.data.labels import load_taxonomy

    return load_taxonomy()


def row(taxonomy, ids, intent=-100, sentiment=-100, tags=None, known=()):
    from triage.training.data.encode import Encoded

    return Encoded(ids, intent, sentiment, tags, taxonomy.allowed_tags(known))


def logits(batch, taxonomy):
    rows, width = batch.input_ids.shape
    torch.manual_seed(0)
    shapes = ((rows, len(taxonomy.intents)), (rows, 3), (rows, width, len(taxonomy.entity_tags)))
    return [torch.randn(shape, requires_grad=True) for shape in shapes]


def test_a_text_trains_only_the_heads_it_has_labels_for(taxonomy):
    from triage.training.data.batches import collate
    from triage.training.loop.losses import Objective

    batch = collate([row(taxonomy, [0, 5, 2], intent=3), row(taxonomy, [0, 5, 6, 2], sentiment=1)], pad_id=1)
    outputs = logits(batch, taxonomy)
    losses = Objective(torch.ones(15), torch.ones(3))(outputs, batch)
    assert set(losses) == {"intent", "sentiment"}
    sum(losses.values()).backward()
    intent, sentiment, entities = outputs
    assert intent.grad[0].abs().sum() > 0
    assert intent.grad[1].abs().sum() == 0
    assert sentiment.grad[0].abs().sum() == 0
    assert sentiment.grad[1].abs().sum() > 0
    assert entities.grad is None


def test_a_corpus_without_products_moves_no_product_logit(taxonomy):
    from triage.training.data.batches import collate
    from triage.training.loop.losses import entity_loss

    known = ("person", "organization", "location")
    batch = collate([row(taxonomy, [0, 5, 2], tags=[-100, 0, -100], known=known)], pad_id=1)
    outputs = logits(batch, taxonomy)[2]
    entity_loss(outputs, batch.tags, batch.allowed_tags).backward()
    product = [index for index, tag in enumerate(taxonomy.entity_tags) if tag.endswith("product")]
    person = [index for index, tag in enumerate(taxonomy.entity_tags) if tag.endswith("person")]
    assert outputs.grad[..., product].abs().max() == 0
    assert outputs.grad[0, 1, person].abs().min() > 0
    assert outputs.grad[0, 0].abs().max() == 0


def test_rare_classes_have_larger_weights_within_limits():
    from triage.training.loop.losses import class_weights

    labels = [0] * 10_000 + [1] * 400 + [2] * 4 + [-100] * 50
    weights = class_weights(labels, 4)
    assert weights[0] < weights[1] < weights[2]
    assert float(weights[2] / weights[0]) <= 10.01
    counts = torch.tensor([10_000.0, 400.0, 4.0, 0.0])
    assert float((weights * counts).sum() / counts.sum()) == pytest.approx(1.0)


def test_batches_hold_every_text_once_within_the_budget():
    from triage.training.data.batches import plan_batches

    lengths = [3, 500, 7, 7, 90, 1, 64, 64, 64] * 40
    plan = plan_batches(lengths, 256, seed=3)
    assert sorted(index for batch in plan for index in batch) == list(range(len(lengths)))
    assert all(len(batch) == 1 or len(batch) * max(lengths[i] for i in batch) <= 256 for batch in plan)
    assert plan == plan_batches(lengths, 256, seed=3)
    assert plan != plan_batches(lengths, 256, seed=4)


def test_padding_changes_no_output(taxonomy, tiny_base):
    from triage.training.loop.encoders import load_encoder
    from triage.training.loop.model import MultiHeadModel

    model = MultiHeadModel(load_encoder(tiny_base), taxonomy).eval()
    ids = torch.tensor([[2, 50, 60, 70, 3]])
    padded = torch.tensor([[2, 50, 60, 70, 3, 1, 1, 1], [2, 9, 9, 9, 9, 9, 9, 3]])
    with torch.inference_mode():
        alone = model(ids, torch.ones_like(ids))
        together = model(padded, (padded != 1).long())
    cut = (together[0][:1], together[1][:1], together[2][:1, :5], together[3][:1])
    for left, right in zip(alone, cut, strict=True):
        assert torch.allclose(left, right, atol=1e-5)
