"""Intents that the operator adds by a few examples: centroids of sentence vectors next to the trained intents."""
