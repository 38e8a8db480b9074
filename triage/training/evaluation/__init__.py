"""Figures of an exported model through the very code that serves it: needs no torch."""
