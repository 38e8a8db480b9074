import pytest

from triage.errors import TrainingError
from triage.training.data.contamination import find_contaminated, require_uncontaminated, text_key
from triage.training.data.examples import Example


def example(text, source="dataset"):
    return Example(text, source, intent="billing")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Where is my parcel?", "where is my PARCEL!!"),
        ("我的快递丢了，怎么办我很着急呢", "我的快递丢了 怎么办 我很着急呢😡"),
        ("please cancel order 113542617", "please cancel order 98211"),
        ("ＡＢＣ ordering system", "abc ordering system"),
    ],
)
def test_copies_share_a_key(one, other):
    assert text_key(one) == text_key(other)


@pytest.mark.parametrize(("one", "other"), [("top up 20", "top up 50"), ("退款三天", "退款五天"), ("👍", "😡")])
def test_short_texts_that_differ_have_different_keys(one, other):
    assert text_key(one) != text_key(other)


def test_contaminated_texts_are_found_and_refused():
    train = [example("Where is my parcel, order 12?", "a"), example("I like it a lot", "a")]
    test = [example("where is my parcel, order 99", "b")]
    (found,) = find_contaminated(train, test)
    assert (found.train_source, found.test_source) == ("a", "b")
    with pytest.raises(
        TrainingError, match=r"1 training texts are also in a test split, as copies or near duplicates \(a -> test of b"
    ):
        require_uncontaminated(train, test)
    require_uncontaminated(train[1:], test)


def test_near_duplicates_are_contaminated_too():
    test = [example("I have a problem with canceling the order of my new phone", "b")]
    near = example("I have got a problem with canceling the order of my new phone", "a")
    far = example("I have a question about returning the case of my old phone", "a")
    (found,) = find_contaminated([near, far], test)
    assert found.text == near.text
    assert 0.8 <= found.similarity < 1
    require_uncontaminated([far], test)
    with pytest.raises(TrainingError, match="near duplicates"):
        require_uncontaminated([near], test)


def test_short_texts_are_contaminated_only_as_copies():
    assert find_contaminated([example("thanks a lot!")], [example("thanks a lot")])
    assert not find_contaminated([example("thank a lot")], [example("thanks a lot")])
