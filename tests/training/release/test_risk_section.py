from triage.training.release.risk_section import write_section

TRAINED = {"own": 2_000, "background": 100, "validation": {"danger": {"recall": 0.951, "false_share": 0.0149}}}


def test_the_section_stands_before_the_metrics_once(tmp_path):
    card = tmp_path / "CARD.md"
    card.write_text("# model\n\n## Training\n\nx\n\n## Metrics on test splits\n\ny\n")
    for threshold in (0.5, 0.6):
        write_section(tmp_path, TRAINED, {"danger": threshold})
    text = card.read_text()
    assert text.count("## Risks") == 1
    assert "| danger | 0.60 | 95.1 | 1.5 |\n\n## Metrics on test splits\n\ny\n" in text
    assert text.startswith("# model\n\n## Training\n\nx\n")


def test_a_folder_without_a_card_is_left_alone(tmp_path):
    write_section(tmp_path, TRAINED, {"danger": 0.5})
    assert not list(tmp_path.iterdir())
