"""Precision of alert rules: what people said of their alerts, compared with the budgets of false alerts. Pure."""
