"""Next steps learnt from dialogues: reading, fitting, the ONNX graph, and tasks of STAR as playbooks."""

import bz2
import json
from pathlib import Path

import msgspec
import numpy as np
import pytest
from conversing import PLAYBOOKS

from triage.assist.conversations.state import new_conversation
from triage.assist.conversations.suggestions import in_order, legal_steps
from triage.assist.playbooks.check import problems_of
from triage.assist.playbooks.graph import drawn
from triage.assist.playbooks.loader import load_playbooks
from triage.assist.policy.artifact import PolicyModel, write_policy
from triage.assist.policy.command import evaluate, evaluate_unseen, graphs_of
from triage.assist.policy.command import fit as fit_files
from triage.assist.policy.convert import playbook_of_task
from triage.assist.policy.dialogues import Decision, Task, decisions, read_dialogues, read_tasks, task_named
from triage.assist.policy.evaluation import by_frequency, by_graph, legal_of, score, usual_actions
from triage.assist.policy.features import GENERAL, general, specific
from triage.assist.policy.fitting import fit_policy
from triage.assist.policy.ranking import PolicyRanking
from triage.errors import ConfigError, ModelError
from triage.rules.source import SourceMap

STAR = msgspec.json.decode(
    bz2.decompress((Path(__file__).parent / "star" / "tasks.json.bz2").read_bytes()), type=dict[str, Task]
)
TASKS = {
    name: {
        "graph": {"hello": f"{name}_ask_day", f"{name}_ask_day": "query_check", "query_check": f"{name}_inform"},
        "replies": {
            "hello": "Hello", f"{name}_ask_day": "Which day?", "query_check": "", f"{name}_inform": f"{name} is free.",
            "goodbye_1": "Bye",
        },
    }
    for name in ("car_book", "room_reserve", "desk_reserve", "boat_reserve")
}  # fmt: skip


def dialogue(number: int, task: str, name: str) -> dict[str, object]:
    said = ("hi", f"a {name} please", "monday", "thanks bye")
    acts = ("hello", f"{task}_ask_day", "query", f"{task}_inform", "goodbye_1")
    found = {"who": "knowledge_base", "item": {"Message": "free"}, "found": 1}
    events: list[dict[str, object]] = []
    for act, text in zip(acts, (*said[:3], None, said[3]), strict=True):
        if text is not None:
            events.append({"who": "customer", "text": text})
        event: dict[str, object] = {"who": "agent", "action": act}
        events += [event | {"constraints": [{"Day": '"Mon"'}]}, found] if act == "query" else [event | {"text": act}]
    return {"dialogue_id": number, "tasks": [task], "events": events, "multi_task": False, "complete": True}


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    data, tasks = tmp_path / "data.jsonl", tmp_path / "tasks.json"
    lines = [dialogue(n, task, task.split("_", maxsplit=1)[0]) for n, task in enumerate([*TASKS] * 4)]
    data.write_text("\n".join(map(json.dumps, lines)), "utf-8")
    tasks.write_text(json.dumps(TASKS), "utf-8")
    return data, tasks


def test_decisions_hold_what_the_agent_knew(files: tuple[Path, Path]) -> None:
    found = list(decisions(read_dialogues(files[0]), list(read_tasks(files[1]))))
    assert len(found) == 16 * 5
    inform = found[3]
    assert (inform.action, inform.last, inform.said) == ("car_book_inform", "look_up", "monday")
    assert inform.found == "free asked_Day_Mon"
    assert inform.actions == ("hello", "car_book_ask_day", "query")
    assert inform.earlier == "hi a car please"


def test_a_fitted_policy_ranks_and_its_graph_says_the_same(files: tuple[Path, Path], tmp_path: Path) -> None:
    graphs = graphs_of(read_tasks(files[1]))
    found = list(decisions(read_dialogues(files[0]), list(graphs)))
    policy = fit_policy(found, graphs, own_penalty=0.5, iterations=30, min_count=1)
    write_policy(policy, usual_actions(found), tmp_path / "policy")
    model = PolicyModel(tmp_path / "policy")
    for each in found[:10]:
        steps, probabilities = model.ranked(each, graphs[each.task])
        assert steps[0] == each.action
        values = general(each, steps, graphs[each.task]) @ policy.shared
        column = {action: number for number, action in enumerate(policy.actions)}
        for name, value in specific(each).items():
            row = policy.own[policy.vocabulary[name]] * value
            values += np.array([row[column[step]] if step in column else 0 for step in steps])
        expected = np.exp(values - values.max())
        assert np.allclose(probabilities, expected / expected.sum(), atol=1e-4)
    unseen = model.ranked(found[0], graphs["car_book"], unseen=True)
    assert abs(float(unseen[1].sum()) - 1) < 1e-4


