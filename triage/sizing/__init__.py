"""Sizes a fleet from the cost of a record."""
