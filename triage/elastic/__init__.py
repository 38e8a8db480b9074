"""Elasticsearch: connection, names, templates, plan and apply, queries."""
