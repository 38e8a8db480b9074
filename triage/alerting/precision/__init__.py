"""Precision of alert rules: users' assessments of alerts, compared with the budgets of false alerts. Pure."""
