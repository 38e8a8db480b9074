"""Reads labelled datasets and custom data into examples, removes contamination, and makes batches."""
