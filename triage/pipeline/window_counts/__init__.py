"""Counts records per time window and computes watermarks, which are the input of the alerter."""
