"""Resolved cases: takes resolutions, joins them to their records, and finds similar ones."""
