"""Resolved cases: imports resolutions, joins them to their records, and finds similar ones."""
