"""Serves a model folder: the registry, the runtimes, and the steps from texts to labels, spans and aspects."""
