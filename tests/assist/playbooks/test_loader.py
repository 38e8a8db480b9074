"""Every mistake in a playbook is named at once, with file, line, step and fix."""

from pathlib import Path

import pytest

from triage.assist.playbooks.loader import folder_identity, load_playbooks
from triage.errors import ConfigError

HEAD = """name: demo
version: "1"
title: {en: Demo, zh: 演示}
slots:
  order_id: {kind: entity, entities: [order_id], title: {en: order, zh: 订单}}
  sure: {kind: yes_no, title: {en: sure, zh: 确定}}
  note: {kind: text, title: {en: note, zh: 备注}}
policies:
  returns: {title: {en: Returns, zh: 退货}, text: {en: 30 days., zh: 30天。}}
"""
GOOD = (
    HEAD
    + """steps:
  - name: ask
    say: {en: "Number?", zh: 单号？}
    ask: order_id
    next:
      - {when: {slot: order_id, missing: true}, to: person}
      - {to: tell}
  - name: tell
    say: {en: "Order {order_id}.", zh: "订单 {order_id}。"}
    policy: returns
    next: done
  - name: done
    end: resolved
  - name: person
    handoff: playbook
"""
)


def problems(tmp_path: Path, text: str, **known: list[str]) -> list[str]:
    (tmp_path / "demo.yaml").write_text(text, "utf-8")
    with pytest.raises(ConfigError) as caught:
        load_playbooks(tmp_path, **known)  # type: ignore[arg-type]
    assert caught.value.where == str(tmp_path)
    return [problem.removeprefix("demo.yaml: ") for problem in caught.value.problems]


def test_the_shipped_playbooks_are_valid_and_in_both_languages() -> None:
    found = load_playbooks().by_name
    assert [name for name, each in found.items() if each.kind == "sales"] == ["sales_new_customer", "sales_upgrade"]
    assert len([each for each in found.values() if each.kind == "service"]) == 8
    assert all(each.languages == ["en", "zh"] for each in found.values())
    assert not found["fraud"].bot
    for sales in ("sales_new_customer", "sales_upgrade"):
        names = [step.name for step in found[sales].steps]
        order = [
            next(i for i, name in enumerate(names) if part in name)
            for part in ("discover", "objection", "offer", "close")
        ]
        assert order == sorted(order)


def test_a_good_one_loads(tmp_path: Path) -> None:
    (tmp_path / "demo.yaml").write_text(GOOD, "utf-8")
    found = load_playbooks(tmp_path)
    assert found.by_name["demo"].label.startswith("demo@1+")
    assert found.texts.handing_over("severe", "zh")


def test_all_problems_of_shape_at_once(tmp_path: Path) -> None:
    text = (
        HEAD
        + """steps:
  - name: ask
    says: {en: "Number?", zh: 单号？}
    ask: order_id
  - say: {en: x, zh: x}
    next: ask
  - name: last
    next: {to: ask}
triggers: {intent: [delivery]}
"""
    )
    assert problems(tmp_path, text) == [
        "line 12: step 'ask': no such field: says; did you mean say?",
        "line 14: step 2: name is missing",
        "line 17: step 'last': next: expected `str | array | null`, got `object`",
        "line 18: triggers: no such field: intent; did you mean intents?",
    ]


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("next: done", "next: doen", "line 20: step 'tell': next: no such step: doen; did you mean done?"),
        (
            "ask: order_id\n",
            "ask: orderid\n",
            "line 13: step 'ask': ask: no such slot: orderid; did you mean order_id?",
        ),
        (
            "policy: returns",
            "policy: return",
            "line 19: step 'tell': policy: no such policy: return; did you mean returns?",
        ),
        ("zh: 单号？", "de: Nummer", "line 12: step 'ask': say: has no text in 'zh'"),
        ("zh: 30天。", "de: 30 Tage", "line 9: policy 'returns': has no text in 'zh'; languages are en, zh"),
        ("{order_id}.", "{orderid}.", "line 18: step 'tell': say.en: {orderid} is not a slot; did you mean order_id?"),
        ("Order {order_id}.", "You said {note}.", "line 18: step 'tell': say.en: {note} is free text or sensitive"),
        ("handoff: playbook", "handoff: bored", "line 24: step 'person': handoff: 'bored' is not a reason"),
        (
            "      - {to: tell}",
            "      - {to: tell, when: {slot: sure, is: 'yes'}}",
            "line 16: step 'ask': next: the last branch has a condition, so there may be no way on",
        ),
        (
            "{slot: order_id, missing: true}",
            "{slot: sure, is: maybe}",
            "line 15: step 'ask': when: 'maybe' is not a value of the slot sure: yes, no",
        ),
        (
            "{slot: order_id, missing: true}",
            "{slot: sure, is: yes}",
            "line 15: step 'ask': next.0.when.is: expected `str | array | null`, got `bool`; YAML reads",
        ),
        (
            "{slot: order_id, missing: true}",
            "{is: x}",
            "line 15: step 'ask': when: is, is_not, above, below and missing need a slot",
        ),
        (
            "    end: resolved",
            "    end: resolved\n    next: ask",
            "line 23: step 'done': next: nothing comes after handoff or end",
        ),
        (
            "    end: resolved",
            "    say: {en: x, zh: x}",
            "line 21: step 'done': has no next step: give it next, handoff or end",
        ),
        (
            "    end: resolved",
            "    check: {webhook: w, field: sure}\n    next: person",
            "line 22: step 'done': check: give one of field, webhook and knowledge",
        ),
        ("  - name: person", "  - name: tell", "line 23: step 'tell': the name is already used by the step on line 17"),
    ],
)
def test_a_mistake_in_a_step_is_named_with_its_line(tmp_path: Path, old: str, new: str, problem: str) -> None:
    assert old in GOOD
    found = problems(tmp_path, GOOD.replace(old, new))
    assert any(each.startswith(problem) for each in found), found


