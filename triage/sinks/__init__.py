"""Stores enriched records as documents, in Elasticsearch or in memory."""
