"""Playbooks: what to say, ask and check, step by step, as data; see docs/playbooks.md."""
