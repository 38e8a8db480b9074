from triage.training.loop.history import CURVE_FILE, History, draw_learning_curve, read_history


def test_a_resumed_run_continues_from_the_saved_step(tmp_path):
    history = History(tmp_path)
    history.start()
    for step in (10, 20, 30):
        history.add(step=step, losses={"intent": 1 / step})
    again = History(tmp_path)
    again.start(20)
    again.add(step=30, losses={"intent": 9.0})
    assert [(line["step"], line["losses"]["intent"]) for line in read_history(tmp_path)] == [
        (10, 0.1),
        (20, 0.05),
        (30, 9.0),
    ]
    History(tmp_path).start()
    assert read_history(tmp_path) == []


def test_the_learning_curve_is_drawn(tmp_path):
    import pytest

    pytest.importorskip("matplotlib")
    history = History(tmp_path)
    history.start()
    history.add(step=10, losses={"intent": 2.0, "entities": 1.0})
    history.add(step=20, losses={"intent": 1.0})
    history.add(step=20, validation={"overall": 0.5, "intent": 0.6})
    assert draw_learning_curve(tmp_path) == tmp_path / CURVE_FILE
    assert (tmp_path / CURVE_FILE).read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_without_matplotlib_there_is_no_learning_curve(tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert draw_learning_curve(tmp_path) is None
