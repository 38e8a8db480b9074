"""Delivery of what engines decide: pages to receivers, alerts to the index and the topic."""
