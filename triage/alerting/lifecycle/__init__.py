"""Lifecycle of an alert: episodes, the pages that group them, inhibition, silences, and the stored document. Pure."""
