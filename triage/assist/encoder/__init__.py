"""Sentence vectors: builds the encoder into the model cache, and encodes questions and passages."""
