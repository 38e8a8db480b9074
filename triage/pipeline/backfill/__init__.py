"""Enriches records again that were already processed."""
