"""The card of a fitted risk model, as Markdown: purpose, target, data, figures, levels, drift and limits."""

from collections.abc import Iterator

import yaml

from triage.assist.risk.fitting import card_of
from triage.assist.risk.measures import DRIFT_NOTED
from triage.risk.model import NOTICE, RiskModel


def card_text(model: RiskModel) -> str:
    """The card of a fitted risk model, in Markdown.

    Raises ConfigError if the model's file has no card that can be read.
    """
    return "\n".join(_lines(model)) + "\n"


def _lines(model: RiskModel) -> Iterator[str]:
    card = card_of(model)
    test = card.test
    yield f"# Risk {model.name}, version {model.version}"
    yield ""
    yield f"**{NOTICE}.** It says which records to read first. It must not refuse, price, close or rank a person."
    yield ""
    yield "## Definition"
    yield ""
    yield "```yaml"
    yield yaml.safe_dump(model.header.definition, sort_keys=False, allow_unicode=True).rstrip()
    yield "```"
    yield ""
    yield "## Records"
    yield ""
    yield "| part | from | to | records | with the outcome |"
    yield "| --- | --- | --- | --- | --- |"
    for name, number in card.records.items():
        first, last = card.times[name]
        share = card.positives[name] / number
        yield f"| {name} | {first[:10]} | {last[:10]} | {number:,} | {card.positives[name]:,} ({share:.1%}) |"
    yield ""
    yield "## Figures on the test part"
    yield ""
    yield "| figure | value | compare |"
    yield "| --- | --- | --- |"
    yield (
        f"| AUC | {test.auc:.3f} (95 %: {test.auc_low:.3f} to {test.auc_high:.3f}) | words alone "
        f"{card.auc_of_words_alone:.3f}, chance .500 |"
    )
    yield f"| expected calibration error | {test.ece:.3f} | 0 is best |"
    yield f"| Brier score | {test.brier:.4f} | the share alone {test.brier_of_base_rate:.4f} |"
    yield ""
    yield "| level and above | from probability | records | of them with the outcome | of all outcomes |"
    yield "| --- | --- | --- | --- | --- |"
    for name, level in test.levels.items():
        yield (
            f"| {name} | {model.header.levels[name]:.3f} | {level.records:,} | {level.precision:.1%} (95 %: "
            f"{level.low:.1%} to {level.high:.1%}) | {level.recall:.1%} |"
        )
    yield ""
    losses = ", ".join(f"{name} {value:.4f}" for name, value in card.calibration_log_loss.items())
    yield f"Fitted {card.fitted_at}. Penalty 1/{card.strength:g}; calibration {card.calibration} (log loss: {losses})."
    yield f"Records were enriched by {', '.join(card.models)}."
    yield ""
    yield "## Labels that weigh most"
    yield ""
    for name, weight in card.strongest:
        yield f"- {name}: {weight:+.2f}"
    yield ""
    yield "A weight is an association in past records, not a cause. Words weigh, too: `triage risk score` shows them."
    yield ""
    yield "## Drift"
    yield ""
    yield "Scores are as good as the past resembles the present. Run `triage risk evaluate` monthly and after every new"
    yield "model, product or policy. It says so when the distribution of scores changes (stability index above"
    yield f"{DRIFT_NOTED}), when AUC falls by more than chance, or when probabilities are off."
    yield ""
    yield "The file has no texts, no names and no author ids. After `triage forget`, a new fit has not seen the author."
