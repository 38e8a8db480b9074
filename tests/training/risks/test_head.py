import numpy as np
import pytest

from triage.training.risks.head import Examples, loss_and_gradients, new_head, predict, tokens_of, train_head
from triage.training.risks.states import TokenStates

RNG = np.random.default_rng(5)


def states(lengths, inputs=6):
    return TokenStates(
        RNG.normal(size=(sum(lengths), inputs)).astype(np.float16), np.concatenate([[0], np.cumsum(lengths)])
    )


def test_tokens_of_some_texts_are_read_in_their_order():
    given = states([2, 3, 1])
    values, starts = tokens_of(given, np.array([2, 0]))
    np.testing.assert_array_equal(values, given.values[[5, 0, 1]].astype(np.float32))
    assert starts.tolist() == [0, 1]


@pytest.mark.parametrize("name", ["hidden.weight", "hidden.bias", "attention.weight", "score.weight", "score.bias"])
def test_gradients_are_those_of_the_loss(name):
    head = {key: each.astype(np.float64) for key, each in new_head(6, 2, RNG).items()}
    values, starts = tokens_of(states([3, 1, 4]), np.arange(3))
    targets, weights = np.array([[1, 0], [0, 0], [0, 1]], float), np.array([[2, 1], [1, 0], [1, 3]], float)
    kept = RNG.integers(0, 2, (8, len(head["hidden.bias"]))) * 1.4
    given = (values.astype(np.float64), starts, targets, weights, kept)
    _, gradients = loss_and_gradients(head, *given)
    place = np.unravel_index(int(np.abs(gradients[name]).argmax()), head[name].shape)
    losses = []
    for change in (1e-5, -1e-5):
        moved = {key: each.copy() for key, each in head.items()}
        moved[name][place] += change
        losses.append(loss_and_gradients(moved, *given)[0])
    assert gradients[name][place] == pytest.approx((losses[0] - losses[1]) / 2e-5, rel=1e-4)


def test_one_token_of_a_text_decides_and_unknown_labels_train_nothing():
    lengths = RNG.integers(2, 9, 400).tolist()
    given = states(lengths)
    risky = RNG.random(400) < 0.5
    for text in np.nonzero(risky)[0]:
        given.values[RNG.integers(given.starts[text], given.starts[text + 1])] = 3.0
    targets = np.stack([risky, RNG.random(400) < 0.5], axis=1).astype(np.float32)
    weights = np.repeat([[1.0, 0.0]], 400, axis=0).astype(np.float32)
    lines = []
    head = train_head([Examples(given, targets, weights)], epochs=12, report=lines.append)
    logits = predict(head, given)
    assert ((logits[:, 0] > 0) == risky).mean() > 0.97
    assert not head["score.bias"][1]
    assert lines[-1].startswith("epoch 12 of 12: loss 0.")
