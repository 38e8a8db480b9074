"""Comparison of records with the preceding period, shown on *Now* and *Explore*."""
