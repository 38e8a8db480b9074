"""Backtests of alert rules (`triage alerts backtest`): a rule is evaluated on past counts of a file or of the index."""
