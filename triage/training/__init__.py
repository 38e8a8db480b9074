"""Trains, evaluates, calibrates and exports models. Training and export need torch (the `train` extra)."""
