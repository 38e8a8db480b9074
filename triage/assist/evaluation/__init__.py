"""Measures retrieval and abstention on questions with known articles, and fits the numbers of both."""
