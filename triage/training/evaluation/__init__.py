"""Evaluates an exported model with the code that serves it. Imported without torch."""
