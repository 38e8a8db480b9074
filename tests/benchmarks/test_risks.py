"""The benchmark of risks counts rightly; its results are not asserted."""

from benchmarks.risks import Line, is_seen, load_lines, marked_rows, ordinary_lines, rows_of


def record(*rules, risks=()):
    return {"severity": {"rules": list(rules)}, "risks": [{"label": label, "confidence": 0.9} for label in risks]}


def test_the_texts_have_every_risk_and_as_many_harmless_ones():
    lines = load_lines()
    assert {label for line in lines for label in line.risks} == {
        "danger", "self_harm", "legal_threat", "fraud", "churn_threat"
    }  # fmt: skip
    assert sum(not line.risks for line in lines) > 200


def test_shares_of_texts_with_the_risk_and_of_all_others():
    lines = [Line("a", frozenset(["danger"])), Line("b", frozenset(["danger"])), Line("c", frozenset())]
    records = [record("danger_to_people", risks=["danger"]), record("negative_complaint"), record("danger_to_people")]
    # Without such texts a share has no meaning, so every label is there once.
    for label in ("self_harm", "legal_threat", "fraud", "churn_threat"):
        lines.append(Line("d", frozenset([label])))
        records.append(record())
    danger = rows_of(lines, records)[0].more
    assert (danger["seen"], danger["by_model"], danger["texts"]) == (50, 50, 2)
    assert (round(danger["false"]), danger["false_by_model"], danger["others"]) == (25, 0, 4)


def test_a_threat_to_leave_is_seen_by_its_rule():
    assert is_seen(record("threat_to_leave"), "churn_threat")
    assert not is_seen(record("praise"), "churn_threat")


def test_ordinary_texts_are_mixed_and_their_risks_counted():
    lines = ordinary_lines(300)
    assert len({line.text for line in lines}) == 300
    assert 50 < sum(line.text.isascii() for line in lines) < 250
    danger, *others = marked_rows([record(risks=["danger"]), record(), record("fraud"), record()])
    assert (danger.median, danger.more) == (25, {"marked": 1, "texts": 4})
    assert not any(row.median for row in others)