def test_an_unreachable_step_a_loop_without_exit_and_a_silent_loop(tmp_path: Path) -> None:
    text = (
        HEAD
        + """steps:
  - name: a
    say: {en: x, zh: x}
    ask: sure
    next:
      - {when: {slot: sure, is: "yes"}, to: b}
      - {when: {slot: sure, is: "no"}, to: d}
      - {to: end}
  - name: b
    say: {en: x, zh: x}
    ask: note
    next: c
  - name: c
    say: {en: x, zh: x}
    next: b
  - name: d
    say: {en: x, zh: x}
    next:
      - {when: {slot: sure, is: "no"}, to: d}
      - {to: end}
  - name: lost
    say: {en: x, zh: x}
    next: end
  - name: end
    end: done
"""
    )
    assert problems(tmp_path, text) == [
        "line 18: step 'b': a loop without an exit: no handoff or end can follow",
        "line 22: step 'c': a loop without an exit: no handoff or end can follow",
        "line 25: step 'd': a loop that asks nothing, so it would repeat within one turn",
        "line 30: step 'lost': cannot be reached from 'a'",
    ]


def test_unknown_intents_and_webhooks(tmp_path: Path) -> None:
    text = GOOD.replace("    end: resolved", "    check: {webhook: shop}\n    next: person").replace(
        "steps:", "triggers: {intents: [deliveri]}\nsteps:"
    )
    found = problems(tmp_path, text, intents=["delivery"], webhooks=["desk"])
    assert found == [
        "line 10: triggers: no such intent: deliveri; did you mean delivery?",
        "line 23: step 'done': check: conversations.webhooks has no 'shop'",
    ]


def test_a_file_that_is_no_playbook(tmp_path: Path) -> None:
    assert problems(tmp_path, "- x") == ["line 1: a playbook is a mapping with name, version, title and steps"]
    assert problems(tmp_path, "name: [")[0].startswith("line 1: not valid YAML")
    assert problems(tmp_path, HEAD + "steps: []") == ["line 10: steps: a playbook needs at least one step"]


def test_two_files_with_one_name_and_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="has no playbooks"):
        load_playbooks(tmp_path)
    (tmp_path / "other.yaml").write_text(GOOD, "utf-8")
    (tmp_path / "demo.yaml").write_text(GOOD, "utf-8")
    with pytest.raises(ConfigError, match=r"other.yaml: playbook 'demo': another file has the same name"):
        load_playbooks(tmp_path)


def test_the_identity_changes_with_any_file(tmp_path: Path) -> None:
    (tmp_path / "demo.yaml").write_text(GOOD, "utf-8")
    before = folder_identity(tmp_path)
    assert folder_identity(tmp_path) == before
    (tmp_path / "demo.yaml").write_text(GOOD + "\n", "utf-8")
    assert folder_identity(tmp_path) != before


def test_texts_of_a_folder_replace_the_shipped_ones_and_are_checked(tmp_path: Path) -> None:
    (tmp_path / "demo.yaml").write_text(GOOD, "utf-8")
    (tmp_path / "texts.yaml").write_text("greeting: {en: Hi}\n", "utf-8")
    with pytest.raises(ConfigError, match=r"not the texts of a bot: .*which"):
        load_playbooks(tmp_path)
