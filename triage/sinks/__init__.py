"""Stores enriched records as documents."""
