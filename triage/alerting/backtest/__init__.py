"""Backtests of alert rules (`triage alerts backtest`): evaluates a rule on past counts from a file or the index."""
