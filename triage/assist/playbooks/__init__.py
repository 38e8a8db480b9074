"""Playbooks: texts, questions and checks of a conversation, step by step, as data; see docs/playbooks.md."""
