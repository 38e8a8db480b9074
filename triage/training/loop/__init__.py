"""Trains a model: encoder, heads, losses, optimizer and the training loop. Most modules need torch."""
