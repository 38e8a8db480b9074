"""Calibrates, exports and documents a trained model."""
