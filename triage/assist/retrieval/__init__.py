"""Finds passages by words and by meaning, fuses both rankings, and estimates whether the first one answers."""
