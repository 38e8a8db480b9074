"""Emerging topics: groups of similar negative records that no intent explains and that are new or more frequent."""
