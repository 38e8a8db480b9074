"""Elasticsearch and Kibana: connection, index templates, plan and apply, queries."""
