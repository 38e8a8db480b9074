import pytest

from triage.errors import TrainingError
from triage.training.data.contamination import assert_no_leak, drop_leaks, find_leaks, text_key
from triage.training.data.examples import Example


def example(text, source="pack"):
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
def test_short_texts_that_differ_do_not(one, other):
    assert text_key(one) != text_key(other)


def test_leaks_are_found_dropped_and_refused():
    train = [example("Where is my parcel, order 12?", "a"), example("I like it a lot", "a")]
    test = [example("where is my parcel, order 99", "b")]
    (leak,) = find_leaks(train, test)
    assert (leak.train_source, leak.test_source) == ("a", "b")
    with pytest.raises(
        TrainingError, match=r"1 training texts also stand, or nearly, in a test split \(a -> test of b"
    ):
        assert_no_leak(train, test)
    kept = drop_leaks(train, test)
    assert [row.text for row in kept] == ["I like it a lot"]
    assert_no_leak(kept, test)


def test_near_copies_are_leaks_too():
    test = [example("I have a problem with canceling the order of my new phone", "b")]
    near = example("I have got a problem with canceling the order of my new phone", "a")
    far = example("I have a question about returning the case of my old phone", "a")
    (leak,) = find_leaks([near, far], test)
    assert leak.text == near.text
    assert 0.8 <= leak.similarity < 1
    assert drop_leaks([near, far], test) == [far]
    with pytest.raises(TrainingError, match="or nearly"):
        assert_no_leak([near], test)


def test_short_texts_are_leaks_only_as_copies():
    assert find_leaks([example("thanks a lot!")], [example("thanks a lot")])
    assert not find_leaks([example("thank a lot")], [example("thanks a lot")])