def test_files_are_fitted_and_evaluated_with_baselines(files: tuple[Path, Path], tmp_path: Path) -> None:
    fit_files(*files, tmp_path / "policy", 0.5, 20, lambda _: None)
    found = evaluate(*files, tmp_path / "policy")
    assert (found.policy.accuracy, found.policy.illegal, found.policy.decisions) == (1.0, 0, 80)
    assert found.graph_alone.accuracy < 1
    assert found.most_frequent_after_task_and_last_action.accuracy == 1.0
    unseen = evaluate_unseen(files[0], files[0], files[1], lambda _: None)
    assert set(unseen.tasks) == set(TASKS)
    assert unseen.policy > unseen.graph_alone


def test_scores_by_hand() -> None:
    made = [Decision(str(n), "t", (), "", "", "", "start", action) for n, action in enumerate("aab")]
    found = score(made, lambda each: (["a", "b", "x"], [0.9 - int(each.dialogue) / 10]), lambda _: ["a", "b"])
    assert (round(found.accuracy, 3), found.recall_at_3, found.illegal) == (0.667, 1.0, 3)
    assert round(found.weighted_f1, 4) == round(2 / 3 * (2 * 2 / (3 + 2)), 4)
    assert found.surest["50%"] == 1.0


def test_names_of_tasks_are_matched_by_their_words() -> None:
    names = list(STAR)
    for name, task in (
        ("doctor_schedule", "book_doctor_appointment"), ("doctor_followup", "followup_doctor_appointment"),
        ("ride_book", "book_ride"), ("hotel_book", "hotel_reserve"), ("meeting_schedule", "schedule_meeting"),
        ("apartment_schedule", "book_apartment_viewing"), ("plane_book", "plane_reserve"), ("trivia", "trivia"),
    ):  # fmt: skip
        assert task_named(name, names) == task


@pytest.mark.parametrize("name", list(STAR))
def test_every_task_of_star_becomes_a_valid_playbook(name: str) -> None:
    playbook = playbook_of_task(name, STAR[name])
    assert problems_of(playbook, SourceMap()) == []
    assert drawn(playbook, "mermaid")
    names = {step.name for step in playbook.steps}
    assert all(("query" if action.startswith("query") else action) in names for action in STAR[name].replies)
    # The graph alone is of use: what usually follows is suggested first.
    conversation = msgspec.structs.replace(new_conversation("c", "en", 0), step=playbook.steps[0].name)
    ranked = in_order(playbook, legal_steps(playbook, conversation.step, {}), conversation)
    assert ranked[0] in [branch.to for branch in playbook.steps[0].branches()]


def test_converted_tasks_are_read_back_from_their_files(tmp_path: Path) -> None:
    for name, task in list(STAR.items())[:3]:
        (tmp_path / f"{name}.yaml").write_bytes(msgspec.yaml.encode(playbook_of_task(name, task)))
    assert len(load_playbooks(tmp_path).by_name) == 3


def test_a_policy_ranks_playbooks_that_it_has_never_seen(files: tuple[Path, Path], tmp_path: Path) -> None:
    fit_files(*files, tmp_path / "policy", 0.5, 20, lambda _: None)
    ranking = PolicyRanking(PolicyModel(tmp_path / "policy"))
    refund = PLAYBOOKS.by_name["refund"]
    conversation = msgspec.structs.replace(new_conversation("c", "en", 0), step="ask_order", steps=["ask_order"])
    found = ranking.scores(refund, ["ask_order", "ask_reason"], conversation)
    assert found is not None
    assert set(found) == {"ask_order", "ask_reason"}
    assert abs(sum(found.values()) - 1) < 1e-4
    assert ranking.scores(refund, [], conversation) is None


def test_a_folder_without_a_policy_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="holds no policy"):
        PolicyModel(tmp_path)
    path = tmp_path / "x.jsonl"
    path.write_text("{", "utf-8")
    with pytest.raises(ConfigError, match="line 1"):
        read_dialogues(path)
    with pytest.raises(ConfigError, match="not a file of tasks"):
        read_tasks(path)


def test_general_features_are_as_many_as_they_say() -> None:
    graph = graphs_of(read_tasks_of(TASKS))["car_book"]
    made = Decision("1", "car_book", ("hello",), "hi?", "", "", "customer")
    assert general(made, ["query", "goodbye_1"], graph).shape == (2, GENERAL)
    assert by_graph({"car_book": graph})(made)[0][0] == "car_book_ask_day"
    assert by_frequency({"car_book hello": "query"})(made)[0] == ["query"]
    assert legal_of({"car_book": graph}, ["x"])(made)[-1] == "x"


def read_tasks_of(tasks: dict[str, object]) -> dict[str, Task]:
    return msgspec.convert(tasks, dict[str, Task])
