"""Runs the system on one machine: the embedded local stack, the sample feed, and the demo."""
