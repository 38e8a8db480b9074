"""`triage alerts backtest`: a rule on past counts, of a file or of the index."""
