"""Serves a model folder: the registry, the runtimes, and the way from texts to labels, spans and aspects."""
