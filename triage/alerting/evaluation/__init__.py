"""Evaluation of a rule on the keys of a closed step: counts over its window, static thresholds, the spike detector."""
