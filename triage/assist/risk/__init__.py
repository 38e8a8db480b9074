"""Fits, evaluates and describes risk models on the operator's own records."""
