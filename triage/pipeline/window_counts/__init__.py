"""Counts records per time window and computes watermarks: the input of the alerter."""
