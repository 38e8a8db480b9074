"""Enriches records again that were processed before."""
