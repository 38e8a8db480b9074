"""Waits for dependencies: time between attempts, the log of outages, and questions that are asked again."""
